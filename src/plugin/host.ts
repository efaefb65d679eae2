/**
 * The plugin host: turns the merged plugin configurations of a resource into a chain. Configurations were checked before
 * they came here; a plugin that still fails to start is left out of its chain with an error line.
 */
import type { Json, JsonObject } from '../base/json.ts'
import type { SharedCounters } from '../base/shared-counters.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { UpstreamCell } from '../upstream/upstream.ts'
import { type Chain, emptyChain, type HeaderFilter, type LogStep } from './chain.ts'
import { type ConsumerDirectory, emptyDirectory } from './consumer-directory.ts'
import type { AnyPlugin, Build, Phases, Plugin, Step } from './plugin.ts'
import { Standings } from './standings.ts'

type Condition = (exchange: Exchange) => boolean

export interface HostOptions {
  readonly plugins: readonly AnyPlugin[]
  readonly counters: SharedCounters
  readonly log: Build['log']
  /** Compiles `_meta.filter`; throws on a bad expression. */
  readonly compileFilter: (filter: unknown) => Condition
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

const nothingAround: HostSurroundings = {
  consumers: emptyDirectory,
  metadata: () => undefined,
  upstreamById: () => ({ cell: { current: undefined }, release() {} }),
  upstream: () => ({ cell: { current: undefined }, release() {} }),
}

interface Meta {
  readonly disable?: boolean
  readonly priority?: number
  readonly filter?: unknown
}

interface Member {
  readonly name: string
  readonly priority: number
  readonly phases: Phases
  readonly condition: Condition | undefined
}

export class PluginHost {
  readonly #options: HostOptions
  readonly #byName = new Map<string, AnyPlugin>()
  readonly #standings = new Standings()
  #around: HostSurroundings = nothingAround

  constructor(options: HostOptions) {
    this.#options = options
    this.enable(options.plugins)
  }

  /** Before the first chain is made. */
  surround(around: HostSurroundings): void {
    this.#around = around
  }

  /** Other plugins are enabled from now on; chains that exist stay as they are. */
  enable(plugins: readonly AnyPlugin[]): void {
    this.#byName.clear()
    for (const plugin of plugins) this.#byName.set(plugin.name, plugin)
  }

  /** `merged`: plugin name → configuration, later layers already laid over earlier ones. `owner` names the resource in logs. */
  chain(owner: string, merged: Readonly<Record<string, JsonObject>>): Chain {
    const members: Member[] = []
    const releases: (() => void)[] = []
    for (const [name, conf] of Object.entries(merged)) {
      const member = this.#member(owner, name, conf, releases)
      if (member !== undefined) members.push(member)
    }
    if (members.length === 0) return emptyChain
    members.sort((a, b) => b.priority - a.priority)
    return {
      preread: phase(members, (phases) => phases.preread, guardStep),
      rewrite: phase(members, (phases) => phases.rewrite, guardStep),
      access: phase(members, (phases) => phases.access, guardStep),
      beforeProxy: phase(members, (phases) => phases.beforeProxy, guardStep),
      headerFilter: phase(members, (phases) => phases.headerFilter, guardHeader),
      log: phase(members, (phases) => phases.log, guardLog),
      names: members.map((member) => member.name),
      close() {
        for (const member of members) member.phases.close?.()
        for (const release of releases) release()
      },
    }
  }

  #member(owner: string, name: string, conf: JsonObject, releases: (() => void)[]): Member | undefined {
    const meta = (conf['_meta'] ?? {}) as Meta
    if (meta.disable === true) return undefined
    const plugin = this.#byName.get(name) as Plugin<JsonObject> | undefined
    if (plugin === undefined) {
      this.#options.log.warn({ owner, plugin: name }, 'a plugin that is not enabled here is left out')
      return undefined
    }
    try {
      const phases = plugin.create(conf, this.#build(owner, name, releases))
      const condition = meta.filter === undefined ? undefined : once(this.#options.compileFilter(meta.filter))
      return { name, priority: meta.priority ?? plugin.priority, phases, condition }
    } catch (error) {
      this.#options.log.error({ owner, plugin: name, error }, 'a plugin did not start and is left out')
      return undefined
    }
  }

  #build(owner: string, plugin: string, releases: (() => void)[]): Build {
    const standings = this.#standings
    const options = this.#options
    const around = this.#around
    const hold = (held: HeldUpstream): UpstreamCell => {
      releases.push(() => held.release())
      return held.cell
    }
    return {
      owner,
      counters: options.counters,
      log: options.log,
      consumers: around.consumers,
      metadata: () => around.metadata(plugin),
      attributes: options.attributes?.(plugin),
      phasesOf: (name, conf) => {
        const other = this.#byName.get(name) as Plugin<JsonObject> | undefined
        if (other === undefined) throw new Error(`plugin ${name} is not enabled here`)
        return other.create(conf, this.#build(owner, name, releases))
      },
      upstreamById: (id) => hold(around.upstreamById(id)),
      upstream: (key, value) => hold(around.upstream(`${owner} ${plugin} ${key}`, value)),
      expression: (json) => options.compileFilter(json),
      standing<T>(key: string, make: () => T): T {
        const held = standings.hold(`${plugin} ${key}`, make)
        releases.push(held.release)
        return held.value
      },
    }
  }
}

/** The steps of one phase in order, those with a condition wrapped; undefined for none. */
function phase<S>(
  members: readonly Member[],
  of: (phases: Phases) => S | undefined,
  guard: (condition: Condition, step: S) => S,
): readonly S[] | undefined {
  const steps: S[] = []
  for (const member of members) {
    const step = of(member.phases)
    if (step !== undefined) steps.push(member.condition === undefined ? step : guard(member.condition, step))
  }
  return steps.length === 0 ? undefined : steps
}

/** What holds at an exchange's first phase holds for all of them: a plugin that counted it in must be there to count it out. */
function once(condition: Condition): Condition {
  const verdicts = new WeakMap<Exchange, boolean>()
  return (exchange) => {
    const known = verdicts.get(exchange)
    if (known !== undefined) return known
    const verdict = condition(exchange)
    verdicts.set(exchange, verdict)
    return verdict
  }
}

function guardStep<X extends Exchange>(condition: Condition, step: Step<X>): Step<X> {
  return (exchange) => (condition(exchange) ? step(exchange) : undefined)
}

function guardHeader(condition: Condition, filter: HeaderFilter): HeaderFilter {
  return (exchange, head) => (condition(exchange) ? filter(exchange, head) : undefined)
}

function guardLog(condition: Condition, step: LogStep): LogStep {
  return (exchange) => {
    if (condition(exchange)) step(exchange)
  }
}
