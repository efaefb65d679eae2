/**
 * Memory for what the kernel reads while a turn's entries are submitted, and never after: bytes to send, vectors and
 * addresses. It is handed out from the start again when all entries have been taken and what did not leave is safe.
 */
import type { Arena } from '../ffi/ring-memory.ts'

const bytesRoom = 1024 * 1024
/** For vectors and addresses of as many entries as a turn may have. */
const headersRoom = 256 * 1024

/** `struct msghdr` of 64 bits: name, its length, vectors, their count, control, its length, flags. */
const headerBytes = 64
const vectorBytes = 16
export const maxVectors = 16

/** Places are those of the arena. */
export class Outbox {
  readonly #arena: Arena
  readonly #buffer: Buffer
  readonly #words: Int32Array
  readonly #begin: number
  readonly #end: number
  readonly #headersBegin: number
  readonly #headersEnd: number
  #at: number
  #headersAt: number

  constructor(arena: Arena) {
    this.#arena = arena
    this.#buffer = Buffer.from(arena.buffer)
    this.#words = new Int32Array(arena.buffer)
    this.#begin = arena.take(bytesRoom)
    this.#end = this.#begin + bytesRoom
    this.#headersBegin = arena.take(headersRoom)
    this.#headersEnd = this.#headersBegin + headersRoom
    this.#at = this.#begin
    this.#headersAt = this.#headersBegin
  }

  /** Where the next bytes go: a piece that ends here grows by them. */
  get at(): number {
    return this.#at
  }

  get room(): number {
    return this.#end - this.#at
  }

  /** All that was handed out has been read. */
  reset(): void {
    this.#at = this.#begin
    this.#headersAt = this.#headersBegin
  }

  /** Copies `size` bytes from `offset` on; there must be room. Where they lie is what `at` was before. */
  put(bytes: Uint8Array, offset: number, size: number): void {
    const whole = offset === 0 && size === bytes.length
    this.#arena.bytes.set(whole ? bytes : bytes.subarray(offset, offset + size), this.#at)
    this.#at += size
  }

  /** The same for text of latin1, each character one byte. */
  putText(text: string): void {
    this.#buffer.write(text, this.#at, text.length, 'latin1')
    this.#at += text.length
  }

  /** The place of a message of up to `most` pieces, at most `maxVectors`; -1 when there is no room in this turn. */
  beginMessage(most: number): number {
    const header = this.#reserve(headerBytes + most * vectorBytes)
    if (header === -1) return -1
    const words = this.#words
    const at = header / 4
    words.fill(0, at, at + headerBytes / 4)
    words[at + 4] = (this.#arena.low + header + headerBytes) | 0
    words[at + 5] = this.#arena.high
    return header
  }

  endMessage(header: number, count: number): void {
    this.#words[header / 4 + 6] = count
  }

  /** Writes a piece of the message at `header`. */
  setVector(header: number, index: number, place: number, size: number): void {
    const words = this.#words
    const at = (header + headerBytes) / 4 + index * 4
    words[at] = (this.#arena.low + place) | 0
    words[at + 1] = this.#arena.high
    words[at + 2] = size
    words[at + 3] = 0
  }

  /** Copies a socket address from the begin of `memory`: its place, or -1 when there is no room in this turn. */
  putAddress(memory: Uint8Array, size: number): number {
    const at = this.#reserve(128)
    if (at === -1) return -1
    const { bytes } = this.#arena
    for (let index = 0; index < size; index += 1) bytes[at + index] = memory[index] as number
    return at
  }

  #reserve(bytes: number): number {
    if (this.#headersAt + bytes > this.#headersEnd) return -1
    const at = this.#headersAt
    this.#headersAt = at + bytes
    return at
  }
}
