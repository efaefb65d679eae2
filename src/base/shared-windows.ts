/**
 * Limits that hold over all workers to the last request: windows of time in which so much may be taken, and small states
 * by key for what is no window. All of one gateway share one bounded table; how it is kept: `shared-cells.ts`.
 */
import type { Clock } from './clock.ts'
import { type CellMemory, SharedCells } from './shared-cells.ts'
import { hashText } from './text-hash.ts'

/** What came of a try to take. Borrowed: the next call of the same thread overwrites it. */
export interface Taken {
  readonly allowed: boolean
  /** What may still be taken now; never below 0. */
  readonly remaining: number
  /** Until more can be had: the end of the window, or sooner where it slides. */
  readonly resetMs: number
}

/** Three numbers of a key. All 0 and `fresh` when there were none, or they were forgotten. */
export interface SharedState {
  readonly fresh: boolean
  /** The time that all workers agree on, in ms since some fixed point; never goes back. */
  readonly nowMs: number
  first: number
  second: number
  third: number
  /** How long from now it is remembered without another change; 0: it is forgotten. At first 0. */
  keepMs: number
}

/** Those of one limit: the same keys of another are other keys. Undefined always means that the table could not be used. */
export interface SharedWindows {
  /** A window begins with the first that is taken in it. Nothing is taken beyond `limit`. */
  takeFixed(key: string, cost: number, limit: number, windowMs: number): Taken | undefined
  /** Windows follow each other; what was taken in the one before counts by the part of it that the last `windowMs` still reach. */
  takeSliding(key: string, cost: number, limit: number, windowMs: number): Taken | undefined
  /** `change` runs while no other worker is in that state: it computes, and calls nothing of this interface. */
  change<T>(key: string, change: (state: SharedState) => T): T | undefined
  /** The same for a state that is remembered; undefined also where there is none. Changes are not kept. */
  look<T>(key: string, read: (state: SharedState) => T): T | undefined
}

export interface SharedWindowTable {
  /** `scope` names the limit. To be kept by whoever asks: opening costs more than taking. */
  open(scope: string): SharedWindows
}

export type { CellMemory } from './shared-cells.ts'

/** For the main thread: the memory to hand to every worker, for so many keys at once. */
export function createSharedWindows(keys: number): CellMemory {
  return SharedCells.allocate(keys)
}

/** For the main thread, when a worker is gone: opens the locks it died with. */
export function releaseWindows(memory: CellMemory, worker: number): void {
  new SharedCells(memory, worker).takeBack()
}

export interface AttachOptions {
  /** Must be one that all threads share. Default: the monotonic clock of the system. */
  readonly clock?: Clock
  /** The table is full: what ends soonest was forgotten for something else. */
  readonly displaced?: () => void
}

/** The table as one worker sees it. No two living threads may use the same index. */
export function attachSharedWindows(
  memory: CellMemory,
  worker: number,
  { clock = systemClock(), displaced }: AttachOptions = {},
): SharedWindowTable {
  const cells = new SharedCells(memory, worker)
  return { open: (scope) => new Windows(cells, scope, clock, displaced) }
}

/** `performance.now()` counts from the start of each thread; this from the start of the system. */
function systemClock(): Clock {
  const [seconds, nanoseconds] = process.hrtime()
  const offset = seconds * 1000 + nanoseconds / 1e6 - performance.now()
  return { now: () => performance.now() + offset }
}

class Windows implements SharedWindows {
  readonly #cells: SharedCells
  readonly #clock: Clock
  readonly #displaced: (() => void) | undefined
  readonly #high: number
  readonly #low: number
  readonly #taken = { allowed: false, remaining: 0, resetMs: 0 }
  readonly #state = { fresh: true, nowMs: 0, first: 0, second: 0, third: 0, keepMs: 0 }

  constructor(cells: SharedCells, scope: string, clock: Clock, displaced: (() => void) | undefined) {
    this.#cells = cells
    this.#clock = clock
    this.#displaced = displaced
    this.#high = hashText(scope, cells.highSeed)
    this.#low = hashText(scope, cells.lowSeed)
  }

