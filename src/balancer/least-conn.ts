/**
 * The endpoint with the fewest exchanges in flight for its weight. APISIX's name says connections; what is counted is
 * exchanges, over all workers.
 */
import type { Endpoint } from '../exchange/endpoint.ts'
import type { Balancer, Picker } from './balancer.ts'
import { candidates, isTried } from './candidates.ts'

export const leastConn: Balancer = {
  name: 'least_conn',
  hashes: false,
  build: (endpoints, previous) =>
    new LeastConn(candidates(endpoints), previous instanceof LeastConn ? previous : undefined),
}

class LeastConn implements Picker {
  readonly #endpoints: readonly Endpoint[]
  /** Where the next search begins: of equally loaded endpoints not always the first is to win. */
  #start: number

  constructor(endpoints: readonly Endpoint[], previous: LeastConn | undefined) {
    this.#endpoints = endpoints
    const start = previous === undefined ? Math.floor(Math.random() * endpoints.length) : previous.#start
    this.#start = endpoints.length === 0 ? 0 : start % endpoints.length
  }

  pick(_key: string, tried: readonly Endpoint[]): Endpoint | undefined {
    const { length } = this.#endpoints
    let best: Endpoint | undefined
    let bestScore = Number.POSITIVE_INFINITY
    let index = this.#start
    for (let seen = 0; seen < length; seen += 1) {
      const endpoint = this.#endpoints[index] as Endpoint
      // A weight of 0 is among the candidates only when all are 0.
      const score = (endpoint.load.inFlight + 1) / (endpoint.weight || 1)
      if (score < bestScore && (tried.length === 0 || !isTried(endpoint, tried))) {
        best = endpoint
        bestScore = score
      }
      index = index + 1 === length ? 0 : index + 1
    }
    this.#start = this.#start + 1 < length ? this.#start + 1 : 0
    return best
  }
}
