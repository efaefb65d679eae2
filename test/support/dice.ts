/** Chance that can be repeated: `SLUICE_FUZZ_SEED` names the run. */

/** Of this run. */
export const fuzzSeed = Number(process.env['SLUICE_FUZZ_SEED'] ?? 1)

export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = (seed * 2654435761 + 1) >>> 0
    // Seeds that lie side by side begin alike.
    for (let round = 0; round < 8; round += 1) this.roll(2)
  }

  /** 0 to `below` - 1. */
  roll(below: number): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return (this.#state >>> 0) % below
  }

  pick<T>(list: readonly T[]): T {
    return list[this.roll(list.length)] as T
  }
}
