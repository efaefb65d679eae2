/**
 * Heads that were read before. Clients and endpoints send the same bytes again and again, and what was made of them once need
 * not be made again: bytes are compared, all of them, and what was kept with them is taken. Bounded, and told apart by nothing
 * but their bytes.
 */

/** As many are kept at most. A power of two. */
const places = 256
/** Longer ones are not kept: they seldom come again. */
const maxBytes = 1024

interface Kept<T> {
  readonly bytes: Uint8Array
  readonly value: T
}

/** One of each kind for a thread. Readers remember the number of what they read last, which may be another's by then. */
export class KeptHeads<T> {
  readonly #kept: (Kept<T> | undefined)[] = new Array(places).fill(undefined)
  /** By place: what came there once and was not kept. What never comes again costs no more than that. */
  readonly #seen = new Int32Array(places)

  /** What stands at that place, if its bytes are those from `from` on, of which there may be more. */
  at(place: number, bytes: Uint8Array, from: number, to: number): T | undefined {
    const kept = this.#kept[place]
    if (kept === undefined || !isSame(kept.bytes, bytes, from, to)) return undefined
    return kept.value
  }

  /** How many bytes are kept at that place. */
  sizeAt(place: number): number {
    return this.#kept[place]?.bytes.length ?? 0
  }

  /**
   * These bytes were read and made into `value`: it is kept when they come for the second time. Answers the place where they
   * stand now, -1: nowhere. They are copied.
   */
  note(bytes: Uint8Array, from: number, to: number, make: () => T): number {
    if (to - from > maxBytes) return -1
    const hash = hashOf(bytes, from, to)
    const place = hash & (places - 1)
    const there = this.#kept[place]
    if (there !== undefined && there.bytes.length === to - from && isSame(there.bytes, bytes, from, to)) return place
    if (this.#seen[place] !== hash) {
      this.#seen[place] = hash
      return -1
    }
    this.#kept[place] = { bytes: new Uint8Array(bytes.subarray(from, to)), value: make() }
    return place
  }
}

function isSame(kept: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  const size = kept.length
  if (to - from < size) return false
  for (let at = 0; at < size; at += 1) if (kept[at] !== bytes[from + at]) return false
  return true
}

const prime = 0x01000193

/** Of all bytes, in four strands that the processor can work on at once. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let first = to - from
  let second = 1
  let third = 2
  let fourth = 3
  let at = from
  for (; at + 4 <= to; at += 4) {
    first = Math.imul(first ^ (bytes[at] as number), prime)
    second = Math.imul(second ^ (bytes[at + 1] as number), prime)
    third = Math.imul(third ^ (bytes[at + 2] as number), prime)
    fourth = Math.imul(fourth ^ (bytes[at + 3] as number), prime)
  }
  for (; at < to; at += 1) first = Math.imul(first ^ (bytes[at] as number), prime)
  const front = Math.imul(first ^ (second >>> 7), prime) ^ Math.imul(third ^ (fourth >>> 7), prime)
  const hash = front ^ Math.imul(second, prime) ^ Math.imul(fourth, 31)
  return hash ^ (hash >>> 15)
}
