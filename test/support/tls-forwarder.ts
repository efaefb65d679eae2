/**
 * A local port that speaks TLS to another one: for clients that cannot open a TLS connection from its first byte themselves.
 * It verifies the server's certificate for the name it asks for.
 */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { connect } from 'node:tls'

export interface TlsForwarder {
  readonly port: number
  /** Connections that were refused or broken on the TLS side, in their order. */
  readonly errors: readonly Error[]
  stop(): Promise<void>
}

export interface TlsForwarderOptions {
  readonly port: number
  readonly serverName: string
  /** PEM of the authority to trust. */
  readonly ca: string
}

export async function startTlsForwarder({ port, serverName, ca }: TlsForwarderOptions): Promise<TlsForwarder> {
  const errors: Error[] = []
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (plain) => {
    const secure = connect({ port, host: '127.0.0.1', servername: serverName, ca })
    for (const socket of [plain, secure]) {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    }
    secure.setNoDelay(true)
    secure.on('error', (error) => {
      errors.push(error)
      plain.destroy()
    })
    plain.on('error', () => secure.destroy())
    plain.pipe(secure)
    secure.pipe(plain)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as { port: number }).port,
    errors,
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise((done) => server.close(done))
    },
  }
}
