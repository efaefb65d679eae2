/**
 * Two endpoints at random, and of them the one that answered faster lately. Weights other than 0 do not matter, as in
 * APISIX. Latencies are what this worker saw; an endpoint it knows nothing of wins, and so becomes known.
 */
import type { Endpoint } from '../exchange/endpoint.ts'
import type { Balancer, Picker } from './balancer.ts'
import { candidates, isTried } from './candidates.ts'

export const ewma: Balancer = {
  name: 'ewma',
  hashes: false,
  build: (endpoints) => new Ewma(candidates(endpoints)),
}

class Ewma implements Picker {
  readonly #endpoints: readonly Endpoint[]
  /** Of the generator; any 32 bits but 0. */
  #random: number

  constructor(endpoints: readonly Endpoint[]) {
    this.#endpoints = endpoints
    this.#random = Math.floor(Math.random() * 0x7fffffff) + 1
  }

  pick(_key: string, tried: readonly Endpoint[]): Endpoint | undefined {
    const left = this.#countLeft(tried)
    if (left === 0) return undefined
    const first = this.#below(left)
    const one = this.#nthLeft(first, tried)
    if (left === 1) return one
    const second = this.#below(left - 1)
    const other = this.#nthLeft(second < first ? second : second + 1, tried)
    return other.load.latencyMs < one.load.latencyMs ? other : one
  }

  /** A whole number from 0 to `limit` − 1. Marsaglia's xorshift: `Math.random` would make a number object per draw. */
  #below(limit: number): number {
    let bits = this.#random
    bits ^= bits << 13
    bits ^= bits >>> 17
    bits ^= bits << 5
    this.#random = bits
    return (bits >>> 1) % limit
  }

  #countLeft(tried: readonly Endpoint[]): number {
    if (tried.length === 0) return this.#endpoints.length
    let left = 0
    for (let index = 0; index < this.#endpoints.length; index += 1) {
      if (!isTried(this.#endpoints[index] as Endpoint, tried)) left += 1
    }
    return left
  }

  /** The `nth` of those not tried, from 0; there must be so many. */
  #nthLeft(nth: number, tried: readonly Endpoint[]): Endpoint {
    if (tried.length === 0) return this.#endpoints[nth] as Endpoint
    let index = -1
    for (let passed = -1; passed < nth; ) {
      index += 1
      if (!isTried(this.#endpoints[index] as Endpoint, tried)) passed += 1
    }
    return this.#endpoints[index] as Endpoint
  }
}
