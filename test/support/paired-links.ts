/** Two ends of a connection in memory. Nothing moves before the test says so, and then in pieces of any size. */
import { GatewayError } from '../../src/errors.ts'
import type { Link, Receiver, TlsInfo } from '../../src/net/link.ts'
import type { Dice } from './dice.ts'

export class PairedLink implements Link {
  readonly carrier = 'stream'
  readonly remoteAddress = '127.0.0.1'
  readonly remotePort = 50_000
  readonly localAddress = '127.0.0.1'
  readonly localPort = 9080
  readonly tls: TlsInfo | undefined = undefined
  bytesRead = 0
  bytesWritten = 0
  peer: PairedLink | undefined = undefined
  isReset = false
  readonly #highWater: number
  #receiver: Receiver | undefined = undefined
  #out: Buffer = Buffer.alloc(0)
  #paused = false
  #owesDrained = false
  #ending = false
  #endSent = false
  #endHeard = false
  #closing = false
  #gone = false
  #error: GatewayError | undefined = undefined

  constructor(highWater: number) {
    this.#highWater = highWater
  }

  get pending(): number {
    return this.#out.length
  }
  get closed(): boolean {
    return this.#closing || this.#gone
  }
  open(receiver: Receiver): void {
    this.#receiver = receiver
  }
  pause(): void {
    this.#paused = true
  }
  resume(): void {
    this.#paused = false
  }
  send(bytes: Uint8Array): boolean {
    if (this.#ending || this.#closing || this.#gone) return true
    this.bytesWritten += bytes.length
    this.#out = Buffer.concat([this.#out, bytes])
    if (this.#out.length <= this.#highWater) return true
    this.#owesDrained = true
    return false
  }
  forward(bytes: Uint8Array): boolean {
    return this.send(bytes)
  }
  sendText(text: string, body?: Uint8Array): boolean {
    const head = Buffer.from(text, 'latin1')
    return this.send(body === undefined ? head : Buffer.concat([head, body]))
  }
  end(): void {
    this.#ending = true
  }
  close(): void {
    this.#closing = true
    this.#ending = true
  }
  reset(): void {
    this.isReset = true
    this.#out = Buffer.alloc(0)
    this.#leave(undefined)
    this.peer?.breaks()
  }

  /** For the peer: it was reset. */
  breaks(): void {
    this.#error = new GatewayError('upstream_reset', 'reset')
    this.#leave(this.#error)
  }

  /** Does one thing that is due at this end. False: nothing is. */
  step(dice: Dice): boolean {
    const peer = this.peer
    if (this.#gone || peer === undefined) return false
    if (this.#out.length > 0) {
      if (peer.#gone) {
        this.#leave(new GatewayError('upstream_reset', 'nobody is there'))
        return true
      }
      if (!peer.#takes()) return false
      const size = Math.min(this.#out.length, dice.roll(3) === 0 ? 1 + dice.roll(20) : 1 + dice.roll(20_000))
      const piece = Buffer.from(this.#out.subarray(0, size))
      this.#out = this.#out.subarray(size)
      peer.#hear(piece)
      if (this.#out.length === 0 && this.#owesDrained && !this.closed) {
        this.#owesDrained = false
        this.#receiver?.drained(this)
      }
      return true
    }
    if (this.#ending && !this.#endSent && !peer.#gone) {
      if (!peer.#takes()) return false
      this.#endSent = true
      peer.#endHeard = true
      if (!peer.#closing) peer.#receiver?.ended(peer)
      return true
    }
    if (this.#closing || (this.#endSent && this.#endHeard)) {
      this.#leave(undefined)
      return true
    }
    return false
  }

  #takes(): boolean {
    return this.#closing || (!this.#paused && this.#receiver !== undefined)
  }

  #hear(piece: Buffer): void {
    if (this.#closing) return
    this.bytesRead += piece.length
    this.#receiver?.bytes(this, piece)
    piece.fill(0xdb)
  }

  #leave(error: GatewayError | undefined): void {
    if (this.#gone) return
    this.#gone = true
    queueMicrotask(() => this.#receiver?.closed(this, error))
  }
}

/** `highWater`: more than this unsent, and a send answers false. */
export function pairedLinks(highWater: number): [PairedLink, PairedLink] {
  const [one, two] = [new PairedLink(highWater), new PairedLink(highWater)]
  one.peer = two
  two.peer = one
  return [one, two]
}