  takeFixed(key: string, cost: number, limit: number, windowMs: number): Taken | undefined {
    const now = this.#clock.now()
    const cells = this.#cells
    if (!this.#enter(key, now, 0)) return undefined
    const { known } = cells
    const used = known ? cells.get(0) : 0
    const endsMs = known ? cells.endsMs : now + windowMs
    const allowed = used + cost <= limit
    if (allowed) {
      cells.set(0, used + cost)
      if (!known) cells.endsMs = endsMs
    }
    this.#leave()
    return this.#outcome(allowed, allowed ? limit - used - cost : Math.max(0, limit - used), endsMs - now)
  }

  takeSliding(key: string, cost: number, limit: number, windowMs: number): Taken | undefined {
    const now = this.#clock.now()
    const cells = this.#cells
    // Windows of another length have other numbers, so they are another state.
    if (!this.#enter(key, now, windowMs)) return undefined
    // Whoever waited for the lock may come with a time that is over.
    const index = Math.max(Math.floor(now / windowMs), cells.known ? cells.get(0) : 0)
    const leftMs = (index + 1) * windowMs - now
    const age = cells.known ? index - cells.get(0) : 2
    const used = age === 0 ? cells.get(1) : 0
    const before = age === 0 ? cells.get(2) : age === 1 ? cells.get(1) : 0
    // A limit that varies may be lower now than it was then.
    const rate = Math.min(before, limit) / windowMs
    const counted = rate * leftMs + used
    const allowed = used + cost <= limit && counted < limit
    if (allowed) {
      cells.endsMs = 0
      cells.set(0, index)
      cells.set(1, used + cost)
      cells.set(2, before)
      cells.endsMs = (index + 2) * windowMs
    }
    this.#leave()
    if (allowed) return this.#outcome(true, Math.max(0, Math.floor(limit - counted - cost)), leftMs)
    const full = used + cost > limit || rate === 0
    return this.#outcome(false, 0, full ? leftMs : Math.max(0, leftMs - (limit - used) / rate))
  }

  change<T>(key: string, change: (state: SharedState) => T): T | undefined {
    const now = this.#clock.now()
    const cells = this.#cells
    if (!this.#enter(key, now, 0)) return undefined
    const state = this.#read(now)
    try {
      const result = change(state)
      cells.endsMs = 0
      cells.set(0, state.first)
      cells.set(1, state.second)
      cells.set(2, state.third)
      cells.endsMs = state.keepMs > 0 ? now + state.keepMs : 0
      return result
    } finally {
      this.#leave()
    }
  }

  look<T>(key: string, read: (state: SharedState) => T): T | undefined {
    const now = this.#clock.now()
    if (!this.#enter(key, now, 0, false)) return undefined
    const state = this.#read(now)
    this.#leave()
    return state.fresh ? undefined : read(state)
  }

  #read(now: number): { -readonly [K in keyof SharedState]: SharedState[K] } {
    const cells = this.#cells
    const state = this.#state
    const { known } = cells
    state.fresh = !known
    state.nowMs = now
    state.first = known ? cells.get(0) : 0
    state.second = known ? cells.get(1) : 0
    state.third = known ? cells.get(2) : 0
    state.keepMs = known ? cells.endsMs - now : 0
    return state
  }

  #enter(key: string, now: number, variant: number, makes = true): boolean {
    return this.#cells.enter(hashText(key, this.#high ^ variant), hashText(key, this.#low ^ variant), now, makes)
  }

  #leave(): void {
    const cells = this.#cells
    cells.leave()
    if (!cells.displaced) return
    cells.displaced = false
    this.#displaced?.()
  }

  #outcome(allowed: boolean, remaining: number, resetMs: number): Taken {
    const taken = this.#taken
    taken.allowed = allowed
    taken.remaining = remaining
    taken.resetMs = resetMs
    return taken
  }
}
