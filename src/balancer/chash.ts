/** Consistent hashing: a key stays with its endpoint, and when that is sick or was tried, goes to the next on the ring. */
import type { Endpoint } from '../exchange/endpoint.ts'
import type { Balancer, Picker } from './balancer.ts'
import { isTried } from './candidates.ts'
import { ChashRing, identityOf } from './chash-ring.ts'

export const chash: Balancer = {
  name: 'chash',
  hashes: true,
  build: (endpoints, previous) => new Chash(endpoints, previous instanceof Chash ? previous : undefined),
}

class Chash implements Picker {
  readonly #endpoints: readonly Endpoint[]
  readonly #ring: ChashRing
  /** Those that take keys now. The ring holds all, so that a change of health moves the keys of the sick alone. */
  readonly #takes: readonly boolean[]
  readonly #taking: number

  constructor(endpoints: readonly Endpoint[], previous: Chash | undefined) {
    this.#endpoints = endpoints
    const reusable = previous !== undefined && previous.#ring.identity === identityOf(endpoints)
    this.#ring = reusable ? previous.#ring : new ChashRing(endpoints)
    const weightless = endpoints.every((endpoint) => endpoint.weight === 0)
    const onRing = (endpoint: Endpoint): boolean => weightless || endpoint.weight > 0
    const anyHealthy = endpoints.some((endpoint) => endpoint.healthy && onRing(endpoint))
    this.#takes = endpoints.map((endpoint) => onRing(endpoint) && (endpoint.healthy || !anyHealthy))
    this.#taking = this.#takes.filter(Boolean).length
  }

  pick(key: string, tried: readonly Endpoint[]): Endpoint | undefined {
    const { owners, size } = this.#ring
    // Without this a search in vain would walk the whole ring.
    if (this.#taking === 0 || (tried.length >= this.#taking && !this.#anyLeft(tried))) return undefined
    let point = this.#ring.locate(key)
    for (let walked = 0; walked < size; walked += 1) {
      const owner = owners[point] as number
      const endpoint = this.#endpoints[owner] as Endpoint
      if (this.#takes[owner] === true && (tried.length === 0 || !isTried(endpoint, tried))) return endpoint
      point = point + 1 === size ? 0 : point + 1
    }
    return undefined
  }

  #anyLeft(tried: readonly Endpoint[]): boolean {
    for (let index = 0; index < this.#endpoints.length; index += 1) {
      if (this.#takes[index] === true && !isTried(this.#endpoints[index] as Endpoint, tried)) return true
    }
    return false
  }
}
