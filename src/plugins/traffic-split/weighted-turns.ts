/** Whose turn it is among weighted items, interleaved as an upstream's `roundrobin` does it. What the items are is not known here. */

/** Items of weight 0 have no turn, unless none has a weight: then all have turns alike. */
export class WeightedTurns<T> {
  readonly #items: readonly T[]
  readonly #weights: readonly number[]
  readonly #greatest: number
  /** Whose turn it was last, and on which level: it falls from the greatest weight to 1. */
  #last: number
  #level: number

  /** `weights` are whole numbers, one for each item; there is at least one. */
  constructor(items: readonly T[], weights: readonly number[]) {
    const isFlat = weights.every((weight) => weight === 0)
    const taking = weights.flatMap((weight, at) => (weight > 0 || isFlat ? [at] : []))
    const divisor = weights.reduce(greatestCommonDivisor, 0)
    this.#items = taking.map((at) => items[at] as T)
    this.#weights = taking.map((at) => (isFlat ? 1 : (weights[at] as number) / divisor))
    this.#greatest = Math.max(...this.#weights)
    // Workers that start together must not march in step.
    this.#last = Math.floor(Math.random() * taking.length) - 1
    this.#level = this.#greatest
  }

  next(): T {
    // Ends: an item of the greatest weight takes part on every level.
    for (;;) {
      this.#last += 1
      if (this.#last >= this.#items.length) {
        this.#last = 0
        this.#level = this.#level > 1 ? this.#level - 1 : this.#greatest
      }
      if ((this.#weights[this.#last] as number) >= this.#level) return this.#items[this.#last] as T
    }
  }
}

function greatestCommonDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestCommonDivisor(other, one % other)
}
