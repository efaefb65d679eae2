/**
 * The HTTP routes of a worker: which of them a change touches, and the router over them. A route whose new value does not
 * compile keeps its last good form; one with status 0 is not in the router at all.
 */
import type { Log } from '../observability/log.ts'
import type { Chain } from '../plugin/chain.ts'
import type { RouteValue } from '../resources/route.ts'
import type { HttpRoute, HttpRouterIndex } from '../route/http-route.ts'
import { compileHttpRoute, type HttpRouteSurroundings } from './compile-http-route.ts'
import { Dependents } from './dependents.ts'

export interface HttpRoutesOptions {
  readonly router: HttpRouterIndex
  readonly around: HttpRouteSurroundings
  /** A chain that no route has any more. */
  readonly retired: (chain: Chain) => void
  /** A route is out of the router. */
  readonly removed: (route: HttpRoute) => void
  readonly log: Log
}

export class HttpRoutes {
  readonly #options: HttpRoutesOptions
  readonly #values = new Map<string, RouteValue>()
  readonly #routes = new Map<string, HttpRoute>()
  readonly #orders = new Map<string, number>()
  /** Routes by `service 1` and `plugin_config 1`. */
  readonly #dependents = new Dependents()
  #dirty = new Map<string, RouteValue | undefined>()
  #nextOrder = 0
  #router: HttpRouterIndex

  constructor(options: HttpRoutesOptions) {
    this.#options = options
    this.#router = options.router
  }

  /** A new value of a route; undefined: it is gone. In force after `apply`. */
  put(id: string, value: RouteValue | undefined): void {
    this.#dirty.set(id, value)
    if (value === undefined) this.#orders.delete(id)
    else if (!this.#orders.has(id)) this.#orders.set(id, this.#nextOrder++)
  }

  /** Something that routes name (`service 1`, `plugin_config 1`) has changed. */
  touch(target: string): void {
    for (const id of this.#dependents.of(target)) {
      if (!this.#dirty.has(id)) this.#dirty.set(id, this.#values.get(id))
    }
  }

  /** Every route is compiled anew: other plugins are enabled. */
  touchAll(): void {
    for (const [id, value] of this.#values) if (!this.#dirty.has(id)) this.#dirty.set(id, value)
  }

  /** Puts every route into another router, which is empty. In force after `apply`. */
  move(empty: HttpRouterIndex): void {
    this.#router = empty.with({ add: [...this.#routes.values()], remove: [] })
  }

  /** Compiles what was touched, and answers the router over the result. */
  apply(): HttpRouterIndex {
    if (this.#dirty.size === 0) return this.#router
    const dirty = this.#dirty
    this.#dirty = new Map()
    const { around, retired, removed } = this.#options
    const remove: HttpRoute[] = []
    const add: HttpRoute[] = []
    for (const [id, value] of dirty) {
      const inForce = value === undefined || value.status === 0 ? undefined : this.#compile(id, value)
      if (inForce === 'broken') continue
      const old = this.#routes.get(id)
      if (old !== undefined) remove.push(old)
      if (inForce !== undefined) add.push(inForce)
      this.#keep(id, value, inForce)
    }
    this.#router = this.#router.with({ add, remove })
    for (const { upstream } of add) if (upstream !== undefined) around.cells.hold(upstream)
    for (const route of remove) {
      if (route.upstream !== undefined) around.cells.release(route.upstream)
      removed(route)
      retired(route.chain)
    }
    return this.#router
  }

  #keep(id: string, value: RouteValue | undefined, route: HttpRoute | undefined): void {
    const targets: string[] = []
    if (value?.service_id !== undefined) targets.push(`service ${value.service_id}`)
    if (value?.plugin_config_id !== undefined) targets.push(`plugin_config ${value.plugin_config_id}`)
    this.#dependents.set(id, targets)
    if (value === undefined) this.#values.delete(id)
    else this.#values.set(id, value)
    if (route === undefined) {
      this.#routes.delete(id)
      this.#options.around.cells.put(`routes/${id}`, undefined)
    } else this.#routes.set(id, route)
  }

  #compile(id: string, value: RouteValue): HttpRoute | 'broken' {
    const { around, log } = this.#options
    const owner = `routes/${id}`
    const before = around.cells.value(owner)
    if (value.upstream !== before) around.cells.put(owner, value.upstream)
    try {
      return compileHttpRoute(id, value, this.#orders.get(id) ?? 0, around, this.#routes.get(id)?.chain)
    } catch (error) {
      log.error({ route: id, error }, 'a route cannot be used; its last good form stays')
      around.cells.put(owner, before)
      return 'broken'
    }
  }
}
