/**
 * Connections to one endpoint that wait for the next request: last in, first out, so that the surplus of a busy hour ages
 * and is closed. It dials nothing; who needs a connection and finds none makes one.
 */
import { monotonic } from '../base/clock.ts'
import type { Timer, TimerOwner, TimerWheel } from '../base/timers.ts'
import type { HttpClient } from '../protocol/http-protocol.ts'

export interface PoolLimits {
  /** Idle connections kept; those above it are closed. */
  readonly size: number
  /** An idle connection is closed after so long, ms; 0: never. */
  readonly idleMs: number
  /** Requests on one connection. */
  readonly requests: number
}

export class HttpPool implements TimerOwner {
  readonly #wheel: TimerWheel
  /** Longest idle first; since when each of them is. */
  readonly #idle: HttpClient[] = []
  readonly #since: number[] = []
  readonly #put: (client: HttpClient) => void
  readonly #drop: (client: HttpClient) => void
  #limits: PoolLimits
  #timer: Timer | undefined
  #retired = false

  constructor(limits: PoolLimits, wheel: TimerWheel) {
    this.#limits = limits
    this.#wheel = wheel
    this.#put = (client) => this.#keep(client)
    this.#drop = (client) => this.#forget(client)
  }

  /** Connections that wait now. */
  get size(): number {
    return this.#idle.length
  }

  /** The connection that became idle last; undefined: there is none. */
  take(): HttpClient | undefined {
    for (let client = this.#idle.pop(); client !== undefined; client = this.#idle.pop()) {
      this.#since.pop()
      if (!client.closed) return client
    }
    return undefined
  }

  /** A new connection that will come here whenever it has nothing to do. */
  adopt(client: HttpClient): void {
    client.idle = this.#put
    client.ended = this.#drop
  }

  configure(limits: PoolLimits): void {
    this.#limits = limits
  }

  /** Closes what is idle now, and what comes back later. */
  retire(): void {
    this.#retired = true
    this.#timer?.cancel()
    this.#timer = undefined
    for (const client of this.#removed(0, this.#idle.length)) client.close()
  }

  expired(): void {
    this.#timer = undefined
    const { idleMs } = this.#limits
    const before = monotonic.now() - idleMs
    let old = 0
    while (old < this.#since.length && (this.#since[old] as number) <= before) old++
    for (const client of this.#removed(0, old)) client.close()
    const oldest = this.#since[0]
    if (oldest !== undefined) this.#timer = this.#wheel.start(Math.max(0, oldest - before), this)
  }

  #keep(client: HttpClient): void {
    const { size, idleMs, requests } = this.#limits
    if (this.#retired || client.served >= requests || this.#idle.length >= size) return client.close()
    this.#idle.push(client)
    this.#since.push(idleMs > 0 ? monotonic.now() : 0)
    if (idleMs > 0) this.#timer ??= this.#wheel.start(idleMs, this)
  }

  #forget(client: HttpClient): void {
    const at = this.#idle.indexOf(client)
    if (at >= 0) this.#removed(at, 1)
  }

  #removed(from: number, count: number): readonly HttpClient[] {
    this.#since.splice(from, count)
    return this.#idle.splice(from, count)
  }
}
