/** Real ClientHellos, caught on a socket from whatever client is told to connect. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/** The first bytes that a client sends before it hears anything: all that one flight of TLS consists of. */
export async function captureHello(connect: (port: number) => Promise<unknown> | unknown): Promise<Buffer> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  const client = connect((server.address() as AddressInfo).port)
  const [socket] = await accepted
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of socket) {
    chunks.push(chunk)
    length += chunk.length
    // The records of a flight: headers of five bytes, then what they announce.
    const bytes = Buffer.concat(chunks)
    let at = 0
    while (at + 5 <= length && at + 5 + bytes.readUInt16BE(at + 3) <= length) at += 5 + bytes.readUInt16BE(at + 3)
    if (at === length) break
  }
  socket.destroy()
  server.close()
  await client
  return Buffer.concat(chunks)
}

/** The same handshake bytes cut into records of `size` bytes. */
export function inRecords(hello: Uint8Array, size: number): Buffer {
  const payload: Uint8Array[] = []
  const view = Buffer.from(hello)
  for (let at = 0; at < view.length; at += 5 + view.readUInt16BE(at + 3)) {
    payload.push(view.subarray(at + 5, at + 5 + view.readUInt16BE(at + 3)))
  }
  const message = Buffer.concat(payload)
  const records: Buffer[] = []
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size)
    records.push(Buffer.from([0x16, 3, 1, part.length >> 8, part.length & 0xff]), part)
  }
  return Buffer.concat(records)
}
