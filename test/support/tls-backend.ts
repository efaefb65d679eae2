/** A server of node:tls behind the gateway: it says who it is and what it was asked for, then echoes. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls'
import type { Backend } from './backends.ts'

/**
 * Writes one line to whoever gets through its handshake: its name, the server name asked for and the common name of the
 * client's certificate, with blanks between and `-` for what there is not. Then it sends back what it gets.
 */
export async function tlsBackend(name: string, options: TlsOptions): Promise<Backend> {
  let count = 0
  const open = new Set<TLSSocket>()
  const server = createServer({ allowHalfOpen: true, ...options } as TlsOptions, (socket) => {
    count++
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => socket.destroy())
    const subject = socket.getPeerCertificate().subject?.CN ?? '-'
    socket.write(`${name} ${socket.servername || '-'} ${subject}\n`)
    socket.pipe(socket)
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    name,
    port,
    node: `127.0.0.1:${port}`,
    count: () => count,
    stop: async () => {
      for (const socket of open) socket.destroy()
      server.close()
    },
  }
}
