/** Values that plugins keep across revisions: each lives for as long as some chain holds it. */

interface Held {
  readonly value: unknown
  readonly close: () => void
  holders: number
}

export class Standings {
  readonly #held = new Map<string, Held>()

  /**
   * The value under `key`, made on first use; `close` is that of whoever made it. `release` once per hold; the last one closes
   * the value and forgets it.
   */
  hold<T>(key: string, make: () => T, close?: (value: T) => void): { readonly value: T; readonly release: () => void } {
    let held = this.#held.get(key)
    if (held === undefined) {
      const value = make()
      held = { value, close: () => close?.(value), holders: 0 }
      this.#held.set(key, held)
    }
    held.holders++
    const mine = held
    return {
      value: held.value as T,
      release: () => {
        mine.holders--
        if (mine.holders > 0 || this.#held.get(key) !== mine) return
        this.#held.delete(key)
        mine.close()
      },
    }
  }

  get size(): number {
    return this.#held.size
  }
}
