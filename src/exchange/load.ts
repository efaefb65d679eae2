/**
 * What an endpoint has to carry: exchanges in flight, over all workers where a shared counter is given, and the moving
 * average of its latency, which each worker learns for itself.
 */
import { type Clock, monotonic } from '../base/clock.ts'
import type { SharedCounter } from '../base/shared-counters.ts'
import type { Load } from './endpoint.ts'

/** APISIX's constants: a sample's weight falls to 1/e in ten seconds, and after a minute of silence nothing is known. */
const decayMs = 10_000
const expiryMs = 60_000

/** A load whose endpoint may go away while exchanges are still on it. */
export interface OwnedLoad extends Load {
  /** The endpoint is gone: the counter is let go once the last exchange of this worker has ended. */
  retire(): void
}

/** `counter` undefined: this worker's exchanges only. The load owns the counter. */
export function createLoad(counter: SharedCounter | undefined, clock: Clock = monotonic): OwnedLoad {
  return new EndpointLoad(counter, clock)
}

class EndpointLoad implements OwnedLoad {
  #counter: SharedCounter | undefined
  readonly #clock: Clock
  #own: number
  #averageMs: number
  #learntAt: number
  #retired: boolean

  constructor(counter: SharedCounter | undefined, clock: Clock) {
    this.#counter = counter
    this.#clock = clock
    this.#own = 0
    this.#averageMs = 0
    this.#learntAt = Number.NEGATIVE_INFINITY
    this.#retired = false
  }

  get inFlight(): number {
    return this.#counter === undefined ? this.#own : this.#counter.value
  }

  get latencyMs(): number {
    if (this.#averageMs === 0) return 0
    const silentMs = this.#clock.now() - this.#learntAt
    return silentMs > expiryMs ? 0 : this.#averageMs * Math.exp(-silentMs / decayMs)
  }

  begin(): void {
    this.#own += 1
    this.#counter?.change(1)
  }

  end(elapsedMs?: number): void {
    // An end without its begin must not make the endpoint look less than idle.
    if (this.#own > 0) {
      this.#own -= 1
      this.#counter?.change(-1)
    }
    this.#releaseWhenDone()
    if (elapsedMs !== undefined) this.#learn(elapsedMs)
  }

  retire(): void {
    this.#retired = true
    this.#releaseWhenDone()
  }

  #releaseWhenDone(): void {
    if (!this.#retired || this.#own > 0) return
    this.#counter?.release()
    this.#counter = undefined
  }

  /** The longer nothing was heard, the more a sample counts; the first one counts in full. */
  #learn(elapsedMs: number): void {
    const now = this.#clock.now()
    const silentMs = now - this.#learntAt
    const kept = silentMs > expiryMs ? 0 : Math.exp(-silentMs / decayMs)
    this.#averageMs = this.#averageMs * kept + elapsedMs * (1 - kept)
    this.#learntAt = now
  }
}
