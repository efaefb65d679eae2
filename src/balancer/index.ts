/** The balancers there are. The values of an upstream's `type` come from this list. */
import type { Balancer } from './balancer.ts'
import { chash } from './chash.ts'
import { ewma } from './ewma.ts'
import { leastConn } from './least-conn.ts'
import { roundrobin } from './roundrobin.ts'

export const balancers: readonly Balancer[] = [roundrobin, chash, leastConn, ewma]

/** Undefined when there is none of that `type`. */
export function balancerOf(type: string): Balancer | undefined {
  return balancers.find((balancer) => balancer.name === type)
}
