/**
 * The gateway as one thing: starts configuration, ports, workers and APIs in the order in which they need each other, reloads,
 * drains and stops them. What each of them does is in the folders it wires together.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject } from './base/json.ts'
import { productVersion } from './base/product-version.ts'
import { sleep } from './base/timers.ts'
import { ensureAdminKey, ensureUid } from './config/admin-key.ts'
import { type LoadedBoot, loadBootConf, processEnvironment } from './config/boot.ts'
import type { BootConf } from './config/boot-schema.ts'
import { createSource } from './config/index.ts'
import { Apis, type ApisOptions, type Replacement } from './control/apis.ts'
import { Configuration } from './control/configuration.ts'
import { controlGauges, type GatewayStatus, servingLines } from './control/gateway-status.ts'
import type { Ports } from './control/ports.ts'
import { restartNeeded } from './control/reload-rules.ts'
import { createResolver } from './control/resolver.ts'
import { Traffic } from './control/traffic.ts'
import type { WireChoice } from './net/wires.ts'
import { SwitchableLog } from './observability/switchable-log.ts'
import type { AnyPlugin } from './plugin/plugin.ts'
import { SwitchableCatalogue } from './plugin/switchable-catalogue.ts'
import { plugins } from './plugins/index.ts'
import type { NormalChange } from './snapshot/compiler.ts'
import { enabledNames, listedNames, loadExtraPlugins } from './threads/extra-plugins.ts'
import type { WorkerConf } from './threads/messages.ts'
import { checkWorkerConf, configuredWire, errorLogDestination, lingerMs, workerConf } from './threads/worker-conf.ts'

export type { GatewayStatus } from './control/gateway-status.ts'

export interface GatewayOptions {
  /** Holds conf/, logs/ and data/. */
  readonly home: string
  /** What `-c` named; undefined: conf/config.yaml below `home`. */
  readonly configFile: string | undefined
  /** What the operator should see on the terminal during the start. */
  readonly say: (line: string) => void
}

export interface Gateway {
  status(): Promise<GatewayStatus>
  /** Reads config.yaml again and puts it in force; resolves with warnings. Rejects with a printable message, and nothing changed. */
  reload(): Promise<readonly string[]>
  reopenLogs(): Promise<void>
  /** Ends at once: sessions are closed. */
  stop(): Promise<void>
  /** Ends once sessions have ended, or after `nginx_config.worker_shutdown_timeout`. */
  quit(): Promise<void>
  /** Resolves after stop or quit. */
  readonly ended: Promise<void>
}

