/**
 * `sync_interval`: requests are let through by what is known here, and Redis is told every so often what that was. In between,
 * gateways may let through more together than the limit; in exchange no request waits for Redis once a key is known.
 */
import { after, type Build, type SharedWindows, type Taken, type Timer } from '#sdk'
import type { RedisCounter } from './redis-counter.ts'

/** Keys that one configuration of one worker has to tell of at once; what is more is told at once. */
const maxPending = 10_000

interface Pending {
  readonly limit: number
  readonly windowMs: number
}

/** Of a key, over all workers. first: what Redis had left, second: spent since, third: when its window ends; all in ms of the table's clock. */
export class SyncedCounter {
  readonly #remote: RedisCounter
  readonly #windows: SharedWindows
  readonly #syncMs: number
  readonly #log: Build['log']
  readonly #pending = new Map<string, Pending>()
  #timer: Timer | undefined

  constructor(remote: RedisCounter, windows: SharedWindows, syncMs: number, log: Build['log']) {
    this.#remote = remote
    this.#windows = windows
    this.#syncMs = syncMs
    this.#log = log
  }

  /** At once for a key whose window is known. Rejects when Redis is asked and does not answer. */
  take(key: string, cost: number, limit: number, windowMs: number): Taken | Promise<Taken> {
    const taken = this.#takeHere(key, cost)
    if (taken === undefined) return this.#ask(key, cost, limit, windowMs)
    if (taken.allowed) this.#later(key, { limit, windowMs })
    return taken
  }

  close(): void {
    this.#timer?.cancel()
    this.#tell()
  }

  #takeHere(key: string, cost: number): Taken | undefined {
    return this.#windows.change(key, (state) => {
      if (state.fresh || state.third <= state.nowMs) return undefined
      const left = state.first - state.second
      const allowed = left >= cost
      if (allowed) state.second += cost
      const remaining = Math.max(0, allowed ? left - cost : left)
      return { allowed, remaining, resetMs: state.third - state.nowMs }
    })
  }

  async #ask(key: string, cost: number, limit: number, windowMs: number): Promise<Taken> {
    const taken = await this.#remote.take(key, cost, limit, windowMs)
    this.#learn(key, taken)
    return taken
  }

  #learn(key: string, { remaining, resetMs }: Taken): void {
    this.#windows.change(key, (state) => {
      state.first = remaining
      state.third = state.nowMs + resetMs
      state.keepMs = Math.max(1, resetMs)
    })
  }

  #later(key: string, pending: Pending): void {
    if (this.#pending.size >= maxPending) this.#tell()
    this.#pending.set(key, pending)
    this.#timer ??= after(this.#syncMs, () => this.#tell())
  }

  #tell(): void {
    this.#timer = undefined
    const keys = [...this.#pending]
    this.#pending.clear()
    for (const [key, pending] of keys) this.#tellOf(key, pending).catch(() => {})
  }

  async #tellOf(key: string, { limit, windowMs }: Pending): Promise<void> {
    const spent = this.#move(key, 0)
    if (spent === 0) return
    try {
      this.#learn(key, await this.#remote.report(key, spent, limit, windowMs))
    } catch (error) {
      this.#move(key, spent)
      this.#log.error({ error }, 'Redis could not be told what a limit has let through')
    }
  }

  /** Takes out what has been spent since, to be told; `back` puts it in again. What is left here stays the same. */
  #move(key: string, back: number): number {
    return (
      this.#windows.change(key, (state) => {
        if (state.fresh) return 0
        const spent = back === 0 ? state.second : 0
        state.first += back - spent
        state.second += back - spent
        return spent
      }) ?? 0
    )
  }
}
