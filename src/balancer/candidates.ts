/** Which endpoints may be picked at all: APISIX's rules on health and on weight 0, the same for every balancer. */
import type { Endpoint } from '../exchange/endpoint.ts'

/** The healthy ones; all of them when none is. */
export function usable(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const healthy = endpoints.filter((endpoint) => endpoint.healthy)
  return healthy.length === 0 ? endpoints : healthy
}

/** The usable ones that have a weight; all the usable ones when none has. */
export function candidates(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const live = usable(endpoints)
  const weighted = live.filter((endpoint) => endpoint.weight > 0)
  return weighted.length === 0 ? live : weighted
}

/** By id, since a rebuild may have made new objects between two attempts. Linear: nobody tries many. */
export function isTried(endpoint: Endpoint, tried: readonly Endpoint[]): boolean {
  for (let index = 0; index < tried.length; index += 1) {
    if ((tried[index] as Endpoint).id === endpoint.id) return true
  }
  return false
}

/** The weights divided by their greatest common divisor; weights that are all 0 count as 1 each. */
export function reducedWeights(endpoints: readonly Endpoint[]): readonly number[] {
  let divisor = 0
  for (const endpoint of endpoints) divisor = greatestCommonDivisor(divisor, endpoint.weight)
  return endpoints.map((endpoint) => (divisor === 0 ? 1 : endpoint.weight / divisor))
}

function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b]
  return a
}
