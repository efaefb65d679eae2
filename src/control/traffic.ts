/** The traffic side as main steers it: the worker pool and the ports, and what of a change goes to which of them. */
import { randomBytes } from 'node:crypto'
import { createSharedCounters, type SharedMemory } from '../base/shared-counters.ts'
import type { BootConf } from '../config/boot-schema.ts'
import { millis } from '../config/units.ts'
import type { Log } from '../observability/log.ts'
import type { MetricsSnapshot } from '../observability/metrics-snapshot.ts'
import type { StreamRouteValue } from '../resources/stream-route.ts'
import type { NormalChange } from '../snapshot/compiler.ts'
import type { WorkerConf } from '../threads/messages.ts'
import { workerConf, workerCount } from '../threads/worker-conf.ts'
import { WorkerPool } from '../threads/worker-pool.ts'
import type { Configuration } from './configuration.ts'
import { Ports } from './ports.ts'

export interface TrafficOptions {
  readonly home: string
  readonly conf: BootConf
  readonly configuration: Configuration
  readonly log: Log
}

/** Room for workers that drain or are being replaced beside those that serve, and for a reload that asks for more. */
const spareIndexes = 16

export class Traffic {
  readonly ports: Ports
  readonly #options: TrafficOptions
  readonly #pool: WorkerPool
  readonly #counters: SharedMemory
  readonly #ticketSecret: Uint8Array = randomBytes(32)
  #conf: BootConf
  #workerConf: WorkerConf
  #started = false

  constructor(options: TrafficOptions) {
    const { home, conf, log } = options
    this.#options = options
    this.#conf = conf
    this.#workerConf = workerConf(home, conf)
    const maxIndex = workerCount(conf) * 2 + spareIndexes
    this.#counters = createSharedCounters({ slots: conf.sluice.limits.shared_counters, workers: maxIndex })
    this.ports = new Ports({
      conf,
      schemeOf: (route) => this.#schemeOf(route),
      log,
      listen: (listeners) => this.#pool.listen(listeners, this.#lingerMs),
    })
    this.#pool = new WorkerPool({
      boot: (index) => ({
        index,
        conf: this.#workerConf,
        counters: this.#counters,
        ticketSecret: this.#ticketSecret,
        revision: options.configuration.store.revision,
        resources: options.configuration.resources,
        addresses: options.configuration.addresses,
        listeners: this.ports.open,
      }),
      counters: this.#counters,
      maxIndex,
      maxSeries: conf.sluice.limits.metric_series,
      log,
    })
  }

  /** Opens the ports and starts the workers. Rejects with all that is taken when a port of config.yaml cannot be had. */
  async start(): Promise<void> {
    const { wanted, taken } = await this.ports.probe()
    const refused = wanted.filter((spec) => spec.from === 'config' && taken.has(spec.key))
    if (refused.length > 0) throw new Error(refused.map((spec) => taken.get(spec.key)).join('\n'))
    this.ports.opened(wanted.filter((spec) => !taken.has(spec.key)))
    this.#started = true
    const failures = await this.#pool.resize(workerCount(this.#conf), 0)
    const first = failures[0]
    if (first !== undefined) throw new Error(`cannot listen on ${first.key}: ${first.message}`)
    if (taken.size > 0) await this.ports.apply()
  }

  /** Resources have changed: workers compile them, and ports follow. */
  changed(changes: readonly NormalChange[], revision: number): void {
    let look = false
    for (const { kind, id, value } of changes) {
      if (kind === 'stream_routes') look = this.ports.set(id, value as StreamRouteValue | undefined) || look
      else if (kind !== 'ssls') look = this.ports.reconsider() || look
    }
    if (!this.#started) return
    this.#pool.broadcast({ type: 'changes', revision, changes })
    if (look) void this.ports.apply()
  }

  addressChanged(host: string, address: string | undefined): void {
    if (this.#started) this.#pool.broadcast({ type: 'addresses', changes: [[host, address]] })
  }

  /** Tries the ports that another config.yaml would open; rejects with those that are taken. */
  async probe(conf: BootConf): Promise<void> {
    this.ports.replan(conf)
    const { wanted, taken } = await this.ports.probe()
    const refused = wanted.filter((spec) => spec.from === 'config' && taken.has(spec.key))
    if (refused.length === 0) return
    this.ports.replan(this.#conf)
    throw new Error(refused.map((spec) => taken.get(spec.key)).join('\n'))
  }

  /** Puts another config.yaml in force; resolves with what could not be done. */
  async reconfigure(conf: BootConf, next: WorkerConf): Promise<readonly string[]> {
    this.#conf = conf
    await this.configure(next)
    await this.#pool.resize(workerCount(conf), this.#lingerMs)
    return this.ports.apply()
  }

  async configure(next: WorkerConf): Promise<void> {
    this.#workerConf = next
    await this.#pool.configure(next)
  }

  metrics(): Promise<readonly MetricsSnapshot[]> {
    return this.#pool.metrics()
  }

  reports(): ReturnType<WorkerPool['reports']> {
    return this.#pool.reports()
  }

  unreadiness(): string | undefined {
    return this.#started ? this.#pool.unreadiness(workerCount(this.#conf)) : undefined
  }

  reopen(): Promise<void> {
    return this.#pool.reopen()
  }

  /** Cuts a drain short. */
  hurry(): void {
    void this.#pool.close(0)
  }

  async close(lingerMs: number): Promise<void> {
    this.ports.close()
    await this.#pool.close(lingerMs)
  }

  get #lingerMs(): number {
    return millis(this.#conf.nginx_config.worker_shutdown_timeout)
  }

  /** The scheme of the upstream that a route ends at, wherever that stands. */
  #schemeOf(route: StreamRouteValue): string | undefined {
    const { configuration } = this.#options
    const scheme = (value: unknown): string | undefined => (value as { scheme?: string } | undefined)?.scheme
    if (route.upstream_id !== undefined) return scheme(configuration.normal('upstreams', route.upstream_id))
    if (route.upstream !== undefined) return scheme(route.upstream)
    const service = route.service_id === undefined ? undefined : configuration.normal('services', route.service_id)
    if (service === undefined) return undefined
    const id = service['upstream_id']
    return scheme(id === undefined ? service['upstream'] : configuration.normal('upstreams', String(id)))
  }
}
