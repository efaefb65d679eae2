/** HTTP by hand on one connection: tests send exactly the bytes they mean and read exactly what came. */
import { once } from 'node:events'
import net from 'node:net'
import { until } from './until.ts'

export interface RawAnswer {
  readonly status: number
  /** The status line and all fields, without the empty line. */
  readonly head: string
  /** Names in lower case; repeated ones joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  /** Chunked coding is undone. */
  readonly body: Buffer
}

export class HttpClient implements Disposable {
  readonly socket: net.Socket
  ended = false
  #bytes: Buffer = Buffer.alloc(0)

  private constructor(socket: net.Socket) {
    this.socket = socket
    socket.on('data', (part: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, part])
    })
    socket.on('end', () => {
      this.ended = true
    })
    socket.on('error', () => {
      this.ended = true
    })
    socket.on('close', () => {
      this.ended = true
    })
  }

  static async connect(port: number): Promise<HttpClient> {
    const socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true })
    const client = new HttpClient(socket)
    await once(socket, 'connect')
    return client
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** What has come and was not read. */
  get pending(): string {
    return this.#bytes.toString('latin1')
  }

  /** The next answer, whole. `head`: it is one to HEAD, without a body. */
  async answer({ head = false, ms = 5000 } = {}): Promise<RawAnswer> {
    let answer: RawAnswer | undefined
    await until(
      () => {
        const parsed = parseAnswer(this.#bytes, this.ended, head)
        if (parsed === undefined) {
          if (this.ended) throw new Error(`the connection ended with ${JSON.stringify(this.pending)}`)
          return false
        }
        answer = parsed.answer
        this.#bytes = this.#bytes.subarray(parsed.size)
        return true
      },
      { ms, what: 'an answer' },
    )
    return answer as RawAnswer
  }

  /** Everything until the peer ends the connection. */
  async rest(ms = 5000): Promise<string> {
    await until(() => this.ended, { ms, what: 'the end of the connection' })
    const text = this.pending
    this.#bytes = Buffer.alloc(0)
    return text
  }

  close(): void {
    this.socket.destroy()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

function parseAnswer(bytes: Buffer, ended: boolean, isHead: boolean): { answer: RawAnswer; size: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = bytes.toString('latin1', 0, end)
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1])
  if (Number.isNaN(status)) throw new Error(`no answer: ${JSON.stringify(head.slice(0, 200))}`)
  const headers: Record<string, string> = {}
  for (const line of head.split('\r\n').slice(1)) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value
  }
  const from = end + 4
  const done = (body: Buffer, size: number) => ({ answer: { status, head, headers, body }, size })
  if (isHead || status < 200 || status === 204 || status === 304) return done(Buffer.alloc(0), from)
  if (headers['transfer-encoding'] === 'chunked') return chunks(bytes, from, done)
  const length = headers['content-length']
  if (length === undefined) return ended ? done(bytes.subarray(from), bytes.length) : undefined
  const to = from + Number(length)
  return bytes.length < to ? undefined : done(bytes.subarray(from, to), to)
}

function chunks<T>(bytes: Buffer, from: number, done: (body: Buffer, size: number) => T): T | undefined {
  const parts: Buffer[] = []
  let at = from
  for (;;) {
    const line = bytes.indexOf('\r\n', at)
    if (line < 0) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16)
    if (Number.isNaN(size)) throw new Error(`no chunk: ${bytes.toString('latin1', at, line)}`)
    if (size === 0) {
      const end = bytes.indexOf('\r\n\r\n', line)
      return end < 0 ? undefined : done(Buffer.concat(parts), end + 4)
    }
    if (bytes.length < line + 2 + size + 2) return undefined
    parts.push(bytes.subarray(line + 2, line + 2 + size))
    at = line + 2 + size + 2
  }
}
