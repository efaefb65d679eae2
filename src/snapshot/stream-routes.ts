/**
 * The stream routes of a worker: which of them a change touches, and the router over them. A route whose new value does not
 * compile keeps its last good form.
 */
import type { Log } from '../observability/log.ts'
import type { Chain } from '../plugin/chain.ts'
import type { StreamRouteValue } from '../resources/stream-route.ts'
import type { Route } from '../route/router.ts'
import { StreamRouter } from '../route/stream-router.ts'
import { compileStreamRoute, type RouteSurroundings } from './compile-route.ts'
import { Dependents } from './dependents.ts'

export interface StreamRoutesOptions {
  readonly around: RouteSurroundings
  /** A chain that no route has any more. */
  readonly retired: (chain: Chain) => void
  readonly log: Log
}

export class StreamRoutes {
  readonly #options: StreamRoutesOptions
  readonly #values = new Map<string, StreamRouteValue>()
  readonly #routes = new Map<string, Route>()
  readonly #orders = new Map<string, number>()
  /** Routes by `service 1`. */
  readonly #dependents = new Dependents()
  #dirty = new Map<string, StreamRouteValue | undefined>()
  #nextOrder = 0
  #router = StreamRouter.of([])

  constructor(options: StreamRoutesOptions) {
    this.#options = options
  }

  /** A new value of a route; undefined: it is gone. In force after `apply`. */
  put(id: string, value: StreamRouteValue | undefined): void {
    this.#dirty.set(id, value)
    if (value === undefined) this.#orders.delete(id)
    else if (!this.#orders.has(id)) this.#orders.set(id, this.#nextOrder++)
  }

  /** Something that routes name (`service 1`) has changed. */
  touch(target: string): void {
    for (const id of this.#dependents.of(target)) {
      if (!this.#dirty.has(id)) this.#dirty.set(id, this.#values.get(id))
    }
  }

  /** Every route is compiled anew: other plugins are enabled. */
  touchAll(): void {
    for (const [id, value] of this.#values) if (!this.#dirty.has(id)) this.#dirty.set(id, value)
  }

  /** Compiles what was touched, and answers the router over the result. */
  apply(): StreamRouter {
    if (this.#dirty.size === 0) return this.#router
    const dirty = this.#dirty
    this.#dirty = new Map()
    const { cells } = this.#options.around
    const remove: Route[] = []
    const add: Route[] = []
    for (const [id, value] of dirty) {
      const route = value === undefined ? undefined : this.#compile(id, value)
      if (value !== undefined && route === undefined) continue
      const old = this.#routes.get(id)
      if (old !== undefined) remove.push(old)
      if (route !== undefined) add.push(route)
      this.#keep(id, value, route)
    }
    this.#router = this.#router.with({ add, remove })
    for (const { upstream } of add) if (upstream !== undefined) cells.hold(upstream)
    for (const { upstream, chain } of remove) {
      if (upstream !== undefined) cells.release(upstream)
      this.#options.retired(chain)
    }
    return this.#router
  }

  #keep(id: string, value: StreamRouteValue | undefined, route: Route | undefined): void {
    this.#dependents.set(id, value?.service_id === undefined ? [] : [`service ${value.service_id}`])
    if (value === undefined || route === undefined) {
      this.#values.delete(id)
      this.#routes.delete(id)
      this.#options.around.cells.put(`stream_routes/${id}`, undefined)
    } else {
      this.#values.set(id, value)
      this.#routes.set(id, route)
    }
  }

  /** Undefined, and all as it was, when the route cannot be compiled. */
  #compile(id: string, value: StreamRouteValue): Route | undefined {
    const { around, log } = this.#options
    const owner = `stream_routes/${id}`
    const before = around.cells.value(owner)
    if (value.upstream !== before) around.cells.put(owner, value.upstream)
    try {
      return compileStreamRoute(id, value, this.#orders.get(id) ?? 0, around)
    } catch (error) {
      log.error({ route: id, error }, 'a stream route cannot be used; its last good form stays')
      around.cells.put(owner, before)
      return undefined
    }
  }
}
