/** Sample services behind the gateway: each answers every message with its own name, so that one sees who was reached. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

export interface Backend {
  readonly name: string
  readonly port: number
  stop(): Promise<void>
}

export async function tcpBackend(name: string): Promise<Backend> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
    socket.on('data', (chunk) => socket.write(`${name} got "${chunk.toString().trim()}"\n`))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    if (server.listening) await new Promise((done) => server.close(done))
  }
  return { name, port: (server.address() as { port: number }).port, stop }
}

export async function udpBackend(name: string): Promise<Backend> {
  const socket = createSocket('udp4')
  socket.on('message', (message, peer) => socket.send(`${name} got "${message}"`, peer.port, peer.address))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return { name, port: socket.address().port, stop: () => new Promise((done) => socket.close(done)) }
}
