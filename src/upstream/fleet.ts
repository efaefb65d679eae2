/**
 * The standing half of an upstream: its endpoints, their loads, and the picker over them. Kept by owner across revisions,
 * so that a change of weights resets no counter and no rotation. It dials nothing and retries nothing.
 */
import type { Balancer, Picker } from '../balancer/balancer.ts'
import { buildPicker } from '../balancer/priority.ts'
import type { SharedCounters } from '../base/shared-counters.ts'
import type { TimerWheel } from '../base/timers.ts'
import type { Endpoint } from '../exchange/endpoint.ts'
import { createLoad, type OwnedLoad } from '../exchange/load.ts'
import { HttpPool, type PoolLimits } from './http-pool.ts'

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

/** Server names come from clients where Host is passed on: so many are kept apart for one endpoint at once. */
const maxIdentities = 256

export class Fleet {
  readonly owner: string
  readonly #counters: SharedCounters
  readonly #loads = new Map<string, OwnedLoad>()
  /** By endpoint, and by what makes connections to it differ. */
  readonly #pools = new Map<string, Map<string, HttpPool>>()
  #poolLimits: PoolLimits | undefined
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
    for (const [id, load] of this.#loads) {
      if (kept.has(id)) continue
      load.retire()
      this.#loads.delete(id)
      this.#retirePools(id)
    }
    const previous = this.#balancer === balancer ? this.#picker : undefined
    this.#endpoints = endpoints
    this.#balancer = balancer
    this.#picker = buildPicker(balancer, endpoints, previous)
  }

  /**
   * Idle connections to the endpoint. `identity` tells apart what must not be mixed: scheme, TLS server name, verification and
   * client certificate. Undefined when the endpoint is not of this fleet any more.
   */
  pool(endpoint: Endpoint, identity: string, limits: PoolLimits, wheel: TimerWheel): HttpPool | undefined {
    let pools = this.#pools.get(endpoint.id)
    if (pools === undefined) {
      if (!this.#loads.has(endpoint.id)) return undefined
      pools = new Map()
      this.#pools.set(endpoint.id, pools)
    }
    if (limits !== this.#poolLimits) this.#limit(limits)
    let pool = pools.get(identity)
    if (pool === undefined) {
      if (pools.size >= maxIdentities) this.#retirePools(endpoint.id)
      pool = new HttpPool(limits, wheel)
      pools.set(identity, pool)
      this.#pools.set(endpoint.id, pools)
    }
    return pool
  }

  /** When no revision names the owner any more. Exchanges in progress keep their loads until they end. */
  retire(): void {
    for (const [id, load] of this.#loads) {
      load.retire()
      this.#retirePools(id)
    }
    this.#loads.clear()
  }

  #limit(limits: PoolLimits): void {
    this.#poolLimits = limits
    for (const pools of this.#pools.values()) for (const pool of pools.values()) pool.configure(limits)
  }

  #retirePools(id: string): void {
    const pools = this.#pools.get(id)
    if (pools === undefined) return
    this.#pools.delete(id)
    for (const pool of pools.values()) pool.retire()
    pools.clear()
  }

  #endpoint(node: NodeAddress): Endpoint {
    const id = node.host.includes(':') ? `[${node.host}]:${node.port}` : `${node.host}:${node.port}`
    let load = this.#loads.get(id)
    if (load === undefined) {
      load = createLoad(this.#counters.open(`in-flight ${this.owner} ${id}`))
      this.#loads.set(id, load)
    }
    const { host, port, weight, priority, domain } = node
    return { id, host, port, weight, priority, domain, healthy: true, load }
  }
}