/**
 * Resolves when every listener accepts and the first configuration is in force. Rejects with a printable message, having left
 * nothing behind.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const boot = await readBoot(options)
  for (const warning of boot.warnings) options.say(`warning: ${warning}`)
  const conf = workerConf(options.home, boot.conf)
  checkWorkerConf(conf)
  const wire = configuredWire(boot.conf)
  const gateway = new WiredGateway(options, boot, wire, await loadExtraPlugins(conf.extraPlugins))
  try {
    await gateway.begin()
    return gateway
  } catch (error) {
    // What the operator needs to know is why it did not start.
    await gateway.stop().catch(() => {})
    throw error
  }
}

async function readBoot({ home, configFile }: GatewayOptions): Promise<LoadedBoot> {
  const env = processEnvironment()
  const loaded = loadBootConf(configFile === undefined ? { home, env } : { home, file: configFile, env })
  return ensureAdminKey(loaded)
}

class WiredGateway implements Gateway {
  readonly #options: GatewayOptions
  readonly #wire: WireChoice
  readonly #log: SwitchableLog
  readonly #configuration: Configuration
  readonly #ports: Ports
  readonly #traffic: Traffic
  /** The user's own plugins that are in force. */
  #extra: readonly AnyPlugin[]
  /** The lists that the source brings, in the place of config.yaml's. */
  #listed: Pick<BootConf, 'plugins' | 'stream_plugins'> | undefined
  /** Of the user's own plugins: that in force, and the last that was tried. */
  #pluginGeneration = 0
  #lastGeneration = 0
  readonly #startedAt = new Date()
  readonly #stopResolver: () => void
  readonly #catalogue: SwitchableCatalogue
  #boot: LoadedBoot
  #apis: Apis | undefined
  #ending: Promise<void> | undefined
  #end: () => void = () => {}
  readonly ended: Promise<void>

  /** Wires, and starts nothing yet. */
  constructor(options: GatewayOptions, boot: LoadedBoot, wire: WireChoice, extra: readonly AnyPlugin[]) {
    this.#options = options
    this.#boot = boot
    this.#wire = wire
    this.#extra = extra
    const { home } = options
    const { conf } = boot
    mkdirSync(join(home, 'logs'), { recursive: true })
    this.#log = new SwitchableLog(errorLogDestination(home, conf), conf.nginx_config.error_log_level, 'main')
    this.#catalogue = new SwitchableCatalogue({ built: [...plugins, ...extra], ...enabledNames(boot.conf, extra) })
    const { enable_encrypt_fields: encrypted, keyring } = conf.apisix.data_encryption
    const { resolver, close } = createResolver(conf, this.#log)
    this.#stopResolver = close
    this.#configuration = new Configuration({
      source: createSource(boot, this.#log),
      catalogue: this.#catalogue,
      keyring: encrypted ? keyring : [],
      environment: (name) => boot.env[name],
      resolver,
      log: this.#log,
      pluginsChanged: (list) => this.#pluginsListed(list),
      changed: (changes, revision) => this.#traffic.changed(changes, revision),
      addressChanged: (host, address) => this.#traffic.addressChanged(host, address),
    })
    this.#traffic = new Traffic({
      ...{ home, conf, wire: wire.name, configuration: this.#configuration, log: this.#log },
      exposition: () => this.#apis?.exposition() ?? Promise.reject(new Error('the gateway is starting or ending')),
    })
    this.#ports = this.#traffic.ports
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /** Starts everything, in order. After a rejection `stop` takes back what had begun. */
  async begin(): Promise<void> {
    const { conf } = this.#boot
    ensureUid(this.#options.home)
    for (const warning of this.#boot.warnings) this.#log.warn({ file: this.#boot.file }, warning)
    await this.#configuration.start()
    await this.#configuration.namesSettled(conf.apisix.resolver_timeout * 1000, sleep)
    if (conf.deployment.role !== 'control_plane') {
      const { name: wire, passedOver } = this.#wire
      const reasons = passedOver.map((better) => [better.name, better.reason])
      this.#log.notice({ wire, passedOver: Object.fromEntries(reasons) }, 'the wire of all workers')
      await this.#traffic.start()
    }
    this.#apis = await Apis.start(this.#apisOptions(this.#boot))
    const { provider } = this.#configuration.source.status()
    this.#log.notice(
      { version: productVersion, provider, revision: this.#configuration.store.revision, pid: process.pid },
      'Sluice serves',
    )
    for (const line of servingLines(conf, this.#ports.open)) this.#options.say(line)
  }

  async status(): Promise<GatewayStatus> {
    const reports = await this.#traffic.reports()
    const { store, source } = this.#configuration
    const { provider, reachable } = source.status()
    return {
      pid: process.pid,
      version: productVersion,
      node: process.version,
      startedAt: this.#startedAt.toISOString(),
      uptimeSeconds: Math.floor((Date.now() - this.#startedAt.getTime()) / 1000),
      wire: this.#wire.name,
      passedOver: this.#wire.passedOver,
      config: { file: this.#boot.file, provider, reachable, revision: store.revision, rejected: store.rejected.size },
      listeners: this.#ports.open.map(({ key, ...shown }) => shown),
      workers: reports.map(({ index, state, revision, connections, restarts, report }) => ({
        index,
        state,
        revision,
        connections,
        restarts,
        wire: report?.wire,
      })),
      connections: {
        active: reports.reduce((sum, one) => sum + one.connections, 0),
        accepted: reports.reduce((sum, one) => sum + (one.report?.accepted ?? 0), 0),
      },
    }
  }

  async reload(): Promise<readonly string[]> {
    const before = this.#boot
    const boot = await readBoot(this.#options)
    const warnings = [...boot.warnings, ...restartNeeded(before.conf, boot.conf)]
    const next = this.#workerConf(boot)
    // What can fail comes first, and what was in force stays until it has succeeded.
    checkWorkerConf(next)
    configuredWire(boot.conf)
    await this.#traffic.check(boot.conf)
    const extra = await this.#extraOf(boot, this.#pluginGeneration)
    const apis = await this.#prepareApis(before, boot)
    if (this.#ending !== undefined) {
      await apis?.cancel()
      throw new Error('the gateway is stopping')
    }
    this.#boot = boot
    this.#log.configure(errorLogDestination(this.#options.home, boot.conf), boot.conf.nginx_config.error_log_level)
    const changed = this.#enablePlugins(boot, extra)
    warnings.push(...(await this.#traffic.reconfigure(boot.conf, next, changed)))
    this.#configuration.reconsider()
    await apis?.complete().catch((error: Error) => warnings.push(error.message))
    this.#log.notice({ file: boot.file }, 'the configuration was reloaded')
    for (const warning of warnings) this.#log.warn({ file: boot.file }, warning)
    return warnings
  }

  async reopenLogs(): Promise<void> {
    this.#log.reopen()
    await this.#traffic.reopen()
  }

  stop(): Promise<void> {
    return this.#close(0)
  }

  quit(): Promise<void> {
    return this.#close(lingerMs(this.#boot.conf))
  }

  #apisOptions({ conf }: LoadedBoot): ApisOptions {
    return {
      home: this.#options.home,
      conf,
      configuration: this.#configuration,
      catalogue: this.#catalogue,
      readiness: () => this.#traffic.unreadiness(),
      wire: this.#wire,
      collect: () => this.#traffic.metrics(),
      gauges: () => controlGauges(this.#configuration),
      reloadPlugins: () => this.#reloadPlugins(),
      log: this.#log,
    }
  }

  /** The servers of the APIs are replaced only when something that they depend on differs. */
  async #prepareApis(before: LoadedBoot, next: LoadedBoot): Promise<Replacement | undefined> {
    const relevant = ({ conf }: LoadedBoot): string =>
      JSON.stringify([conf.deployment.admin, conf.apisix, conf.plugin_attr.prometheus])
    if (relevant(before) === relevant(next)) return undefined
    return this.#apis?.prepare(this.#apisOptions(next))
  }

  /** Of the whole file, only what it says of plugins comes into force; the user's own are loaded anew. */
  async #reloadPlugins(): Promise<void> {
    const { conf: read } = await readBoot(this.#options)
    const { conf: old, ...loaded } = this.#boot
    const { plugins, stream_plugins } = read
    const sluice = { ...old.sluice, extra_plugins: read.sluice.extra_plugins }
    const boot = { ...loaded, conf: { ...old, plugins, stream_plugins, sluice } }
    // What cannot be loaded changes nothing.
    const generation = ++this.#lastGeneration
    const extra = await this.#extraOf(boot, generation)
    this.#pluginGeneration = generation
    this.#boot = boot
    const changed = this.#enablePlugins(boot, extra)
    const troubles = await this.#traffic.configure(this.#workerConf(boot), changed)
    this.#configuration.reconsider()
    if (troubles.length > 0) throw new Error(troubles.join('; '))
    this.#log.notice({ extra: extra.map(({ name }) => name) }, 'the plugins were reloaded')
  }

  #extraOf({ conf }: LoadedBoot, generation: number): Promise<readonly AnyPlugin[]> {
    return loadExtraPlugins(workerConf(this.#options.home, conf).extraPlugins, generation)
  }

  /** Returns the resources that these plugins give another normal form. */
  #enablePlugins(boot: LoadedBoot, extra: readonly AnyPlugin[]): readonly NormalChange[] {
    this.#extra = extra
    this.#catalogue.enable({ built: [...plugins, ...extra], ...enabledNames(this.#listed ?? boot.conf, extra) })
    return this.#configuration.renew()
  }

  #workerConf({ conf }: LoadedBoot): WorkerConf {
    return workerConf(this.#options.home, { ...conf, ...this.#listed }, this.#pluginGeneration)
  }

  #pluginsListed(list: readonly JsonObject[] | undefined): void {
    this.#listed = list === undefined ? undefined : listedNames(list)
    const changed = this.#enablePlugins(this.#boot, this.#extra)
    this.#traffic.configure(this.#workerConf(this.#boot), changed).then(
      (troubles) => {
        for (const trouble of troubles) this.#log.error({ trouble }, 'a worker could not take over the list of plugins')
      },
      (error) => this.#log.error({ error }, 'the list of plugins could not be put in force'),
    )
  }

  async #close(lingerMs: number): Promise<void> {
    // A stop overtakes a quit that is still waiting for sessions.
    if (this.#ending !== undefined && lingerMs === 0) this.#traffic.hurry()
    this.#ending ??= this.#closeAll(lingerMs)
    return this.#ending
  }

  async #closeAll(lingerMs: number): Promise<void> {
    this.#log.notice({ lingerMs }, lingerMs === 0 ? 'stopping' : 'draining')
    // Together: an answer that an API still owes must not keep the ports open.
    await Promise.all([this.#apis?.close(), this.#traffic.close(lingerMs)])
    await this.#configuration.close()
    this.#stopResolver()
    this.#log.notice({}, 'stopped')
    await this.#log.close()
    this.#end()
  }
}

/** What `sluice test` finds: the boot file and, as far as they can be read without starting, the resources. */
export async function checkConfiguration(
  options: Pick<GatewayOptions, 'home' | 'configFile'>,
): Promise<{ warnings: string[]; errors: string[] }> {
  const { checkHome } = await import('./control/check-home.ts')
  return checkHome({ ...options, plugins })
}
