/**
 * The plugin host: turns the merged plugin configurations of a resource into a chain. Configurations were checked before they
 * came here; what becomes of a plugin that still fails to start is `failed-plugin.ts`.
 */
import type { Json, JsonObject } from '../base/json.ts'
import type { SharedCounters } from '../base/shared-counters.ts'
import type { SharedWindowTable } from '../base/shared-windows.ts'
import { compileTemplate } from '../base/template.ts'
import { needsBody } from '../exchange/body-variables.ts'
import type { HttpExchange } from '../exchange/http-exchange.ts'
import { Metrics } from '../observability/metrics.ts'
import type { UpstreamCell } from '../upstream/upstream.ts'
import type { Chain, HttpStep } from './chain.ts'
import { type ConsumerDirectory, emptyDirectory } from './consumer-directory.ts'
import { failedPlugin } from './failed-plugin.ts'
import { GlobalChain } from './global-chain.ts'
import { type Condition, Member, type MemberParts, metaIn, runAll } from './member.ts'
import { chainOf, inOrder, membersOf, rewriteSteps } from './member-chain.ts'
import { mergeLayers, type PlacedPlugins, type PluginSet } from './merge.ts'
import { checkedConf } from './nested-plugin.ts'
import { Outputs } from './outputs.ts'
import type { AnyPlugin, Build, Phases, Plugin } from './plugin.ts'
import type { Subsystem } from './plugin-table.ts'
import { Standings } from './standings.ts'

export interface HostOptions {
  /** Of both subsystems; of two with one name in one of them the later counts. */
  readonly plugins: readonly AnyPlugin[]
  readonly counters: SharedCounters
  readonly windows: SharedWindowTable
  /** Default: numbers that nobody reads. */
  readonly metrics?: Metrics
  readonly log: Build['log']
  /** Default: the folder that the process was started in. */
  readonly home?: string
  /** Compiles `_meta.filter`; throws on a bad expression. */
  readonly compileFilter: (filter: unknown) => Condition
  /** Reads the body of a request into its variables; undefined: that is done. Rejects with why the exchange fails. */
  readonly loadBody?: (exchange: HttpExchange) => Promise<void> | undefined
  /** What is offered for routes to show, as `Build.publicApi`. Default: nothing. */
  readonly publicApi?: Build['publicApi']
  /** `plugin_attr` of a plugin. */
  readonly attributes?: (plugin: string) => Json | undefined
}

/** What of the other resources plugins may ask for: given by whoever compiles them. */
export interface HostSurroundings {
  readonly consumers: ConsumerDirectory
  /** `plugin_metadata` of a plugin, as it is now. */
  metadata(plugin: string): JsonObject | undefined
  /** Both held until released. The second is of an upstream whose definition stands in a plugin's configuration. */
  upstreamById(id: string): HeldUpstream
  upstream(owner: string, value: JsonObject): HeldUpstream
}

export interface HeldUpstream {
  readonly cell: UpstreamCell
  release(): void
}

/** The chain of a route for a consumer. */
export interface Overlay {
  /** To be closed by whoever asked for it. It holds what it has of the route's chain. */
  readonly chain: Chain
  /** Rewrite steps of plugins that the route does not have: to run once the consumer is known. */
  readonly lateRewrite: readonly HttpStep[] | undefined
}

const nothingAround: HostSurroundings = {
  consumers: emptyDirectory,
  metadata: () => undefined,
  upstreamById: () => ({ cell: { current: undefined }, release() {} }),
  upstream: () => ({ cell: { current: undefined }, release() {} }),
}

/** One start of a plugin. */
interface Start {
  readonly owner: string
  readonly origin: string
  /** What is to be done when the plugin is closed. */
  readonly releases: (() => void)[]
  /** Variables that it asks for. */
  readonly names: Set<string>
}

const unreadSeries = 1000

export class PluginHost {
  /** What plugins send or write later. */
  readonly outputs = new Outputs()
  readonly #options: HostOptions
  readonly #enabled = { http: new Map<string, AnyPlugin>(), stream: new Map<string, AnyPlugin>() }
  readonly #standings = new Standings()
  readonly #metrics: Metrics
  #around: HostSurroundings = nothingAround

  readonly #loadBody: HttpStep

  constructor(options: HostOptions) {
    this.#options = options
    this.#metrics = options.metrics ?? new Metrics({ maxSeries: unreadSeries, onOverflow() {} })
    this.#loadBody = (exchange) => options.loadBody?.(exchange)?.then(() => undefined)
    this.enable(options.plugins)
  }

  /** Before the first chain is made. */
  surround(around: HostSurroundings): void {
    this.#around = around
  }

  /** Other plugins are enabled from now on; chains that exist stay as they are. */
  enable(plugins: readonly AnyPlugin[]): void {
    this.#enabled.http.clear()
    this.#enabled.stream.clear()
    for (const plugin of plugins) this.#enabled[plugin.subsystem].set(plugin.name, plugin)
  }

  /** What an enabled plugin of HTTP is; undefined also for those that are not enabled. */
  typeOf(name: string): AnyPlugin['type'] | undefined {
    return this.#enabled.http.get(name)?.type
  }

