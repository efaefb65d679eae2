/**
 * The memory behind shared counters: a set-associative table of 32-bit words. Each slot has two columns for each worker,
 * what it added and how often it pinned, and only that worker writes them. So a total is the sum of a column, adding
 * needs no lock, and what a dead worker left is taken back by zeroing its columns: there is no half-done state to repair.
 * Only finding a slot by name takes a lock, one for each set of slots.
 */
import { randomFillSync } from 'node:crypto'
import { hashText } from './text-hash.ts'

/** Opaque; survives `postMessage` and `workerData` as shared memory. */
export interface SharedMemory {
  readonly buffer: SharedArrayBuffer
}

const ways = 16
const lineWords = 16
/** Header words. */
const setCountAt = 0
const workersAt = 1
const seedAt = 2
const headerWords = lineWords
/** Slot words: the name's hash (0 in the first: never used), then the columns. */
const slotHeadWords = 2

/**
 * A lock is held for less than a microsecond. Spinning covers that; waiting covers an owner that the scheduler took off
 * its core; after all of it the owner is taken for dead, its death not noticed yet, and the lock is stolen.
 */
const spins = 200
const waits = 100
const waitMs = 1

export class SharedTable {
  readonly #words: Int32Array
  readonly #sets: number
  readonly #workers: number
  readonly #worker: number
  readonly #stride: number
  readonly #firstSlot: number

  static allocate(slots: number, workers: number): SharedMemory {
    if (!(slots >= 1 && workers >= 1)) throw new RangeError('at least one slot and one worker')
    const sets = Math.ceil(slots / ways)
    const words = headerWords + roundUp(sets) + sets * ways * strideOf(workers)
    const memory = { buffer: new SharedArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT) }
    const header = new Int32Array(memory.buffer, 0, headerWords)
    header[setCountAt] = sets
    header[workersAt] = workers
    // Names may be chosen by clients: with a known seed they could be made to meet in one set.
    const seed = randomFillSync(new Int32Array(2))
    header.set(seed, seedAt)
    return memory
  }

  constructor(memory: SharedMemory, worker: number) {
    const words = new Int32Array(memory.buffer)
    this.#words = words
    this.#sets = words[setCountAt] as number
    this.#workers = words[workersAt] as number
    if (!(worker >= 0 && worker < this.#workers)) throw new RangeError(`no worker ${worker} of ${this.#workers}`)
    this.#worker = worker
    this.#stride = strideOf(this.#workers)
    this.#firstSlot = headerWords + roundUp(this.#sets)
  }

  /** The position of the slot of that name, pinned once more by this worker; undefined when its set is full. */
  pin(name: string): number | undefined {
    const high = hashText(name, this.#words[seedAt] as number)
    const low = hashText(name, this.#words[seedAt + 1] as number) || 1
    const set = (high >>> 0) % this.#sets
    const lock = headerWords + set
    this.#lock(lock)
    const slot = this.#find(set, high, low)
    if (slot !== undefined) Atomics.add(this.#words, this.#pinsOf(slot) + this.#worker, 1)
    this.#unlock(lock)
    return slot
  }

  unpin(slot: number): void {
    Atomics.sub(this.#words, this.#pinsOf(slot) + this.#worker, 1)
  }

  add(slot: number, by: number): number {
    Atomics.add(this.#words, slot + slotHeadWords + this.#worker, by)
    return this.total(slot)
  }

  change(slot: number, by: number): void {
    Atomics.add(this.#words, slot + slotHeadWords + this.#worker, by)
  }

  total(slot: number): number {
    let total = 0
    const first = slot + slotHeadWords
    for (let at = first; at < first + this.#workers; at += 1) total += Atomics.load(this.#words, at)
    return total
  }

  /** Forgets whatever the worker of this table had added, pinned or locked. It must be dead. */
  takeBack(): void {
    for (let index = 0; index < this.#sets * ways; index += 1) {
      const slot = this.#firstSlot + index * this.#stride
      Atomics.store(this.#words, slot + slotHeadWords + this.#worker, 0)
      Atomics.store(this.#words, this.#pinsOf(slot) + this.#worker, 0)
    }
    for (let set = 0; set < this.#sets; set += 1) this.#unlock(headerWords + set)
  }

  #pinsOf(slot: number): number {
    return slot + slotHeadWords + this.#workers
  }

  /** Under the set's lock: the slot with that hash, or one that nobody needs, given that hash. */
  #find(set: number, high: number, low: number): number | undefined {
    const words = this.#words
    let vacant: number | undefined
    for (let way = 0; way < ways; way += 1) {
      const slot = this.#firstSlot + (set * ways + way) * this.#stride
      const owner = words[slot] as number
      if (owner === low && words[slot + 1] === high) return slot
      if (vacant === undefined && (owner === 0 || this.#idle(slot))) vacant = slot
    }
    if (vacant === undefined) return undefined
    // In this order a worker that dies here leaves an unused slot, not one under a mixed name.
    words[vacant] = 0
    words[vacant + 1] = high
    words[vacant] = low
    return vacant
  }

  /** No worker pins it or has added to it. It stays so under the lock: pins need the lock, and additions a pin. */
  #idle(slot: number): boolean {
    const first = slot + slotHeadWords
    for (let at = first; at < first + 2 * this.#workers; at += 1) {
      if (Atomics.load(this.#words, at) !== 0) return false
    }
    return true
  }

  /**
   * Stealing from an owner that was merely off its core for a tenth of a second is possible. Both then are in the set at
   * once and may give one name two slots, so that its total is too small until both are forgotten; nothing worse.
   */
  #lock(at: number): void {
    const words = this.#words
    const mine = this.#worker + 1
    for (let tries = 0; tries < spins; tries += 1) {
      if (Atomics.compareExchange(words, at, 0, mine) === 0) return
    }
    for (let tries = 0; tries < waits; tries += 1) {
      const owner = Atomics.compareExchange(words, at, 0, mine)
      if (owner === 0) return
      Atomics.wait(words, at, owner, waitMs)
    }
    Atomics.store(words, at, mine)
  }

  /** Only the owner's lock is opened: it may have been stolen meanwhile. */
  #unlock(at: number): void {
    Atomics.compareExchange(this.#words, at, this.#worker + 1, 0)
  }
}

/** A multiple of a cache line, so that slots of different counters do not share one. */
function roundUp(words: number): number {
  return Math.ceil(words / lineWords) * lineWords
}

function strideOf(workers: number): number {
  return roundUp(slotHeadWords + 2 * workers)
}
