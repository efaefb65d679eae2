/**
 * The chains of routes with the plugins of consumers laid over them, made when a consumer first comes to a route. Bounded: at
 * `maxChains` one that was not used lately makes room. What falls out (so, or because the route, the consumer or its group
 * changed) is retired, and so closed once the last exchange that leased it has ended; an exchange leases what it gets at once.
 */

import type { ConsumerInfo } from '../exchange/http-exchange.ts'
import type { Chain, HttpStep } from '../plugin/chain.ts'
import type { PluginHost } from '../plugin/host.ts'
import type { ConsumerIndex, ConsumerOverlay } from './consumer-index.ts'

/** What runs for a consumer on a route. */
export interface ConsumerChain {
  /** The route's own where the consumer brings nothing. */
  readonly chain: Chain
  /** Rewrite steps that are due now: of plugins that the route does not have. */
  readonly lateRewrite: readonly HttpStep[] | undefined
  /** What the consumer names and there is none of: the request cannot be served. */
  readonly missing: string | undefined
}

export interface ConsumerChainsOptions {
  readonly host: Pick<PluginHost, 'overlay'>
  readonly consumers: ConsumerIndex
  /** A chain that is given out no more. */
  readonly retired: (chain: Chain) => void
  readonly maxChains: number
}

/** What of a route matters here. */
export interface RouteUnderConsumer {
  readonly id: string
  readonly chain: Chain
  /** By name, the plugins that `chain` was made of. */
  readonly plugins: Readonly<Record<string, unknown>>
}

interface Entry extends ConsumerChain {
  readonly route: RouteUnderConsumer
  readonly overlay: ConsumerOverlay
  /** Again, since it was made or last spared. */
  used: boolean
}

export class ConsumerChains {
  readonly #options: ConsumerChainsOptions
  readonly #maxChains: number
  readonly #byRoute = new Map<RouteUnderConsumer, Map<ConsumerOverlay, Entry>>()
  readonly #byOverlay = new Map<ConsumerOverlay, Set<Entry>>()
  /** All of them; those that were spared in a search go to the end. */
  readonly #all = new Set<Entry>()

  constructor(options: ConsumerChainsOptions) {
    this.#options = options
    this.#maxChains = options.maxChains
    options.consumers.dropped = (overlay) => this.#forgetOverlay(overlay)
  }

  /** How many are kept. */
  get size(): number {
    return this.#all.size
  }

  of(route: RouteUnderConsumer, { username }: ConsumerInfo): ConsumerChain {
    const { overlay, missing } = this.#options.consumers.pluginsOf(username)
    if (overlay === undefined) return { chain: route.chain, lateRewrite: undefined, missing }
    const known = this.#byRoute.get(route)?.get(overlay)
    if (known === undefined) return this.#make(route, overlay)
    known.used = true
    return known
  }

  /** The route is in no snapshot any more. */
  forget(route: RouteUnderConsumer): void {
    for (const entry of [...(this.#byRoute.get(route)?.values() ?? [])]) this.#drop(entry)
  }

  /** Every chain is made anew: other plugins are enabled. */
  clear(): void {
    for (const entry of [...this.#all]) this.#drop(entry)
    this.#options.consumers.renew()
  }

  #make(route: RouteUnderConsumer, overlay: ConsumerOverlay): Entry {
    if (this.#all.size >= this.#maxChains) this.#makeRoom()
    const owner = `routes/${route.id} ${overlay.owner}`
    const { chain, lateRewrite } = this.#options.host.overlay(owner, route.chain, route.plugins, overlay.plugins)
    const entry = { route, overlay, chain, lateRewrite, missing: undefined, used: false }
    const ofRoute = this.#byRoute.get(route)
    if (ofRoute === undefined) this.#byRoute.set(route, new Map([[overlay, entry]]))
    else ofRoute.set(overlay, entry)
    const ofOverlay = this.#byOverlay.get(overlay)
    if (ofOverlay === undefined) this.#byOverlay.set(overlay, new Set([entry]))
    else ofOverlay.add(entry)
    this.#all.add(entry)
    return entry
  }

  /** Those that were used again are spared once; so in the second round, at the latest, one goes. */
  #makeRoom(): void {
    for (const entry of this.#all) {
      if (!entry.used) return this.#drop(entry)
      entry.used = false
      this.#all.delete(entry)
      this.#all.add(entry)
    }
  }

  #forgetOverlay(overlay: ConsumerOverlay): void {
    for (const entry of [...(this.#byOverlay.get(overlay) ?? [])]) this.#drop(entry)
  }

  #drop(entry: Entry): void {
    const { route, overlay, chain } = entry
    this.#all.delete(entry)
    const ofRoute = this.#byRoute.get(route)
    ofRoute?.delete(overlay)
    if (ofRoute?.size === 0) this.#byRoute.delete(route)
    const ofOverlay = this.#byOverlay.get(overlay)
    ofOverlay?.delete(entry)
    if (ofOverlay?.size === 0) this.#byOverlay.delete(overlay)
    this.#options.retired(chain)
  }
}
