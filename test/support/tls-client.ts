/** A client of node:tls with promises, for tests of what terminates TLS. */
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'

/** Resolves when the handshake is done; rejects with the error that ended it. */
export function tlsConnect(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('closed before the handshake was done')))
    socket.once('secureConnect', () => {
      socket.off('error', reject)
      // A reset that comes later is for the test to notice, not to die of.
      socket.on('error', () => {})
      resolve(socket)
    })
  })
}

/** Everything that comes until the peer ends; rejects when the connection breaks. The socket is left as it is. */
export function readAll(socket: TLSSocket): Promise<Buffer> {
  const chunks: Buffer[] = []
  return new Promise((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => void chunks.push(chunk))
    socket.once('end', () => resolve(Buffer.concat(chunks)))
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('closed before the end')))
  })
}

/** The next bytes; rejects with why there are none. */
export function nextBytes(socket: TLSSocket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const done = (): void => void socket.off('data', got).off('end', ended).off('close', ended).off('error', failed)
    const got = (chunk: Buffer): void => {
      done()
      socket.pause()
      resolve(chunk)
    }
    const ended = (): void => {
      done()
      reject(new Error('ended'))
    }
    const failed = (error: Error): void => {
      done()
      reject(error)
    }
    socket.on('data', got).on('end', ended).on('close', ended).on('error', failed)
    socket.resume()
  })
}

/** The session of a connection, as OpenSSL serialises it: without the note of Node for which name it was verified. */
export function rawSession(session: Buffer): Buffer {
  const prefix = Buffer.from('\0nodejs:tls:session:1\0')
  if (!session.subarray(0, prefix.length).equals(prefix)) return session
  return session.subarray(prefix.length + 2 + session.readUInt16BE(prefix.length))
}
