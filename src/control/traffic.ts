/** The traffic side as main steers it: the worker pool and the ports, and what of a change goes to which of them. */
import { randomBytes } from 'node:crypto'
import { createSharedCounters, type SharedMemory } from '../base/shared-counters.ts'
import { type CellMemory, createSharedWindows } from '../base/shared-windows.ts'
import type { BootConf } from '../config/boot-schema.ts'
import type { Wire } from '../net/wire.ts'
import type { Log } from '../observability/log.ts'
import type { MetricsSnapshot } from '../observability/metrics-snapshot.ts'
import type { StreamRouteValue } from '../resources/stream-route.ts'
import type { NormalChange } from '../snapshot/compiler.ts'
import type { WorkerConf } from '../threads/messages.ts'
import { lingerMs, workerConf, workerCount } from '../threads/worker-conf.ts'
import { WorkerPool } from '../threads/worker-pool.ts'
import type { Configuration } from './configuration.ts'
import { Ports } from './ports.ts'

export interface TrafficOptions {
  readonly home: string
  readonly conf: BootConf
  /** Of all workers. */
  readonly wire: Wire['name']
  readonly configuration: Configuration
  /** What workers have counted, as text. */
  readonly exposition: () => Promise<string>
  readonly log: Log
}

/** Room for workers that drain or are being replaced beside those that serve, and for a reload that asks for more. */
const spareIndexes = 16

interface Scheme {
  readonly scheme?: string
}

export class Traffic {
  readonly ports: Ports
  readonly #options: TrafficOptions
  readonly #pool: WorkerPool
  readonly #counters: SharedMemory
  readonly #windows: CellMemory
  readonly #ticketSecret: Uint8Array = randomBytes(32)
  /** What the shared counters have room for. */
  readonly #maxWorkers: number
  /** By `upstreams/1`, `services/1`: what of it decides on the transport of a port. */
  readonly #transports = new Map<string, string>()
  #conf: BootConf
  #workerConf: WorkerConf
  #started = false

  constructor(options: TrafficOptions) {
    const { home, conf, log } = options
    this.#options = options
    this.#conf = conf
    this.#workerConf = workerConf(home, conf)
    const maxIndex = workerCount(conf) * 2 + spareIndexes
    this.#maxWorkers = maxIndex - spareIndexes / 2
    this.#counters = createSharedCounters({ slots: conf.sluice.limits.shared_counters, workers: maxIndex })
    this.#windows = createSharedWindows(conf.sluice.limits.shared_windows)
    this.ports = new Ports({
      conf,
      schemeOf: (route) => this.#schemeOf(route),
      log,
      listen: (listeners) => this.#pool.listen(listeners, lingerMs(this.#conf)),
    })
    this.#pool = new WorkerPool({
      boot: (index) => ({
        index,
        conf: this.#workerConf,
        wire: options.wire,
        counters: this.#counters,
        windows: this.#windows,
        ticketSecret: this.#ticketSecret,
        revision: options.configuration.store.revision,
        resources: JSON.stringify(options.configuration.resources),
        addresses: options.configuration.addresses,
        listeners: this.ports.open,
      }),
      counters: this.#counters,
      windows: this.#windows,
      maxIndex,
      maxSeries: conf.sluice.limits.metric_series,
      incomplete: () => this.ports.retryLater(),
      exposition: options.exposition,
      log,
    })
  }

  /** Opens the ports and starts the workers. Rejects with all that is taken when a port of config.yaml cannot be had. */
  async start(): Promise<void> {
    await this.ports.begin()
    const configured = new Set(this.ports.open.filter(({ from }) => from === 'config').map(({ key }) => key))
    this.#started = true
    const failures = await this.#pool.resize(workerCount(this.#conf), 0)
    const refused = failures.find(({ key }) => configured.has(key))
    if (refused !== undefined) throw new Error(`cannot listen on ${refused.key}: ${refused.message}`)
    await this.ports.apply()
  }

  /** Resources have changed: workers compile them, and ports follow. */
  changed(changes: readonly NormalChange[], revision: number): void {
    if (this.#started) this.#pool.broadcast({ type: 'changes', revision, changes })
    let moved = false
    let look = false
    for (const { kind, id, value } of changes) {
      if (kind === 'stream_routes') look = this.ports.set(id, value as StreamRouteValue | undefined) || look
      else if (kind !== 'ssls') moved = this.#transportMoved(`${kind}/${id}`, value) || moved
    }
    if (moved) look = this.ports.reconsider() || look
    if (look && this.#started) this.#applyPorts()
  }

  addressChanged(host: string, state: string | undefined | null): void {
    if (this.#started) this.#pool.broadcast({ type: 'addresses', changes: [[host, state]] })
  }

  /** Tries what another config.yaml would need; rejects with what cannot be had. Changes nothing. */
  async check(conf: BootConf): Promise<void> {
    if (!this.#started) return
    await this.ports.check(conf)
  }

  /** Puts another config.yaml in force, and with it `resources`; resolves with what could not be done. */
  async reconfigure(conf: BootConf, next: WorkerConf, resources: readonly NormalChange[]): Promise<readonly string[]> {
    this.#conf = conf
    if (!this.#started) return []
    this.ports.replan(conf)
    const troubles = [...(await this.configure(next, resources))]
    const asked = workerCount(conf)
    if (asked > this.#maxWorkers) {
      troubles.push(
        `nginx_config.worker_processes: more than ${this.#maxWorkers} workers take effect at the next start`,
      )
    }
    try {
      await this.#pool.resize(this.#workers, lingerMs(conf))
    } catch (error) {
      troubles.push(`nginx_config.worker_processes: a worker did not start: ${(error as Error).message}`)
    }
    return [...troubles, ...(await this.ports.apply())]
  }

  /** Resolves with what workers could not do of it. `resources` come into force at the same instant. */
  async configure(next: WorkerConf, resources: readonly NormalChange[] = []): Promise<readonly string[]> {
    this.#workerConf = next
    return this.#pool.configure(next, resources)
  }

  metrics(): Promise<readonly MetricsSnapshot[]> {
    return this.#pool.metrics()
  }

  reports(): ReturnType<WorkerPool['reports']> {
    return this.#pool.reports()
  }

  unreadiness(): string | undefined {
    return this.#started ? this.#pool.unreadiness(this.#workers) : undefined
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

  get #workers(): number {
    return Math.min(workerCount(this.#conf), this.#maxWorkers)
  }

  #applyPorts(): void {
    this.ports.apply().catch((error) => this.#options.log.error({ error }, 'opening ports failed'))
  }

  /** Whether a route that names this upstream or service may have to listen by another transport than before. */
  #transportMoved(key: string, value: NormalChange['value']): boolean {
    const { scheme, upstream, upstream_id } = (value ?? {}) as {
      scheme?: string
      upstream?: Scheme
      upstream_id?: string
    }
    const before = this.#transports.get(key) ?? ''
    const now = upstream_id ?? (scheme === 'udp' || upstream?.scheme === 'udp' ? 'udp' : '')
    if (now === '') this.#transports.delete(key)
    else this.#transports.set(key, now)
    return before !== now
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