  /** The chain of a stream route, whose plugins `owner` names. */
  chain(owner: string, plugins: PluginSet): Chain {
    return chainOf(this.#members('stream', owner, mergeLayers({ origin: owner, plugins }), []))
  }

  /**
   * The chain of an HTTP route, of merged plugins. `owner` names what it runs for. What comes out the same as in `previous` goes on as it is,
   * with all that it counts and keeps; both chains hold it then.
   */
  mergedChain(owner: string, merged: PlacedPlugins, previous?: Chain): Chain {
    return chainOf(this.#members('http', owner, merged, previous === undefined ? [] : membersOf(previous)))
  }

  /** The chain of all global rules. */
  globalChain(merged: PlacedPlugins, previous?: GlobalChain): GlobalChain {
    return new GlobalChain(this.mergedChain('global_rules', merged, previous?.chain))
  }

  /**
   * Lays a consumer's plugins over the chain of a route, `base`, which was made of the plugins in `route`. Those that the
   * consumer does not name are the very ones of the route. Plugins of type `auth` stand at a consumer for something else, and are passed over.
   */
  overlay(owner: string, base: Chain, route: Readonly<Record<string, unknown>>, consumer: PlacedPlugins): Overlay {
    const own = Object.entries(consumer).filter(([name]) => this.typeOf(name) !== 'auth')
    const replaced = new Set(own.map(([name]) => name))
    const kept = membersOf(base).filter(({ plugin }) => !replaced.has(plugin.name))
    const added = this.#members('http', owner, Object.fromEntries(own), [])
    const late = added.filter(({ plugin }) => !Object.hasOwn(route, plugin.name))
    return { chain: chainOf([...kept, ...added]), lateRewrite: rewriteSteps(inOrder(late), added) }
  }

  #members(subsystem: Subsystem, owner: string, merged: PlacedPlugins, previous: readonly Member[]): readonly Member[] {
    const members: Member[] = []
    for (const [name, placed] of Object.entries(merged)) {
      if (metaIn(placed.conf).disable === true) continue
      const plugin = this.#enabled[subsystem].get(name)
      if (plugin === undefined) {
        this.#options.log.warn({ owner, plugin: name }, 'a plugin that is not enabled here is left out')
        continue
      }
      const parts = { plugin, owner, placed, attributes: this.#options.attributes?.(name) }
      const member = previous.find((one) => one.isMadeOf(parts)) ?? this.#start(parts)
      if (member !== undefined) members.push(member)
    }
    return members
  }

  #start(parts: Pick<MemberParts, 'plugin' | 'owner' | 'placed' | 'attributes'>): Member | undefined {
    const { plugin, owner, placed } = parts
    const { log } = this.#options
    const releases: (() => void)[] = []
    const names = new Set<string>()
    const failed = (error: unknown, message: string): void => log.error({ owner, plugin: plugin.name, error }, message)
    try {
      const { filter } = metaIn(placed.conf)
      const condition = filter === undefined ? undefined : this.#options.compileFilter(filter)
      for (const name of condition?.names ?? []) names.add(name)
      const phases = this.#create(plugin, placed.conf, { owner, origin: placed.origin, releases, names })
      const loadBody = needsBody([...names]) ? this.#loadBody : undefined
      return new Member({ ...parts, phases, started: true, filter: condition, loadBody, releases, failed })
    } catch (error) {
      failed(error, 'a plugin did not start')
      runAll(releases, (thrown) => failed(thrown, 'a plugin failed to close'))
      if (plugin.subsystem === 'stream') return undefined
      const phases = failedPlugin(plugin.name, error)
      const nothing = { filter: undefined, loadBody: undefined, releases: [] }
      return new Member({ ...parts, ...nothing, phases, started: false, failed })
    }
  }

  #create(plugin: AnyPlugin, conf: JsonObject, start: Start): Phases {
    return (plugin as Plugin<JsonObject>).create(conf, this.#build(plugin, start))
  }

  #build({ name: plugin, subsystem }: AnyPlugin, start: Start): Build {
    const { owner, origin, releases, names } = start
    const standings = this.#standings
    const options = this.#options
    const around = this.#around
    const hold = (held: HeldUpstream): UpstreamCell => {
      releases.push(() => held.release())
      return held.cell
    }
    const asksFor = (asked: readonly string[]): void => {
      for (const name of asked) names.add(name)
    }
    return {
      owner,
      origin,
      counters: options.counters,
      windows: options.windows,
      metrics: this.#metrics,
      home: options.home ?? process.cwd(),
      output: (output) => this.outputs.add(output),
      log: options.log,
      consumers: around.consumers,
      metadata: () => around.metadata(plugin),
      attributes: options.attributes?.(plugin),
      phasesOf: (name, conf) => {
        const other = this.#enabled[subsystem].get(name)
        if (other === undefined) throw new Error(`unknown plugin [${name}]`)
        const phases = this.#create(other, checkedConf(other, conf), start)
        releases.push(() => phases.close?.())
        return phases
      },
      upstreamById: (id) => hold(around.upstreamById(id)),
      upstream: (key, value) => hold(around.upstream(`${owner} ${plugin} ${key}`, value)),
      asksFor,
      publicApi: (method, path) => options.publicApi?.(method, path),
      expression: (json) => {
        const condition = options.compileFilter(json)
        asksFor(condition.names ?? [])
        return condition
      },
      template: (text) => {
        const template = compileTemplate(text)
        asksFor(template.names)
        return template
      },
      standing<T>(key: string, make: () => T, close?: (value: T) => void): T {
        const held = standings.hold(`${subsystem} ${plugin} ${key}`, make, close)
        releases.push(held.release)
        return held.value
      },
    }
  }
}
