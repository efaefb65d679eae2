/**
 * The standing half of an upstream: its endpoints, their loads, and the picker over them. Kept by owner across revisions,
 * so that a change of weights resets no counter and no rotation. It dials nothing and retries nothing.
 */
import type { Balancer, Picker } from '../balancer/balancer.ts'
import { buildPicker } from '../balancer/priority.ts'
import type { SharedCounter, SharedCounters } from '../base/shared-counters.ts'
import type { Endpoint, Load } from '../exchange/endpoint.ts'
import { createLoad } from '../exchange/load.ts'

/** A node of the configuration after its name was resolved. */
export interface NodeAddress {
  /** Numeric, without brackets. */
  readonly host: string
  readonly port: number
  readonly weight: number
  readonly priority: number
  /** The configured name, if `host` came out of the resolver. */
  readonly domain: string | undefined
}

interface Standing {
  readonly load: Load
  readonly counter: SharedCounter | undefined
}

export class Fleet {
  readonly owner: string
  readonly #counters: SharedCounters
  readonly #standing = new Map<string, Standing>()
  #endpoints: readonly Endpoint[] = []
  #picker: Picker | undefined
  #balancer: Balancer | undefined

  constructor(owner: string, counters: SharedCounters) {
    this.owner = owner
    this.#counters = counters
  }

  get size(): number {
    return this.#endpoints.length
  }

  get endpoints(): readonly Endpoint[] {
    return this.#endpoints
  }

  pick(key: string, tried: readonly Endpoint[]): Endpoint | undefined {
    return this.#picker?.pick(key, tried)
  }

  /** Puts new endpoints (or another algorithm) in force. Loads of endpoints that stay are kept, those of others retired. */
  update(balancer: Balancer, nodes: readonly NodeAddress[]): void {
    const endpoints = nodes.map((node) => this.#endpoint(node))
    const kept = new Set(endpoints.map((endpoint) => endpoint.id))
    for (const [id, standing] of this.#standing) {
      if (kept.has(id)) continue
      standing.counter?.release()
      this.#standing.delete(id)
    }
    const previous = this.#balancer === balancer ? this.#picker : undefined
    this.#endpoints = endpoints
    this.#balancer = balancer
    this.#picker = buildPicker(balancer, endpoints, previous)
  }

  /** When no revision names the owner any more. Exchanges in progress keep their loads until they end. */
  retire(): void {
    for (const standing of this.#standing.values()) standing.counter?.release()
    this.#standing.clear()
  }

  #endpoint(node: NodeAddress): Endpoint {
    const id = node.host.includes(':') ? `[${node.host}]:${node.port}` : `${node.host}:${node.port}`
    let standing = this.#standing.get(id)
    if (standing === undefined) {
      const counter = this.#counters.open(`in-flight ${this.owner} ${id}`)
      standing = { counter, load: createLoad(counter) }
      this.#standing.set(id, standing)
    }
    const { host, port, weight, priority, domain } = node
    return { id, host, port, weight, priority, domain, healthy: true, load: standing.load }
  }
}
