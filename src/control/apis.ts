/** The servers of the main thread: Admin, Control, status and metrics, each on its address, started and replaced together. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { createControlServer } from '../admin/control-server.ts'
import type { ServerTls } from '../admin/http-server.ts'
import { type ControlGauges, createMetricsServer, type MetricsServer } from '../admin/metrics-server.ts'
import { createAdminServer } from '../admin/server.ts'
import { createStatusServer } from '../admin/status-server.ts'
import { ApiDrivenSource } from '../config/api-driven.ts'
import type { BootConf } from '../config/boot-schema.ts'
import { portHolder } from '../net/port-probe.ts'
import type { WireChoice } from '../net/wires.ts'
import type { Log } from '../observability/log.ts'
import type { MetricsSnapshot } from '../observability/metrics-snapshot.ts'
import type { PluginCatalogue } from '../plugin/catalogue.ts'
import { kinds } from '../resources/index.ts'
import type { Configuration } from './configuration.ts'

export interface ApisOptions {
  readonly home: string
  readonly conf: BootConf
  readonly configuration: Configuration
  readonly catalogue: PluginCatalogue
  readonly readiness: () => string | undefined
  readonly wire: WireChoice
  readonly collect: () => Promise<readonly MetricsSnapshot[]>
  readonly gauges: () => ControlGauges
  readonly reloadPlugins: () => Promise<void>
  readonly log: Log
}

/** One server of main, made and not yet listening. */
interface Planned {
  /** The key of config.yaml that gives its address. */
  readonly path: string
  readonly host: string
  readonly port: number
  readonly server: { listen(host: string, port: number): Promise<unknown>; close(): Promise<unknown> }
}

/** Servers that listen on addresses that were free, and how to go over to them. */
export interface Replacement {
  /** Closes the servers before and opens those that take over an address. Rejects with what could not be opened. */
  complete(): Promise<void>
  /** Takes the replacement back; the servers before go on. */
  cancel(): Promise<void>
}

export class Apis {
  #running: readonly Planned[] = []
  /** Beside the one that listens, if one does: routes may show the numbers where no server does. */
  #exposition: MetricsServer

  private constructor(options: ApisOptions) {
    this.#exposition = metricsServer(options)
  }

  /** Starts every server that the configuration asks for. Rejects with the address and the reason, having closed the others. */
  static async start(options: ApisOptions): Promise<Apis> {
    const apis = new Apis(options)
    apis.#running = await listenAll(plan(options))
    return apis
  }

  /** Makes the servers of another configuration. What can fail fails here, and those that run go on. */
  async prepare(options: ApisOptions): Promise<Replacement> {
    const planned = plan(options)
    const used = new Set(this.#running.map(addressOf))
    const takeOver = planned.filter((each) => used.has(addressOf(each)))
    const fresh = await listenAll(planned.filter((each) => !used.has(addressOf(each))))
    return {
      complete: async () => {
        await closeAll(this.#running)
        this.#running = fresh
        this.#exposition = metricsServer(options)
        this.#running = [...fresh, ...(await listenAll(takeOver))]
      },
      cancel: () => closeAll([...fresh, ...takeOver]),
    }
  }

  /** What workers have counted, as text. */
  exposition(): Promise<string> {
    return this.#exposition.render()
  }

  async close(): Promise<void> {
    await closeAll(this.#running)
  }
}

const addressOf = ({ host, port }: Planned): string => `${host} ${port}`

/** Rejects with the first that cannot be opened, having closed them all. */
async function listenAll(planned: readonly Planned[]): Promise<readonly Planned[]> {
  for (const { path, host, port, server } of planned) {
    try {
      await server.listen(host, port)
    } catch (error) {
      await closeAll(planned)
      throw refusal(path, host, port, error)
    }
  }
  return planned
}

async function closeAll(planned: readonly Planned[]): Promise<void> {
  await Promise.all(planned.map(({ server }) => server.close()))
}

/** Every server that the configuration asks for. Throws with the key that does not allow one. */
function plan(options: ApisOptions): readonly Planned[] {
  const { conf, configuration, log, readiness, wire, reloadPlugins, catalogue } = options
  const { apisix, deployment } = conf
  const { source, store, check } = configuration
  const planned: Planned[] = []
  const add = (path: string, { ip, port }: { ip: string; port: number }, app: FastifyInstance): void => {
    const server = { listen: (host: string, at: number) => app.listen({ host, port: at }), close: () => app.close() }
    planned.push({ path, host: ip, port, server })
  }
  if (deployment.role !== 'data_plane' && apisix.enable_admin) {
    add('deployment.admin.admin_listen', deployment.admin.admin_listen, adminServer(options))
  }
  if (apisix.enable_control) {
    const health = (): undefined => undefined
    const parts = { source, store, kinds, catalogue, check, health, reloadPlugins, log }
    add('apisix.control', apisix.control, createControlServer(parts))
  }
  if (apisix.status !== undefined) add('apisix.status', apisix.status, createStatusServer({ readiness, wire }))
  const { prometheus } = conf.plugin_attr
  if (prometheus.enable_export_server) {
    const { ip: host, port } = prometheus.export_addr
    planned.push({ path: 'plugin_attr.prometheus.export_addr', host, port, server: metricsServer(options) })
  }
  return planned
}

function adminServer({ home, conf, configuration, catalogue, reloadPlugins, log }: ApisOptions): FastifyInstance {
  const { admin } = conf.deployment
  const { source, store, check } = configuration
  const tls = admin.https_admin ? adminTls(home, admin.admin_api_mtls) : undefined
  return createAdminServer({
    admin: {
      keyRequired: admin.admin_key_required,
      keys: admin.admin_key,
      cors: admin.enable_admin_cors,
      allow: admin.allow_admin,
      apiVersion: admin.admin_api_version,
    },
    serverTokens: conf.apisix.enable_server_tokens,
    ...(tls === undefined ? {} : { tls }),
    source,
    store,
    kinds,
    catalogue,
    check,
    streamEnabled: conf.apisix.proxy_mode !== 'http',
    standalone: source instanceof ApiDrivenSource ? source : undefined,
    reloadPlugins,
    log,
  })
}

function metricsServer({ conf, collect, gauges, log }: ApisOptions): MetricsServer {
  const { metric_prefix: prefix, export_uri: uri } = conf.plugin_attr.prometheus
  return createMetricsServer({ collect, gauges, prefix, uri, log })
}

function refusal(path: string, host: string, port: number, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException
  const where = `${path}: tcp port ${port} (${host}:${port})`
  if (code !== 'EADDRINUSE') return new Error(`${where} cannot be opened: ${message}`, { cause: error })
  const holder = portHolder('tcp', port)
  return new Error(`${where} is already in use${holder === undefined ? '' : ` by ${holder}`}`, { cause: error })
}

/** Throws with the key and the file that cannot be read. */
function adminTls(home: string, files: BootConf['deployment']['admin']['admin_api_mtls']): ServerTls {
  const read = (key: keyof typeof files): string => {
    try {
      return readFileSync(resolve(home, files[key]), 'utf8')
    } catch (error) {
      throw new Error(`deployment.admin.admin_api_mtls.${key}: ${(error as Error).message}`, { cause: error })
    }
  }
  const own = { cert: read('admin_ssl_cert'), key: read('admin_ssl_cert_key') }
  return files.admin_ssl_ca_cert === '' ? own : { ...own, ca: read('admin_ssl_ca_cert') }
}
