/**
 * Much data both ways at once over one byte stream, with a SHA-256 at each end: pseudo-random, so that a byte lost, doubled or
 * swapped is seen; made and checked block by block, so that memory stays flat.
 */
import { createCipheriv, createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'

const blockBytes = 65536
const headerBytes = 16
const digestBytes = 32
const zeros = Buffer.alloc(blockBytes)

export interface BulkServer {
  readonly port: number
  /** Transfers that ended with everything received. */
  readonly finished: number
  stop(): Promise<void>
}

export interface BulkResult {
  readonly bytes: number
  readonly seconds: number
  /** How much the resident memory of this process (client and server, if both are here) grew at most, in bytes. */
  readonly memoryGrowth: number
}

/** Answers any number of clients of `bulkBothWays`; with TLS when given its options. */
export async function serveBulk(tls?: TlsOptions): Promise<BulkServer> {
  let finished = 0
  const sockets = new Set<Socket>()
  const serve = (socket: Socket): void => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    void answer(socket).then(
      () => {
        finished += 1
      },
      () => socket.destroy(),
    )
  }
  const server: Server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as { port: number }).port,
    get finished() {
      return finished
    },
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise((done) => server.close(done))
    },
  }
}

/** Sends `bytes` over a connected stream while it receives as many; rejects unless both ends saw exactly what the other sent. */
export async function bulkBothWays(stream: Duplex, bytes: number, seed = 1): Promise<BulkResult> {
  const started = performance.now()
  const memory = watchMemory()
  const header = Buffer.alloc(headerBytes)
  header.writeUInt32BE(seed, 0)
  header.writeBigUInt64BE(BigInt(bytes), 8)
  stream.write(header)
  const input = new Input(stream)
  try {
    const [sent, received] = await Promise.all([send(stream, bytes, seed), input.hash(bytes)])
    const arrivedThere = await input.take(digestBytes)
    const sentThere = await input.take(digestBytes)
    if (!arrivedThere.equals(sent)) throw new Error(`the ${bytes} bytes sent arrived changed`)
    if (!sentThere.equals(received)) throw new Error(`the ${bytes} bytes received are not those that were sent`)
    return { bytes, seconds: (performance.now() - started) / 1000, memoryGrowth: memory.growth() }
  } finally {
    memory.stop()
    stream.destroy()
  }
}

async function answer(stream: Duplex): Promise<void> {
  const input = new Input(stream)
  const header = await input.take(headerBytes)
  const bytes = Number(header.readBigUInt64BE(8))
  const [sent, received] = await Promise.all([send(stream, bytes, header.readUInt32BE(0) + 1), input.hash(bytes)])
  stream.end(Buffer.concat([received, sent]))
}

/** The digest of what was sent: a keystream of AES in counter mode, which costs less than the hash. */
async function send(stream: Duplex, bytes: number, seed: number): Promise<Buffer> {
  const key = Buffer.alloc(16)
  key.writeUInt32BE(seed, 0)
  const noise = createCipheriv('aes-128-ctr', key, Buffer.alloc(16))
  const hash = createHash('sha256')
  for (let left = bytes; left > 0; left -= blockBytes) {
    const block = noise.update(left < blockBytes ? zeros.subarray(0, left) : zeros)
    hash.update(block)
    if (!stream.write(block)) await settled(stream, 'drain')
  }
  return hash.digest()
}

/** Resolves at the event; rejects when the stream closes first. */
function settled(stream: Duplex, event: 'drain' | 'readable'): Promise<void> {
  return new Promise((done, fail) => {
    const happened = (): void => {
      stream.off('close', closed)
      done()
    }
    const closed = (): void => {
      stream.off(event, happened)
      fail(new Error(`the connection was closed before ${event}`, { cause: stream.errored ?? undefined }))
    }
    if (stream.destroyed) return closed()
    stream.once(event, happened)
    stream.once('close', closed)
  })
}

/** Reads by demand: what is not asked for stays in the kernel. */
class Input {
  readonly #stream: Duplex
  #rest: Buffer

  constructor(stream: Duplex) {
    this.#stream = stream
    this.#rest = Buffer.alloc(0)
    // Without a listener a late error would end the process; `settled` reports the close.
    stream.on('error', () => {})
  }

  async take(bytes: number): Promise<Buffer> {
    const parts: Buffer[] = []
    for (let left = bytes; left > 0; ) {
      const part = await this.#some(left)
      parts.push(part)
      left -= part.length
    }
    return Buffer.concat(parts)
  }

  async hash(bytes: number): Promise<Buffer> {
    const hash = createHash('sha256')
    for (let left = bytes; left > 0; ) {
      const part = await this.#some(left)
      hash.update(part)
      left -= part.length
    }
    return hash.digest()
  }

  async #some(most: number): Promise<Buffer> {
    while (this.#rest.length === 0) {
      const chunk = this.#stream.read() as Buffer | null
      if (chunk !== null) this.#rest = chunk
      else if (this.#stream.readableEnded) throw new Error('the other end stopped in the middle')
      else await settled(this.#stream, 'readable')
    }
    const part = this.#rest.subarray(0, most)
    this.#rest = this.#rest.subarray(part.length)
    return part
  }
}

function watchMemory(): { growth(): number; stop(): void } {
  const before = process.memoryUsage.rss()
  let most = before
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss())
  }, 50)
  return { growth: () => Math.max(most, process.memoryUsage.rss()) - before, stop: () => clearInterval(timer) }
}
