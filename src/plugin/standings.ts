/** Values that plugins keep across revisions: each lives for as long as some chain holds it. */

interface Held {
  readonly value: unknown
  holders: number
}

export class Standings {
  readonly #held = new Map<string, Held>()

  /** The value under `key`, made on first use. `release` once per hold; the last one forgets the value. */
  hold<T>(key: string, make: () => T): { readonly value: T; readonly release: () => void } {
    let held = this.#held.get(key)
    if (held === undefined) {
      held = { value: make(), holders: 0 }
      this.#held.set(key, held)
    }
    held.holders++
    const mine = held
    return {
      value: held.value as T,
      release: () => {
        mine.holders--
        if (mine.holders === 0 && this.#held.get(key) === mine) this.#held.delete(key)
      },
    }
  }

  get size(): number {
    return this.#held.size
  }
}
