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
  readonly collect: () => Promise<readonly MetricsSnapshot[]>
  readonly gauges: () => ControlGauges
  readonly reloadPlugins: () => Promise<void>
  readonly log: Log
}

export class Apis {
  readonly #servers: FastifyInstance[] = []
  #metrics: MetricsServer | undefined

  /** Starts every server that the configuration asks for. Rejects with the address and the reason, having closed the others. */
  static async start(options: ApisOptions): Promise<Apis> {
    const apis = new Apis()
    try {
      await apis.#start(options)
      return apis
    } catch (error) {
      await apis.close()
      throw error
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#servers.map((server) => server.close()), this.#metrics?.close()])
  }

  async #start(options: ApisOptions): Promise<void> {
    const { conf, configuration, log, readiness } = options
    const { apisix, deployment } = conf
    const { source, store, check } = configuration
    const { reloadPlugins, catalogue } = options
    if (deployment.role !== 'data_plane' && apisix.enable_admin) {
      const { ip, port } = deployment.admin.admin_listen
      await this.#listen('deployment.admin.admin_listen', ip, port, this.#admin(options))
    }
    if (apisix.enable_control) {
      const { ip, port } = apisix.control
      const server = createControlServer({
        source,
        store,
        kinds,
        catalogue,
        check,
        health: () => undefined,
        reloadPlugins,
        log,
      })
      await this.#listen('apisix.control', ip, port, server)
    }
    if (apisix.status !== undefined) {
      await this.#listen('apisix.status', apisix.status.ip, apisix.status.port, createStatusServer({ readiness }))
    }
    await this.#startMetrics(options)
  }

  #admin({ home, conf, configuration, catalogue, reloadPlugins, log }: ApisOptions): FastifyInstance {
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

  async #startMetrics({ conf, collect, gauges, log }: ApisOptions): Promise<void> {
    const { prometheus } = conf.plugin_attr
    if (!prometheus.enable_export_server) return
    const { ip, port } = prometheus.export_addr
    const server = createMetricsServer({
      collect,
      gauges,
      prefix: prometheus.metric_prefix,
      uri: prometheus.export_uri,
      log,
    })
    try {
      await server.listen(ip, port)
    } catch (error) {
      throw refusal('plugin_attr.prometheus.export_addr', ip, port, error)
    }
    this.#metrics = server
  }

  async #listen(path: string, host: string, port: number, server: FastifyInstance): Promise<void> {
    try {
      await server.listen({ host, port })
    } catch (error) {
      throw refusal(path, host, port, error)
    }
    this.#servers.push(server)
  }
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
