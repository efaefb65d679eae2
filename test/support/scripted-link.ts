/** A link in memory whose other end is the test: what is sent is kept write by write, what arrives is lent and then spoilt. */
import type { GatewayError } from '../../src/errors.ts'
import type { Link, Receiver, TlsInfo } from '../../src/net/link.ts'

export class ScriptedLink implements Link {
  readonly carrier = 'stream'
  readonly remoteAddress = '127.0.0.1'
  readonly remotePort = 50_000
  readonly localAddress = '127.0.0.1'
  readonly localPort = 9080
  readonly tls: TlsInfo | undefined = undefined
  /** One text for each write, as latin1. */
  readonly writes: string[] = []
  receiver: Receiver | undefined = undefined
  bytesRead = 0
  bytesWritten = 0
  /** Sends answer false from now on, until `drain`. */
  full = false
  pending = 0
  paused = false
  hasEnded = false
  closed = false
  isReset = false
  /** It was closed while it did not read: what still comes is waited for. */
  lingered = false
  #owesDrained = false

  /** All that was written so far, as one text. */
  get sent(): string {
    return this.writes.join('')
  }

  /** What was written since the last call. */
  taken(): string {
    return this.writes.splice(0).join('')
  }

  open(receiver: Receiver): void {
    this.receiver = receiver
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  send(bytes: Uint8Array): boolean {
    return this.#write(Buffer.from(bytes).toString('latin1'))
  }

  forward(bytes: Uint8Array): boolean {
    return this.send(bytes)
  }

  sendText(text: string, body?: Uint8Array): boolean {
    return this.#write(text + (body === undefined ? '' : Buffer.from(body).toString('latin1')))
  }

  end(): void {
    this.hasEnded = true
  }

  close(): void {
    if (!this.closed) this.lingered = this.paused
    this.closed = true
  }

  reset(): void {
    this.closed = true
    this.isReset = true
  }

  /** Bytes arrive. They are spoilt when the receiver returns, as a wire's would be. */
  arrive(bytes: string | Uint8Array): void {
    if (this.closed) return
    const lent = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes)
    this.bytesRead += lent.length
    this.receiver?.bytes(this, lent)
    lent.fill(0xdb)
  }

  /** The peer takes what it was sent. */
  drain(): void {
    this.full = false
    this.pending = 0
    if (!this.#owesDrained || this.closed) return
    this.#owesDrained = false
    this.receiver?.drained(this)
  }

  /** The peer sends nothing any more. */
  peerEnds(): void {
    if (!this.closed) this.receiver?.ended(this)
  }

  /** The connection is gone. */
  breaks(error?: GatewayError): void {
    this.closed = true
    this.receiver?.closed(this, error)
  }

  #write(text: string): boolean {
    if (this.closed) return true
    this.writes.push(text)
    this.bytesWritten += text.length
    if (!this.full) return true
    this.pending += text.length
    this.#owesDrained = true
    return false
  }
}
