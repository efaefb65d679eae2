/**
 * The resources as the main thread keeps them: followed from their source, checked, and turned into what workers compile.
 * It knows which kinds traffic needs; it does not know workers.
 */
import { isDeepStrictEqual } from 'node:util'
import type { JsonObject } from '../base/json.ts'
import { MemoryStore } from '../config/resource-store.ts'
import type { ConfigSource } from '../config/source.ts'
import type { Change } from '../config/store.ts'
import type { Log } from '../observability/log.ts'
import type { PluginCatalogue } from '../plugin/catalogue.ts'
import { kinds } from '../resources/index.ts'
import { createResourceCheck, type ResourceCheck } from '../snapshot/check.ts'
import { nodeNames } from '../snapshot/compile-upstream.ts'
import type { AddressChange, NormalChange } from '../snapshot/compiler.ts'
import { type NameState, NameWatch, type Resolver } from './name-watch.ts'

/** What traffic needs, in an order in which references come before those who refer. */
const trafficKinds = [
  'plugin_metadata',
  'ssls',
  'upstreams',
  'services',
  'plugin_configs',
  'consumer_groups',
  'consumers',
  'global_rules',
  'routes',
  'stream_routes',
] as const

/**
 * Sources that the Admin API writes to. It has sealed what is secret in them, and others may have written there who have other
 * plugins; in a file people write secrets as they are, and a plugin that there is not is a mistake.
 */
const storesWithWriters: ReadonlySet<string> = new Set(['embedded', 'etcd'])

export interface ConfigurationOptions {
  readonly source: ConfigSource
  readonly catalogue: PluginCatalogue
  readonly keyring: readonly string[]
  /** What `$env://NAME` stands for. */
  readonly environment: (name: string) => string | undefined
  readonly resolver: Resolver
  readonly log: Log
  /** The source brings another list of enabled plugins; undefined: none any more. */
  readonly pluginsChanged: (plugins: readonly JsonObject[] | undefined) => void
  /** Resources that traffic needs have changed. */
  readonly changed: (changes: readonly NormalChange[], revision: number) => void
  readonly addressChanged: (host: string, state: NameState) => void
}

export class Configuration {
  readonly store: MemoryStore
  readonly check: ResourceCheck
  readonly source: ConfigSource
  readonly #options: ConfigurationOptions
  readonly #names: NameWatch
  readonly #normal = new Map<string, Map<string, JsonObject>>(trafficKinds.map((kind) => [kind, new Map()]))
  readonly #stopping = new AbortController()

  constructor(options: ConfigurationOptions) {
    this.#options = options
    this.source = options.source
    this.source.pluginsChanged = (list) => {
      options.pluginsChanged(list)
      this.store.doubt()
    }
    const { log } = options
    this.store = new MemoryStore({ check: (kind, id, value) => this.check.checkLoaded(kind, id, value), log })
    this.check = createResourceCheck({
      kinds,
      catalogue: options.catalogue,
      lookup: this.store,
      keyring: options.keyring,
      pluginKeyring: storesWithWriters.has(this.source.name) ? options.keyring : [],
      passesOverPlugins: storesWithWriters.has(this.source.name),
      environment: options.environment,
    })
    this.#names = new NameWatch(options.resolver, options.addressChanged)
    this.store.onChange((changes) => this.#take(changes))
  }

  /** Resolves once the first full state is in the store. Rejects when the source has none to give. */
  async start(): Promise<void> {
    await this.source.follow(this.store, this.#stopping.signal)
  }

  /** Resolves once every host name had its first answer, or after `ms`. */
  async namesSettled(ms: number, sleep: (ms: number, signal: AbortSignal) => Promise<unknown>): Promise<void> {
    const given = new AbortController()
    await Promise.race([this.#names.settled(), sleep(ms, given.signal)])
    given.abort()
  }

  /** Everything that a worker compiles, in the order in which it was loaded. */
  get resources(): readonly NormalChange[] {
    const all: NormalChange[] = []
    for (const [kind, values] of this.#normal) for (const [id, value] of values) all.push({ kind, id, value })
    return all
  }

  get addresses(): readonly AddressChange[] {
    return this.#names.addresses
  }

  /** The normalised value of one resource that traffic needs. */
  normal(kind: string, id: string): JsonObject | undefined {
    return this.#normal.get(kind)?.get(id)
  }

  /**
   * The catalogue has changed: the values in force are made normal anew. Returns those that came out otherwise; they are as
   * good as announced. What was refused before is not looked at: `reconsider`.
   */
  renew(): readonly NormalChange[] {
    const changed: NormalChange[] = []
    for (const [kind, values] of this.#normal) {
      for (const [id, before] of values) {
        const resource = this.store.get(kind, id)
        const value = resource === undefined ? undefined : this.#normalized(kind, id, resource.value)
        if (value === undefined || isDeepStrictEqual(value, before)) continue
        values.set(id, value)
        if (kind !== 'ssls') this.#watchNames(kind, id, value)()
        changed.push({ kind, id, value })
      }
    }
    return changed
  }

  /** The catalogue has changed: what it refused may be right now. */
  reconsider(): void {
    this.store.reconsider()
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    this.#names.close()
    await this.source.close()
  }

  #take(changes: readonly Change[]): void {
    const normal: NormalChange[] = []
    const releases: (() => void)[] = []
    for (const change of changes) {
      const { kind, id } = change.type === 'put' ? change.resource : change
      const values = this.#normal.get(kind)
      if (values === undefined) continue
      const value = change.type === 'put' ? this.#normalized(kind, id, change.resource.value) : undefined
      if (value === undefined && change.type === 'put') continue
      if (value === undefined) values.delete(id)
      else values.set(id, value)
      if (kind !== 'ssls') releases.push(this.#watchNames(kind, id, value))
      normal.push({ kind, id, value })
    }
    if (normal.length > 0) this.#options.changed(normal, this.store.revision)
    // Not before: workers would lose the addresses of nodes that they still have.
    for (const release of releases) release()
  }

  #normalized(kind: string, id: string, value: JsonObject): JsonObject | undefined {
    try {
      return this.check.normalize(kind, id, value)
    } catch (error) {
      this.#options.log.error({ kind, id, error }, 'a resource cannot be used; its last good form stays')
      return undefined
    }
  }

  #watchNames(kind: string, id: string, value: JsonObject | undefined): () => void {
    const upstreams = value === undefined ? [] : this.check.upstreamsIn(kind, id, value)
    return this.#names.set(`${kind}/${id}`, [...new Set(upstreams.flatMap(nodeNames))])
  }
}
