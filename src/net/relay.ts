/**
 * A relay: two links joined until both directions have ended. Bytes pass through unread and uncopied. It picks no
 * upstream and keeps no statistics beyond its own two sums.
 */
import type { Timer, TimerWheel } from '../base/timers.ts'
import { GatewayError } from '../errors.ts'
import type { Link, Receiver } from './link.ts'

export interface RelayOptions {
  /** Ends the session when no byte moved in either direction for so long; 0: never. Datagram sessions end so as well. */
  readonly idleMs: number
  /** Ends the session when one side takes nothing for so long although something waits for it; 0: `idleMs` alone decides. */
  readonly sendMs?: number
  readonly wheel: TimerWheel
  /** Bytes already read from downstream: they go upstream first. Given away by the caller. */
  readonly head?: Uint8Array
  /** How long one direction may go on alone, moving bytes or not, after the other one has ended; 0: until it ends or idles out. */
  readonly lingerMs: number
}

export interface RelayOutcome {
  /** `ended`: both directions in order. `downstream`, `upstream`: that side broke off, see `error`. */
  readonly reason: 'ended' | 'idle' | 'downstream' | 'upstream'
  readonly error: GatewayError | undefined
  /** Payload bytes from downstream to upstream, `head` included, and back. */
  readonly bytesUp: number
  readonly bytesDown: number
}

/**
 * Joins two links that no one else receives from any more. `done` comes exactly once, when both links are closed.
 * The returned function ends the session from outside: both links are closed, and `done` tells `ended`.
 */
export function relay(
  downstream: Link,
  upstream: Link,
  options: RelayOptions,
  done: (outcome: RelayOutcome) => void,
): () => void {
  const session = new Relay(downstream, upstream, options, done)
  return () => session.close()
}

class Relay implements Receiver {
  readonly #downstream: Link
  readonly #upstream: Link
  readonly #wheel: TimerWheel
  readonly #lingerMs: number
  readonly #sendMs: number
  readonly #done: (outcome: RelayOutcome) => void
  readonly #readBefore: number
  readonly #writtenBefore: number
  #idle: Timer | undefined
  #linger: Timer | undefined
  /** Running while that side is full. */
  #downstreamFull: Timer | undefined
  #upstreamFull: Timer | undefined
  #open: number
  #ends: number
  #reason: RelayOutcome['reason']
  #error: GatewayError | undefined

  constructor(downstream: Link, upstream: Link, options: RelayOptions, done: (outcome: RelayOutcome) => void) {
    this.#downstream = downstream
    this.#upstream = upstream
    this.#wheel = options.wheel
    this.#lingerMs = options.lingerMs
    this.#sendMs = options.sendMs ?? 0
    this.#done = done
    this.#readBefore = upstream.bytesRead
    this.#writtenBefore = upstream.bytesWritten
    this.#idle = options.idleMs > 0 ? options.wheel.start(options.idleMs, this) : undefined
    this.#linger = undefined
    this.#downstreamFull = undefined
    this.#upstreamFull = undefined
    this.#open = 2
    this.#ends = 0
    this.#reason = 'ended'
    this.#error = undefined
    upstream.open(this)
    const head = options.head
    const hasHead = head !== undefined && (head.length > 0 || upstream.carrier === 'datagram')
    const full = hasHead && !upstream.send(head) && downstream.carrier === 'stream'
    // Whoever read the head may have left the link paused.
    if (full) this.#hold(downstream)
    else downstream.resume()
    downstream.open(this)
  }

  bytes(link: Link, bytes: Uint8Array): void {
    this.#idle?.refresh()
    const other = link === this.#downstream ? this.#upstream : this.#downstream
    // A datagram that finds no room is dropped by its link: to wait would only make the later ones late too.
    if (!other.forward(bytes) && link.carrier === 'stream') this.#hold(link)
  }

  drained(link: Link): void {
    this.#idle?.refresh()
    if (link === this.#downstream) {
      this.#downstreamFull?.cancel()
      this.#downstreamFull = undefined
      this.#upstream.resume()
    } else {
      this.#upstreamFull?.cancel()
      this.#upstreamFull = undefined
      this.#downstream.resume()
    }
  }

  /** The side opposite to `link` is full: nothing more is read until it has drained. */
  #hold(link: Link): void {
    link.pause()
    if (this.#sendMs === 0) return
    if (link === this.#downstream) this.#upstreamFull ??= this.#wheel.start(this.#sendMs, this)
    else this.#downstreamFull ??= this.#wheel.start(this.#sendMs, this)
  }

  ended(link: Link): void {
    this.#ends += 1
    const other = link === this.#downstream ? this.#upstream : this.#downstream
    other.end()
    if (this.#ends === 1 && this.#lingerMs > 0 && this.#open === 2) {
      this.#linger = this.#wheel.start(this.#lingerMs, this)
    }
  }

  closed(link: Link, error: GatewayError | undefined): void {
    this.#open -= 1
    const isDownstream = link === this.#downstream
    if (this.#open === 1) {
      this.#blame(isDownstream, error)
      if (isDownstream) this.#upstream.close()
      // Part of an answer is out: an end in order would let the client take it for the whole.
      else if (error !== undefined && this.#upstream.bytesRead > this.#readBefore) this.#downstream.reset()
      else this.#downstream.close()
      return
    }
    this.#blame(isDownstream, error)
    this.#idle?.cancel()
    this.#linger?.cancel()
    this.#downstreamFull?.cancel()
    this.#upstreamFull?.cancel()
    this.#done({
      reason: this.#reason,
      error: this.#error,
      bytesUp: this.#upstream.bytesWritten - this.#writtenBefore,
      bytesDown: this.#upstream.bytesRead - this.#readBefore,
    })
  }

  /** For the wheel: idle for too long, full for too long, or one direction alone for too long. */
  expired(timer: Timer): void {
    if (timer === this.#idle) {
      this.#blame(false, new GatewayError('idle_timeout'))
    } else if (timer === this.#downstreamFull) {
      this.#blame(true, new GatewayError('client_timeout', 'the client takes nothing any more'))
      this.#downstream.reset()
    } else if (timer === this.#upstreamFull) {
      this.#blame(false, new GatewayError('upstream_timeout', 'the node takes nothing any more'))
      this.#upstream.reset()
    }
    this.close()
  }

  close(): void {
    this.#downstream.close()
    this.#upstream.close()
  }

  #blame(isDownstream: boolean, error: GatewayError | undefined): void {
    // The first thing that went wrong is the cause; what follows from it is not.
    if (error === undefined || this.#reason !== 'ended') return
    if (error.code === 'idle_timeout') this.#reason = 'idle'
    else this.#reason = isDownstream ? 'downstream' : 'upstream'
    this.#error = error
  }
}
