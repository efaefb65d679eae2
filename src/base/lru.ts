/** A bounded map that forgets what was used longest ago. No time to live, no weights: entries count one each. */

export class Lru<Key, Value> {
  readonly #limit: number
  /** In order of use: a Map iterates in order of insertion, and a use inserts anew. */
  readonly #entries = new Map<Key, Value>()
  readonly #forgotten: ((value: Value, key: Key) => void) | undefined

  /** `forgotten` is called for entries pushed out by others, not for those deleted or replaced. */
  constructor(limit: number, forgotten?: (value: Value, key: Key) => void) {
    if (!(limit >= 1)) throw new RangeError('an Lru holds at least one entry')
    this.#limit = limit
    this.#forgotten = forgotten
  }

  get size(): number {
    return this.#entries.size
  }

  /** The value, now the one used last; undefined when there is none. */
  get(key: Key): Value | undefined {
    const value = this.#entries.get(key)
    if (value === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, value)
    return value
  }

  set(key: Key, value: Value): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size <= this.#limit) return
    for (const [oldest, old] of this.#entries) {
      this.#entries.delete(oldest)
      this.#forgotten?.(old, oldest)
      return
    }
  }

  delete(key: Key): boolean {
    return this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
  }
}
