/** Balancers: from a set of endpoints, a picker that the road asks once per attempt. */
import type { Endpoint } from '../exchange/endpoint.ts'

export interface Balancer {
  /** The value of an upstream's `type`. */
  readonly name: string
  /** True when `pick` needs a key. */
  readonly hashes: boolean
  /**
   * Called on every change of nodes or health. `endpoints` holds all of one priority, healthy or not; those with
   * `healthy` false are stepped over, unless none is healthy: then all are used. `previous` is the picker that is being
   * replaced: the rotation goes on where it stood.
   */
  build(endpoints: readonly Endpoint[], previous?: Picker): Picker
}

export interface Picker {
  /** `key` is empty unless the balancer hashes. Never one of `tried` (oldest first), compared by id. Undefined: none left. */
  pick(key: string, tried: readonly Endpoint[]): Endpoint | undefined
}
