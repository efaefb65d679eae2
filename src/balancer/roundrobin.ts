/**
 * Weighted round robin as APISIX interleaves it: a level falls from the greatest weight to 1, and on each level the
 * endpoints of at least that weight have their turn, in order. The start is random, so that many workers do not march in step.
 */
import type { Endpoint } from '../exchange/endpoint.ts'
import type { Balancer, Picker } from './balancer.ts'
import { candidates, isTried, reducedWeights } from './candidates.ts'

export const roundrobin: Balancer = {
  name: 'roundrobin',
  hashes: false,
  build: (endpoints, previous) =>
    new RoundRobin(candidates(endpoints), previous instanceof RoundRobin ? previous : undefined),
}

class RoundRobin implements Picker {
  readonly #endpoints: readonly Endpoint[]
  readonly #weights: readonly number[]
  readonly #greatest: number
  /** Whose turn it was last, and on which level. */
  #last: number
  #level: number

  constructor(endpoints: readonly Endpoint[], previous: RoundRobin | undefined) {
    this.#endpoints = endpoints
    this.#weights = reducedWeights(endpoints)
    this.#greatest = this.#weights.reduce((greatest, weight) => Math.max(greatest, weight), 0)
    if (previous === undefined) {
      this.#last = Math.floor(Math.random() * endpoints.length) - 1
      this.#level = this.#greatest
    } else {
      this.#last = previous.#placeIn(endpoints)
      // The same part of the way down, since other weights may have other divisors.
      const part = previous.#greatest === 0 ? 1 : previous.#level / previous.#greatest
      this.#level = Math.max(1, Math.ceil(part * this.#greatest))
    }
  }

  pick(_key: string, tried: readonly Endpoint[]): Endpoint | undefined {
    if (tried.length > 0) return this.#pickUntried(tried)
    const { length } = this.#endpoints
    if (length === 0) return undefined
    // Ends: an endpoint of the greatest weight takes part on every level.
    for (;;) {
      this.#last += 1
      if (this.#last >= length) {
        this.#last = 0
        this.#level = this.#level > 1 ? this.#level - 1 : this.#greatest
      }
      if ((this.#weights[this.#last] as number) >= this.#level) return this.#endpoints[this.#last]
    }
  }

  /**
   * The same rotation with the tried ones left out. Levels on which only those take part are passed in one step: with
   * weights of 1 and 1,000,000 there may be a million of them.
   */
  #pickUntried(tried: readonly Endpoint[]): Endpoint | undefined {
    let heaviest = 0
    for (let index = 0; index < this.#endpoints.length; index += 1) {
      const weight = this.#weights[index] as number
      if (weight > heaviest && !isTried(this.#endpoints[index] as Endpoint, tried)) heaviest = weight
    }
    if (heaviest === 0) return undefined
    for (;;) {
      for (let index = this.#last + 1; index < this.#endpoints.length; index += 1) {
        const endpoint = this.#endpoints[index] as Endpoint
        if ((this.#weights[index] as number) < this.#level || isTried(endpoint, tried)) continue
        this.#last = index
        return endpoint
      }
      this.#last = -1
      this.#level = Math.min(this.#level > 1 ? this.#level - 1 : heaviest, heaviest)
    }
  }

  /** Where the rotation stands in other endpoints: at the one whose turn it was, or the nearest before it that is there. */
  #placeIn(endpoints: readonly Endpoint[]): number {
    for (let index = Math.min(this.#last, this.#endpoints.length - 1); index >= 0; index -= 1) {
      const id = this.#endpoints[index]?.id
      const place = endpoints.findIndex((endpoint) => endpoint.id === id)
      if (place >= 0) return place
    }
    return -1
  }
}
