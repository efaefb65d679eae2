/**
 * Counters that all workers agree on, in one block of shared memory: in-flight exchanges of an endpoint, connections of a limit.
 * It holds numbers by name, bounded; it knows nothing of who counts what. Layout and locking: `shared-table.ts`.
 */
import { type SharedMemory, SharedTable } from './shared-table.ts'

/** One named counter, pinned for as long as this handle is not released. */
export interface SharedCounter {
  /** The total over all workers now. */
  readonly value: number
  /**
   * Adds for this worker; returns the new total. Of two workers that add at the same instant each may see the other's
   * share too, never less than what was added before. What a worker added is taken back when that worker dies.
   */
  add(by: number): number
  /** As `add`, where nobody asks for the total, which costs a look at every worker's share. */
  change(by: number): void
  /**
   * Unpins: the counter may be forgotten when nobody pins it and its total is 0. Afterwards only what was added through
   * the handle may still be taken back by it.
   */
  release(): void
}

export interface SharedCounters {
  /** The counter of that name, made if there is none; undefined when the table is full. */
  open(name: string): SharedCounter | undefined
}

export interface SharedCountersOptions {
  /** Counters that can exist at once, rounded up to a multiple of 16. Names spread by hash: from about two thirds on, some find no place. */
  readonly slots: number
  /** Worker indexes go from 0 to one less than this. */
  readonly workers: number
}

export type { SharedMemory } from './shared-table.ts'

/** For the main thread: the memory to hand to every worker (`workerData` or a message; it is shared, not copied). */
export function createSharedCounters(options: SharedCountersOptions): SharedMemory {
  return SharedTable.allocate(options.slots, options.workers)
}

/**
 * The counters as worker `workerIndex` sees them. No two living threads may use the same index, and a successor may
 * attach only after `releaseWorker`.
 */
export function attachSharedCounters(memory: SharedMemory, workerIndex: number): SharedCounters {
  const table = new SharedTable(memory, workerIndex)
  return {
    open(name) {
      const slot = table.pin(name)
      return slot === undefined ? undefined : new PinnedCounter(table, slot)
    },
  }
}

/** For the main thread, when a worker is gone: takes back what it had added, its pins, and a lock it died with. */
export function releaseWorker(memory: SharedMemory, workerIndex: number): void {
  new SharedTable(memory, workerIndex).takeBack()
}

class PinnedCounter implements SharedCounter {
  readonly #table: SharedTable
  readonly #slot: number
  #pinned: boolean

  constructor(table: SharedTable, slot: number) {
    this.#table = table
    this.#slot = slot
    this.#pinned = true
  }

  get value(): number {
    return this.#table.total(this.#slot)
  }

  add(by: number): number {
    return this.#table.add(this.#slot, by)
  }

  change(by: number): void {
    this.#table.change(this.#slot, by)
  }

  release(): void {
    if (!this.#pinned) return
    this.#pinned = false
    this.#table.unpin(this.#slot)
  }
}
