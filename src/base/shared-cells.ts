/**
 * A table of small cells in one block of shared memory, found by a hash of 64 bits, each entered by one thread at a time:
 * what happens between `enter` and `leave` is atomic for all workers. A cell that is out of date gives its place away; when
 * there is none in its set, the one that ends soonest does. It knows nothing of what stands in a cell.
 */
import { randomFillSync } from 'node:crypto'

/** Opaque; survives `postMessage` and `workerData` as shared memory. */
export interface CellMemory {
  readonly buffer: SharedArrayBuffer
}

const ways = 8
const lineWords = 16
/** Header words. */
const setCountAt = 0
const seedAt = 1
/** A set is a line with its lock and the low hashes of its cells (0: never used), and a line for each cell. */
const lowsAt = 8
const setWords = (1 + ways) * lineWords
/** A cell's doubles, and behind them a word with the high hash. */
const endsAt = 0
const valuesAt = 1
const highAt = 8

const spins = 200
const waitMs = 1
/**
 * Within the lock there is a microsecond of arithmetic, but its owner may be taken off its core; and one that died is
 * noticed by main, which opens its locks. Nobody steals a lock: then no count could be relied on.
 */
const patienceMs = 1000

export class SharedCells {
  readonly #words: Int32Array
  readonly #doubles: Float64Array
  readonly #sets: number
  readonly #owner: number
  /** The word of the lock that is held; the first double of the cell that was entered. */
  #lock = 0
  #cell = 0
  /** It was there before, with values in it. */
  known = false
  /** A cell in force had to give way, by this thread, since whoever looks at this has unset it. */
  displaced = false

  static allocate(cells: number): CellMemory {
    if (!(cells >= 1)) throw new RangeError('at least one cell')
    const sets = Math.ceil(cells / ways)
    const buffer = new SharedArrayBuffer((lineWords + sets * setWords) * Int32Array.BYTES_PER_ELEMENT)
    const header = new Int32Array(buffer, 0, lineWords)
    header[setCountAt] = sets
    // Keys may be chosen by clients: with known seeds they could be made to meet in one set.
    header.set(randomFillSync(new Int32Array(2)), seedAt)
    return { buffer }
  }

  /** No two living threads may have the same index. */
  constructor(memory: CellMemory, worker: number) {
    if (!(worker >= 0)) throw new RangeError(`no worker ${worker}`)
    this.#words = new Int32Array(memory.buffer)
    this.#doubles = new Float64Array(memory.buffer)
    this.#sets = this.#words[setCountAt] as number
    this.#owner = worker + 1
  }

  get highSeed(): number {
    return this.#words[seedAt] as number
  }

  get lowSeed(): number {
    return this.#words[seedAt + 1] as number
  }

  /**
   * Enters the cell of that hash; `known` says whether it holds something that is in force at `nowMs`. Then its values are
   * read and set, and `leave` must follow. Without `makes`, only a cell that is there is entered. False: none was, and there
   * is nothing to leave.
   */
  enter(high: number, low: number, nowMs: number, makes = true): boolean {
    const set = lineWords + ((high >>> 0) % this.#sets) * setWords
    if (!this.#acquire(set)) return false
    this.#lock = set
    const words = this.#words
    const doubles = this.#doubles
    const tag = low || 1
    let chosen = 0
    let soonest = Number.POSITIVE_INFINITY
    for (let way = 0; way < ways; way += 1) {
      const line = set + (1 + way) * lineWords
      const found = words[set + lowsAt + way] as number
      const endsMs = found === 0 ? 0 : (doubles[(line >> 1) + endsAt] as number)
      if (found === tag && words[line + highAt] === high) {
        this.#cell = line >> 1
        this.known = endsMs > nowMs
        return true
      }
      if (endsMs >= soonest) continue
      soonest = endsMs
      chosen = way
    }
    if (!makes) {
      this.leave()
      return false
    }
    if (soonest > nowMs) this.displaced = true
    const line = set + (1 + chosen) * lineWords
    // In this order a worker that dies here leaves an unused cell, not values under another name.
    words[set + lowsAt + chosen] = 0
    doubles[(line >> 1) + endsAt] = 0
    words[line + highAt] = high
    words[set + lowsAt + chosen] = tag
    this.#cell = line >> 1
    this.known = false
    return true
  }

  /** One of the three values of the cell that was entered; arbitrary unless `known` or set since. */
  get(index: 0 | 1 | 2): number {
    return this.#doubles[this.#cell + valuesAt + index] as number
  }

  set(index: 0 | 1 | 2, value: number): void {
    this.#doubles[this.#cell + valuesAt + index] = value
  }

  get endsMs(): number {
    return this.#doubles[this.#cell + endsAt] as number
  }

  /** Until when the cell is in force. To be set last: until then, a worker that dies leaves a cell out of date. */
  set endsMs(at: number) {
    this.#doubles[this.#cell + endsAt] = at
  }

  leave(): void {
    Atomics.compareExchange(this.#words, this.#lock, this.#owner, 0)
  }

  /** For the main thread: opens the locks with which the worker of this table died. */
  takeBack(): void {
    for (let set = 0; set < this.#sets; set += 1) {
      Atomics.compareExchange(this.#words, lineWords + set * setWords, this.#owner, 0)
    }
  }

  #acquire(at: number): boolean {
    const words = this.#words
    for (let tries = 0; tries < spins; tries += 1) {
      if (Atomics.compareExchange(words, at, 0, this.#owner) === 0) return true
    }
    const deadline = performance.now() + patienceMs
    for (;;) {
      const owner = Atomics.compareExchange(words, at, 0, this.#owner)
      if (owner === 0) return true
      if (performance.now() > deadline) return false
      Atomics.wait(words, at, owner, waitMs)
    }
  }
}
