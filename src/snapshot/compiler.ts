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

export interface CompilerOptions {
  readonly host: PluginHost
  readonly counters: SharedCounters
  readonly certificates: CertificateDefaults
  readonly trusted: string | undefined
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
  readonly #addresses = new Map<string, string>()
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

  /** Names that were resolved, or no longer are. Endpoints change in place; no new snapshot is needed. */
  setAddresses(changes: readonly (readonly [host: string, address: string | undefined])[]): void {
    for (const [host, address] of changes) {
      if (address === undefined) this.#addresses.delete(host)
      else this.#addresses.set(host, address)
      this.#cells.addressChanged(host)
    }
  }

  /** Applies one batch and makes the result current. Never throws: what fails is logged and keeps its last good form. */
  apply(changes: readonly NormalChange[], revision: number): Snapshot {
    const dirty = new Set<string>()
    let { certificates } = this.#snapshot
    for (const change of changes) {
      switch (change.kind) {
        case 'stream_routes':
          this.#putRoute(change.id, change.value as StreamRouteValue | undefined)
          dirty.add(change.id)
          break
        case 'services':
          this.#putService(change.id, change.value as ServiceValue | undefined)
          for (const route of this.#routesOf.of(change.id)) dirty.add(route)
          break
        case 'upstreams':
          this.#cells.put(`upstreams/${change.id}`, change.value as UpstreamValue | undefined)
          break
        case 'ssls':
          certificates = this.#putSsl(certificates, change.id, change.value as SslValue | undefined)
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
    for (const [id, value] of [...this.#ssls]) certificates = this.#putSsl(certificates, id, value)
    this.#snapshot = Object.freeze({ ...this.#snapshot, certificates })
  }

  #putRoute(id: string, value: StreamRouteValue | undefined): void {
    if (value === undefined) {
      this.#values.delete(id)
      this.#orders.delete(id)
      this.#routesOf.set(id, [])
      this.#cells.forget(`stream_routes/${id}`)
      return
    }
    this.#values.set(id, value)
    if (!this.#orders.has(id)) this.#orders.set(id, this.#nextOrder++)
    this.#routesOf.set(id, value.service_id === undefined ? [] : [value.service_id])
    this.#cells.put(`stream_routes/${id}`, value.upstream)
  }

  #putService(id: string, value: ServiceValue | undefined): void {
    if (value === undefined) this.#services.delete(id)
    else this.#services.set(id, value)
    this.#cells.put(`services/${id}`, value?.upstream)
  }

  #putSsl(table: CertificateTable, id: string, value: SslValue | undefined): CertificateTable {
    if (value === undefined) this.#ssls.delete(id)
    else this.#ssls.set(id, value)
    this.#cells.sslChanged(id)
    if (value === undefined || value.type === 'client' || value.status === 0) return table.with(id, undefined)
    try {
      return table.with(id, compileCertificate(value, this.#certificateDefaults))
    } catch (error) {
      this.#options.log.error({ ssl: id, error }, 'a certificate cannot be used; its last good form stays')
      return table
    }
  }

  /** Compiles the routes named and puts them in the place of those of the same id. */
  #rebuild(dirty: ReadonlySet<string>): StreamRouter {
    const remove: Route[] = []
    const add: Route[] = []
    const closing: Chain[] = []
    for (const id of dirty) {
      const old = this.#routes.get(id)
      const value = this.#values.get(id)
      const route = value === undefined ? undefined : this.#compile(id, value)
      if (value !== undefined && route === undefined) continue
      if (old !== undefined) {
        remove.push(old)
        closing.push(old.chain)
      }
      if (route === undefined) this.#routes.delete(id)
      else {
        this.#routes.set(id, route)
        add.push(route)
      }
    }
    const router = this.#snapshot.router.with({ add, remove })
    for (const chain of closing) chain.close()
    return router
  }

  #compile(id: string, value: StreamRouteValue): Route | undefined {
    try {
      return compileStreamRoute(id, value, this.#orders.get(id) ?? 0, {
        service: (service) => this.#services.get(service),
        cells: this.#cells,
        host: this.#options.host,
      })
    } catch (error) {
      this.#options.log.error({ route: id, error }, 'a stream route cannot be used; its last good form stays')
      return undefined
    }
  }
}
