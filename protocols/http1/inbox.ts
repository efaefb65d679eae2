/**
 * Bytes of a link that were read and are not used up: lent while the read lasts, kept as a copy when it is over. It sets no
 * limit: who reads holds the link back in time.
 */

const nothing = new Uint8Array(0)
/** What the first copy has room for: most cut heads fit. */
const minStoreBytes = 1024

export class Inbox {
  /** What is left lies from `at` to `to` of these. */
  bytes: Uint8Array
  at: number
  to: number
  #lent: boolean

  constructor() {
    this.bytes = nothing
    this.at = 0
    this.to = 0
    this.#lent = false
  }

  get size(): number {
    return this.to - this.at
  }

  /** A read begins, whose bytes are borrowed until `keep`. They follow those that are left. */
  lend(bytes: Uint8Array): void {
    if (this.at === this.to) {
      this.bytes = bytes
      this.at = 0
      this.to = bytes.length
      this.#lent = true
    } else this.#append(bytes)
  }

  /** The read is over, or what was kept has been used: copies what is left if it is lent, and lets go of what is not needed. */
  keep(): void {
    if (this.at === this.to) this.#clear()
    else if (this.#lent) {
      const rest = this.bytes.subarray(this.at, this.to)
      this.#clear()
      this.#append(rest)
    }
  }

  /** All that is left, owned by the caller. */
  take(): Uint8Array {
    const rest = this.at === this.to ? nothing : new Uint8Array(this.bytes.subarray(this.at, this.to))
    this.#clear()
    return rest
  }

  #clear(): void {
    this.bytes = nothing
    this.at = 0
    this.to = 0
    this.#lent = false
  }

  #append(bytes: Uint8Array): void {
    const size = this.to - this.at
    const needed = size + bytes.length
    if (this.to + bytes.length > this.bytes.length) {
      // Moving within the old memory is only worth it when at least half of it is used up: each byte moves once on average.
      const hasRoom = needed <= this.bytes.length && this.at >= size
      const store = hasRoom ? this.bytes : new Uint8Array(Math.max(minStoreBytes, size === 0 ? needed : needed * 2))
      if (hasRoom) store.copyWithin(0, this.at, this.to)
      else store.set(this.bytes.subarray(this.at, this.to))
      this.bytes = store
      this.at = 0
      this.to = size
    }
    this.bytes.set(bytes, this.to)
    this.to += bytes.length
  }
}
