/**
 * Memory for what the kernel reads while a turn's entries are submitted, and never after: copies of bytes to send, vectors
 * and addresses. It is handed out from the start again when all entries have been taken.
 */

import { allocate } from '../ffi/memory.ts'
import { highHalf, lowHalf } from '../ffi/ring-memory.ts'

const outboxBytes = 1024 * 1024
/** The last part, which bytes to send do not get: vectors and addresses of as many entries as a turn may have. */
const reservedBytes = 256 * 1024

/** `struct msghdr` of 64 bits: name, its length, vectors, their count, control, its length, flags. */
const headerBytes = 56
const vectorBytes = 16
export const maxVectors = 16

export class Outbox {
  readonly #baseLow: number
  readonly #baseHigh: number
  readonly #bytes: Uint8Array
  readonly #words: Int32Array
  #used: number
  #usedReserve: number
  /** Where the last piece handed out is. */
  low: number
  high: number
  #vectorsAt: number

  constructor() {
    const memory = allocate(outboxBytes)
    this.#baseLow = lowHalf(memory.address) >>> 0
    this.#baseHigh = highHalf(memory.address)
    this.#bytes = new Uint8Array(memory.buffer, 0, outboxBytes)
    this.#words = new Int32Array(memory.buffer, 0, outboxBytes / 4)
    this.#used = 0
    this.#usedReserve = 0
    this.low = 0
    this.high = 0
    this.#vectorsAt = 0
  }

  /** All that was handed out has been read. */
  reset(): void {
    this.#used = 0
    this.#usedReserve = 0
  }

  /** Copies as much of `bytes` from `offset` on as there is room for, at most `maxBytes`; how much. It is at `low` and `high`. */
  copy(bytes: Uint8Array, offset: number, maxBytes: number): number {
    const room = outboxBytes - reservedBytes - this.#used
    const size = Math.min(bytes.length - offset, maxBytes, room)
    if (size <= 0) return 0
    const at = this.#used
    this.#bytes.set(offset === 0 && size === bytes.length ? bytes : bytes.subarray(offset, offset + size), at)
    this.#used = (at + size + 15) & ~15
    this.#locate(at)
    return size
  }

  /** Begins a message of up to `maxVectors` pieces; false when there is no room in this turn. */
  beginMessage(): boolean {
    const at = this.#reserve(64 + maxVectors * vectorBytes)
    if (at === -1) return false
    const word = at / 4
    this.#words.fill(0, word, word + headerBytes / 4)
    this.#vectorsAt = word + 16
    this.#locate(at + 64)
    this.#words[word + 4] = this.low
    this.#words[word + 5] = this.high
    this.#locate(at)
    return true
  }

  /** Adds a piece to the message begun last. */
  addVector(index: number, low: number, high: number, size: number): void {
    const word = this.#vectorsAt + index * 4
    this.#words[word] = low
    this.#words[word + 1] = high
    this.#words[word + 2] = size
    this.#words[word + 3] = 0
  }

  /** Ends it: its header is at `low` and `high`. */
  endMessage(count: number): void {
    const word = this.#vectorsAt - 16
    this.#words[word + 6] = count
    this.#locate(word * 4)
  }

  /** Copies a socket address out of `memory`; false when there is no room in this turn. */
  copyAddress(memory: Uint8Array): boolean {
    const at = this.#reserve(128)
    if (at === -1) return false
    this.#bytes.set(memory, at)
    this.#locate(at)
    return true
  }

  #reserve(bytes: number): number {
    if (this.#usedReserve + bytes > reservedBytes) return -1
    const at = outboxBytes - reservedBytes + this.#usedReserve
    this.#usedReserve += bytes
    return at
  }

  #locate(at: number): void {
    const low = this.#baseLow + at
    this.low = low | 0
    this.high = low < 2 ** 32 ? this.#baseHigh : this.#baseHigh + 1
  }
}
