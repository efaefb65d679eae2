/** A connection of Node's own whose bytes a test writes and reads as they are. */
import net from 'node:net'
import { until } from './until.ts'

export class RawClient {
  readonly socket: net.Socket
  /** What came, as latin1, unless `counts`. */
  text = ''
  received = 0
  /** Count only: for bodies that nobody wants to keep. */
  counts = false
  ended = false
  closed = false
  error: NodeJS.ErrnoException | undefined = undefined

  private constructor(socket: net.Socket) {
    this.socket = socket
    socket.on('data', (bytes) => {
      this.received += bytes.length
      if (!this.counts) this.text += bytes.toString('latin1')
    })
    socket.on('end', () => {
      this.ended = true
    })
    socket.on('error', (error) => {
      this.error = error
    })
    socket.on('close', () => {
      this.closed = true
    })
  }

  static connect(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new RawClient(socket))
      })
    })
  }

  /** Resolves when the system took it all, or when the connection is gone. */
  send(text: string | Uint8Array): Promise<void> {
    const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text
    return new Promise((resolve) => {
      const done = (): void => {
        this.socket.off('close', done)
        resolve()
      }
      this.socket.once('close', done)
      this.socket.write(bytes, done)
    })
  }

  /** Waits until what came satisfies `condition`. */
  async heard(condition: (text: string) => boolean, what: string): Promise<string> {
    await until(() => condition(this.text), { what: `${what}, after ${JSON.stringify(this.text.slice(-200))}` })
    return this.text
  }

  /** Waits for exactly this text, and forgets it. */
  async expect(text: string): Promise<void> {
    await until(() => this.text.length >= text.length || this.closed, { what: JSON.stringify(text.slice(0, 200)) })
    if (this.text !== text) throw new Error(`expected ${JSON.stringify(text)}, got ${JSON.stringify(this.text)}`)
    this.text = ''
  }

  /** Waits for the peer's end. */
  async end(): Promise<void> {
    await until(() => this.ended || this.closed, { what: 'the end of the connection' })
  }

  close(): void {
    this.socket.destroy()
  }
}
