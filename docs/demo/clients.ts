/** One question, one answer: how the demo talks to the gateway. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

const patienceMs = 5000

/** The first answer on a new TCP connection; `from` is the client's own address. */
export function askTcp(port: number, text: string, from = '127.0.0.1'): Promise<string> {
  return answer(connect({ port, host: '127.0.0.1', localAddress: from }), text)
}

/** The same through TLS, with the server's certificate verified for this name. */
export function askTls(port: number, servername: string, trusted: string, text: string): Promise<string> {
  return answer(connectTls({ port, host: '127.0.0.1', servername, ca: trusted }), text)
}

/** The first datagram that comes back. */
export async function askUdp(port: number, text: string): Promise<string> {
  const socket = createSocket('udp4')
  try {
    socket.send(text, port, '127.0.0.1')
    const [message] = (await once(socket, 'message', { signal: AbortSignal.timeout(patienceMs) })) as [Buffer]
    return message.toString()
  } finally {
    socket.close()
  }
}

function answer(socket: Socket, text: string): Promise<string> {
  return new Promise((done, fail) => {
    socket.setTimeout(patienceMs, () => socket.destroy(new Error('no answer')))
    socket.once('data', (chunk) => {
      done(chunk.toString().trim())
      socket.destroy()
    })
    socket.once('error', fail)
    socket.once('close', () => fail(new Error('closed without an answer')))
    socket.write(`${text}\n`)
  })
}

/** Ports of 127.0.0.1 that nobody uses now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
  return ports
}
