/**
 * Turns changes of resources into the next snapshot. Only what a change touches is compiled; everything else is shared with
 * the snapshot before. Values come checked and normalised; what still fails keeps its last good form.
 */
import type { JsonObject } from '../base/json.ts'
import type { SharedCounters } from '../base/shared-counters.ts'
import { type CertificateDefaults, CertificateTable, compileCertificate } from '../net/tls/certificates.ts'
import type { Log } from '../observability/log.ts'
import type { Chain } from '../plugin/chain.ts'
import type { PluginHost } from '../plugin/host.ts'
import type { ServiceValue } from '../resources/service.ts'
import type { SslValue } from '../resources/ssl.ts'
import type { StreamRouteValue } from '../resources/stream-route.ts'
import type { UpstreamValue } from '../resources/upstream.ts'
import type { Route } from '../route/router.ts'
import { StreamRouter } from '../route/stream-router.ts'
import { compileStreamRoute } from './compile-route.ts'
import { Dependents } from './dependents.ts'
import type { Snapshot } from './snapshot.ts'
import { UpstreamCells } from './upstream-cells.ts'

/** One change of a normalised resource; `value` undefined: it is gone. */
export interface NormalChange {
  readonly kind: string
  readonly id: string
  readonly value: JsonObject | undefined
}

/** What a name stands for; undefined: it does not resolve; null: no upstream has it any more. */
export type AddressChange = readonly [host: string, address: string | undefined | null]

export interface CompilerOptions {
  readonly host: PluginHost
  readonly counters: SharedCounters
  readonly certificates: CertificateDefaults
  readonly trusted: string | undefined
  /** A chain that no snapshot has any more. */
  readonly retired: (chain: Chain) => void
  readonly log: Log
}

export class SnapshotCompiler {
  readonly #options: CompilerOptions
  #certificateDefaults: CertificateDefaults
  readonly #services = new Map<string, ServiceValue>()
  readonly #ssls = new Map<string, SslValue>()
  readonly #values = new Map<string, StreamRouteValue>()
  readonly #routes = new Map<string, Route>()
  readonly #orders = new Map<string, number>()
  readonly #addresses = new Map<string, string | undefined>()
  /** Routes by the service that they name. */
  readonly #routesOf = new Dependents()
  readonly #cells: UpstreamCells
  #nextOrder = 0
  #snapshot: Snapshot

  constructor(options: CompilerOptions) {
    this.#options = options
    this.#certificateDefaults = options.certificates
    this.#cells = new UpstreamCells(
      options.counters,
      {
        address: (host) => this.#addresses.get(host),
        pending: (host) => !this.#addresses.has(host),
        ssl: (id) => this.#ssls.get(id),
        trusted: options.trusted,
      },
      options.log,
    )
    this.#snapshot = { revision: 0, router: StreamRouter.of([]), certificates: new CertificateTable() }
  }

  /** The snapshot in force. */
  get current(): Snapshot {
    return this.#snapshot
  }

  /** News of names. Endpoints change in place; no new snapshot is needed. */
  setAddresses(changes: readonly AddressChange[]): void {
    for (const [host, address] of changes) {
      if (address === null) {
        this.#addresses.delete(host)
        continue
      }
      this.#addresses.set(host, address)
      this.#cells.addressChanged(host)
    }
  }

  /** Applies one batch and makes the result current. Never throws: what fails is logged and keeps its last good form. */
  apply(changes: readonly NormalChange[], revision: number): Snapshot {
    const dirty = new Map<string, StreamRouteValue | undefined>()
    let { certificates } = this.#snapshot
    for (const { kind, id, value } of changes) {
      switch (kind) {
        case 'stream_routes':
          dirty.set(id, value as StreamRouteValue | undefined)
          if (value === undefined) this.#orders.delete(id)
          else if (!this.#orders.has(id)) this.#orders.set(id, this.#nextOrder++)
          break
        case 'services':
          this.#putService(id, value as ServiceValue | undefined)
          for (const route of this.#routesOf.of(id)) if (!dirty.has(route)) dirty.set(route, this.#values.get(route))
          break
        case 'upstreams':
          this.#cells.put(`upstreams/${id}`, value as UpstreamValue | undefined)
          break
        case 'ssls':
          certificates = this.#putSsl(certificates, id, value as SslValue | undefined)
          this.#cells.sslChanged(id)
          break
      }
    }
    const router = dirty.size === 0 ? this.#snapshot.router : this.#rebuild(dirty)
    this.#snapshot = Object.freeze({ revision, router, certificates })
    return this.#snapshot
  }

  /** Puts other defaults in force for certificates that say nothing of their own. */
  recertify(defaults: CertificateDefaults): void {
    this.#certificateDefaults = defaults
    let { certificates } = this.#snapshot
    for (const [id, value] of this.#ssls) certificates = this.#putSsl(certificates, id, value)
    this.#snapshot = Object.freeze({ ...this.#snapshot, certificates })
  }

  /** Makes every chain anew: other plugins are enabled. */
  rechain(): void {
    this.#snapshot = Object.freeze({ ...this.#snapshot, router: this.#rebuild(new Map(this.#values)) })
  }

  #putService(id: string, value: ServiceValue | undefined): void {
    if (value === undefined) this.#services.delete(id)
    else this.#services.set(id, value)
    this.#cells.put(`services/${id}`, value?.upstream)
  }

  #putSsl(table: CertificateTable, id: string, value: SslValue | undefined): CertificateTable {
    if (value === undefined) this.#ssls.delete(id)
    else this.#ssls.set(id, value)
    if (value === undefined || value.type === 'client' || value.status === 0) return table.with(id, undefined)
    try {
      return table.with(id, compileCertificate(value, this.#certificateDefaults))
    } catch (error) {
      this.#options.log.error({ ssl: id, error }, 'a certificate cannot be used; its last good form stays')
      return table
    }
  }

  /** Compiles the routes named and puts them in the place of those of the same id. */
  #rebuild(dirty: ReadonlyMap<string, StreamRouteValue | undefined>): StreamRouter {
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
    const router = this.#snapshot.router.with({ add, remove })
    for (const { upstream } of add) if (upstream !== undefined) this.#cells.hold(upstream)
    for (const { upstream, chain } of remove) {
      if (upstream !== undefined) this.#cells.release(upstream)
      this.#options.retired(chain)
    }
    return router
  }

  #keep(id: string, value: StreamRouteValue | undefined, route: Route | undefined): void {
    this.#routesOf.set(id, value?.service_id === undefined ? [] : [value.service_id])
    if (value === undefined || route === undefined) {
      this.#values.delete(id)
      this.#routes.delete(id)
      this.#cells.put(`stream_routes/${id}`, undefined)
    } else {
      this.#values.set(id, value)
      this.#routes.set(id, route)
    }
  }

  /** Undefined, and all as it was, when the route cannot be compiled. */
  #compile(id: string, value: StreamRouteValue): Route | undefined {
    const owner = `stream_routes/${id}`
    const before = this.#cells.value(owner)
    if (value.upstream !== before) this.#cells.put(owner, value.upstream)
    try {
      return compileStreamRoute(id, value, this.#orders.get(id) ?? 0, {
        service: (service) => this.#services.get(service),
        cells: this.#cells,
        host: this.#options.host,
      })
    } catch (error) {
      this.#options.log.error({ route: id, error }, 'a stream route cannot be used; its last good form stays')
      this.#cells.put(owner, before)
      return undefined
    }
  }
}
