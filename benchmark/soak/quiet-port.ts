/** A port for a server that comes and goes. */
import { createServer } from 'node:net'

/**
 * A free port of 127.0.0.1 below those that connections are given by themselves: while its server is away nobody gets it by
 * chance, and no connection to it meets itself.
 */
export async function quietPort(): Promise<number> {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 18_000)
    const server = createServer()
    const isFree = await new Promise<boolean>((done) => {
      server.once('error', () => done(false))
      server.listen(port, '127.0.0.1', () => done(true))
    })
    if (!isFree) continue
    await new Promise((done) => server.close(done))
    return port
  }
}
