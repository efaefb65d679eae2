/**
 * Turns changes of resources into the next snapshot. Only what a change touches is compiled; everything else is shared with
 * the snapshot before. Values come checked and normalised; what still fails keeps its last good form.
 */
import type { JsonObject } from '../base/json.ts'
import type { SharedCounters } from '../base/shared-counters.ts'
import { type CertificateDefaults, CertificateTable, compileCertificate } from '../net/tls/certificates.ts'
import type { Log } from '../observability/log.ts'
import type { Chain } from '../plugin/chain.ts'
import type { GlobalChain } from '../plugin/global-chain.ts'
import type { PluginHost } from '../plugin/host.ts'
import { mergeGlobalRules, type PluginSet } from '../plugin/merge.ts'
import type { RouteValue } from '../resources/route.ts'
import type { ServiceValue } from '../resources/service.ts'
import type { SslValue } from '../resources/ssl.ts'
import type { StreamRouteValue } from '../resources/stream-route.ts'
import type { UpstreamValue } from '../resources/upstream.ts'
import type { HttpRouterIndex } from '../route/http-route.ts'
import { ConsumerChains } from './consumer-chains.ts'
import { ConsumerIndex } from './consumer-index.ts'
import { HttpRoutes } from './http-routes.ts'
import type { Snapshot } from './snapshot.ts'
import { StreamRoutes } from './stream-routes.ts'
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
  /** An empty router of the kind that is configured. */
  readonly httpRouter: HttpRouterIndex
  /** Chains made for consumers that are kept at most. */
  readonly consumerChains: number
  /** A chain that no snapshot has any more. */
  readonly retired: (chain: Chain) => void
  readonly log: Log
}

export class SnapshotCompiler {
  readonly #options: CompilerOptions
  #certificateDefaults: CertificateDefaults
  readonly #services = new Map<string, ServiceValue>()
  readonly #pluginConfigs = new Map<string, PluginSet>()
  readonly #globalRules = new Map<string, PluginSet>()
  readonly #metadata = new Map<string, JsonObject>()
  readonly #ssls = new Map<string, SslValue>()
  readonly #addresses = new Map<string, string | undefined>()
  readonly #cells: UpstreamCells
  readonly #consumers: ConsumerIndex
  readonly #consumerChains: ConsumerChains
  readonly #streamRoutes: StreamRoutes
  readonly #httpRoutes: HttpRoutes
  #snapshot: Snapshot

