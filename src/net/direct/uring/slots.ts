/**
 * Who an operation belongs to: a number that its entry carries instead of an object. The number of a freed slot comes
 * back with another generation, so that a completion that is late finds nobody rather than somebody else.
 */

/** Whoever hears of completions: of kind, number, result and flags as in `operations.ts`. */
export interface Operator {
  completed(kind: number, result: number, flags: number): void
}

const slotBits = 20
const slotMask = (1 << slotBits) - 1
const generationMask = (1 << (32 - slotBits)) - 1

export class Slots {
  readonly #operators: (Operator | undefined)[]
  readonly #keys: number[]
  readonly #free: number[]

  constructor() {
    // Slot 0 is nobody's: operations that concern no one carry it.
    this.#operators = [undefined]
    this.#keys = [0]
    this.#free = []
  }

  /** Slots taken. */
  get size(): number {
    return this.#keys.length - 1 - this.#free.length
  }

  /** The key of a slot of its own. Throws when a million are taken. */
  take(operator: Operator): number {
    const reused = this.#free.pop()
    if (reused !== undefined) {
      this.#operators[reused] = operator
      return this.#keys[reused] as number
    }
    const slot = this.#keys.length
    if (slot > slotMask) throw new RangeError('too many sockets for one ring')
    this.#operators.push(operator)
    this.#keys.push(slot)
    return slot
  }

  find(key: number): Operator | undefined {
    const slot = key & slotMask
    return this.#keys[slot] === key ? this.#operators[slot] : undefined
  }

  /** Nothing more is heard of operations with this key. */
  free(key: number): void {
    const slot = key & slotMask
    if (slot === 0 || this.#keys[slot] !== key || this.#operators[slot] === undefined) return
    this.#operators[slot] = undefined
    const generation = ((key >>> slotBits) + 1) & generationMask
    this.#keys[slot] = slot | (generation << slotBits)
    this.#free.push(slot)
  }
}
