/** Groups of endpoints by priority, each with a picker of its own; a lower group serves when the higher ones have none left. */
import type { Endpoint } from '../exchange/endpoint.ts'
import type { Balancer, Picker } from './balancer.ts'

/**
 * The picker of an upstream. Groups without a healthy endpoint are left out, unless no endpoint of the upstream is
 * healthy: then all are used. `previous` is what this function returned for the same upstream and balancer before.
 */
export function buildPicker(balancer: Balancer, endpoints: readonly Endpoint[], previous?: Picker): Picker {
  const anyHealthy = endpoints.some((endpoint) => endpoint.healthy)
  const byPriority = new Map<number, Endpoint[]>()
  for (const endpoint of endpoints) {
    const group = byPriority.get(endpoint.priority)
    if (group === undefined) byPriority.set(endpoint.priority, [endpoint])
    else group.push(endpoint)
  }
  const before = previous instanceof PriorityPicker ? previous : undefined
  const groups: Group[] = []
  for (const [priority, group] of byPriority) {
    const inherited = before?.pickerOf(priority)
    if (anyHealthy && group.every((endpoint) => !endpoint.healthy)) continue
    groups.push({ priority, picker: balancer.build(group, inherited) })
  }
  groups.sort((a, b) => b.priority - a.priority)
  return new PriorityPicker(groups)
}

interface Group {
  readonly priority: number
  readonly picker: Picker
}

class PriorityPicker implements Picker {
  /** Greatest priority first. */
  readonly #groups: readonly Group[]

  constructor(groups: readonly Group[]) {
    this.#groups = groups
  }

  pick(key: string, tried: readonly Endpoint[]): Endpoint | undefined {
    for (let index = 0; index < this.#groups.length; index += 1) {
      const endpoint = (this.#groups[index] as Group).picker.pick(key, tried)
      if (endpoint !== undefined) return endpoint
    }
    return undefined
  }

  pickerOf(priority: number): Picker | undefined {
    return this.#groups.find((group) => group.priority === priority)?.picker
  }
}