  constructor(options: CompilerOptions) {
    const { host, counters, log, retired } = options
    this.#options = options
    this.#certificateDefaults = options.certificates
    this.#cells = new UpstreamCells(
      counters,
      {
        address: (name) => this.#addresses.get(name),
        pending: (name) => !this.#addresses.has(name),
        ssl: (id) => this.#ssls.get(id),
        trusted: options.trusted,
      },
      log,
    )
    const cells = this.#cells
    this.#consumers = new ConsumerIndex({ host, log })
    host.surround({
      consumers: this.#consumers,
      metadata: (plugin) => this.#metadata.get(plugin),
      upstreamById: (id) => cells.lease(`upstreams/${id}`),
      upstream: (owner, value) => cells.own(owner, value as unknown as UpstreamValue),
    })
    this.#consumerChains = new ConsumerChains({
      host,
      consumers: this.#consumers,
      retired,
      maxChains: options.consumerChains,
    })
    const service = (id: string): ServiceValue | undefined => this.#services.get(id)
    this.#streamRoutes = new StreamRoutes({ around: { service, cells, host }, retired, log })
    const pluginConfig = (id: string): PluginSet | undefined => this.#pluginConfigs.get(id)
    this.#httpRoutes = new HttpRoutes({
      router: options.httpRouter,
      around: { service, pluginConfig, cells, host },
      retired,
      removed: (route) => this.#consumerChains.forget(route),
      log,
    })
    this.#snapshot = {
      revision: 0,
      router: this.#streamRoutes.apply(),
      http: this.#httpRoutes.apply(),
      globalRules: host.globalChain({}),
      consumerChains: this.#consumerChains,
      certificates: new CertificateTable(),
    }
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
    let { certificates } = this.#snapshot
    let rulesChanged = false
    for (const { kind, id, value } of changes) {
      if (kind === 'ssls') {
        certificates = this.#putSsl(certificates, id, value as SslValue | undefined)
        this.#cells.sslChanged(id)
      } else {
        this.#put(kind, id, value)
        rulesChanged ||= kind === 'global_rules'
      }
    }
    const globalRules = rulesChanged ? this.#compileGlobalRules() : this.#snapshot.globalRules
    this.#publish({ revision, certificates, globalRules })
    return this.#snapshot
  }

  /** Puts other defaults in force for certificates that say nothing of their own. */
  recertify(defaults: CertificateDefaults): void {
    this.#certificateDefaults = defaults
    let { certificates } = this.#snapshot
    for (const [id, value] of this.#ssls) certificates = this.#putSsl(certificates, id, value)
    this.#publish({ certificates })
  }

  /** Makes every chain anew: other plugins are enabled. */
  rechain(): void {
    this.#streamRoutes.touchAll()
    this.#httpRoutes.touchAll()
    this.#consumerChains.clear()
    this.#publish({ globalRules: this.#compileGlobalRules() })
  }

  /** Another kind of router: the routes are put into an empty one. */
  reroute(empty: HttpRouterIndex): void {
    this.#httpRoutes.move(empty)
    this.#publish({})
  }

  #publish(parts: Partial<Snapshot>): void {
    const router = this.#streamRoutes.apply()
    const http = this.#httpRoutes.apply()
    this.#snapshot = Object.freeze({ ...this.#snapshot, ...parts, router, http })
  }

  #put(kind: string, id: string, value: JsonObject | undefined): void {
    switch (kind) {
      case 'stream_routes':
        return this.#streamRoutes.put(id, value as unknown as StreamRouteValue | undefined)
      case 'routes':
        return this.#httpRoutes.put(id, value as unknown as RouteValue | undefined)
      case 'services':
        return this.#putService(id, value as unknown as ServiceValue | undefined)
      case 'upstreams':
        return this.#cells.put(`upstreams/${id}`, value as unknown as UpstreamValue | undefined)
      case 'plugin_configs':
        keep(this.#pluginConfigs, id, value?.['plugins'] as PluginSet | undefined)
        return this.#httpRoutes.touch(`plugin_config ${id}`)
      case 'global_rules':
        return keep(this.#globalRules, id, value?.['plugins'] as PluginSet | undefined)
      case 'plugin_metadata':
        return keep(this.#metadata, id, value)
      case 'consumers':
      case 'consumer_groups':
        return this.#consumers.put(kind, id, value)
    }
  }

  #putService(id: string, value: ServiceValue | undefined): void {
    keep(this.#services, id, value)
    this.#cells.put(`services/${id}`, value?.upstream)
    this.#streamRoutes.touch(`service ${id}`)
    this.#httpRoutes.touch(`service ${id}`)
  }

  #compileGlobalRules(): GlobalChain {
    const { host, log, retired } = this.#options
    const { plugins, repeated } = mergeGlobalRules(this.#globalRules)
    for (const { plugin, rules } of repeated) {
      log.error({ plugin, rules }, 'a plugin stands in several global rules and runs in none of them')
    }
    const before = this.#snapshot.globalRules
    const compiled = host.globalChain(plugins, before)
    retired(before.chain)
    return compiled
  }

  #putSsl(table: CertificateTable, id: string, value: SslValue | undefined): CertificateTable {
    keep(this.#ssls, id, value)
    if (value === undefined || value.type === 'client' || value.status === 0) return table.with(id, undefined)
    try {
      return table.with(id, compileCertificate(value, this.#certificateDefaults))
    } catch (error) {
      this.#options.log.error({ ssl: id, error }, 'a certificate cannot be used; its last good form stays')
      return table
    }
  }
}

function keep<T>(map: Map<string, T>, id: string, value: T | undefined): void {
  if (value === undefined) map.delete(id)
  else map.set(id, value)
}
