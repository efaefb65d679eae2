/**
 * The configuration source `etcd`: the prefix is read once, then watched. Losing etcd stops nothing: the last state goes on, is kept on
 * disk, and is caught up with when etcd is back. How etcd is spoken to is in the etcd-*.ts files beside it.
 */
import type { Etcd3, IEvent } from 'etcd3'
import { every, sleep } from '../base/timers.ts'
import type { Log } from '../observability/log.ts'
import { createEtcdClient, type EtcdOptions } from './etcd-client.ts'
import { parseKey, parsePair } from './etcd-keys.ts'
import { readNewest, readRange } from './etcd-range.ts'
import { watchRange } from './etcd-watch.ts'
import { EtcdWriter } from './etcd-writer.ts'
import { LastGood } from './last-good.ts'
import type { ConfigSource, ConfigWriter, SourceStatus } from './source.ts'
import type { Change, Resource, ResourceStore } from './store.ts'

export interface EtcdSourceOptions extends EtcdOptions {
  /** False for a data plane, which has no Admin API. */
  readonly writable: boolean
  /** Where the last good configuration is kept. */
  readonly lastGood: string
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>
}

export class EtcdSource implements ConfigSource {
  readonly name = 'etcd'
  readonly prefix: string
  readonly writer: ConfigWriter | undefined
  readonly #options: EtcdSourceOptions
  readonly #lastGood: LastGood
  /** What etcd holds, by `kind/id`, in the order in which it was made. */
  readonly #state: Map<string, Resource>
  readonly #closing: AbortController
  #client: Promise<Etcd3> | undefined
  #following: Promise<void>
  #revision: number
  #cluster: string
  #reachable: boolean
  #detail: string | undefined

  constructor(options: EtcdSourceOptions) {
    this.prefix = options.prefix
    this.writer = options.writable ? new EtcdWriter(() => this.#connected(), options.prefix) : undefined
    this.#options = options
    this.#lastGood = new LastGood({
      file: options.lastGood,
      origin: `${options.prefix} of ${[...options.hosts].sort().join(' ')}`,
      log: options.log,
    })
    this.#state = new Map()
    this.#closing = new AbortController()
    this.#client = undefined
    this.#following = Promise.resolve()
    this.#revision = 0
    this.#cluster = ''
    this.#reachable = false
    this.#detail = undefined
  }

  /** Rejects when etcd cannot be reached and no configuration of it was ever kept. One at a time. */
  async follow(store: ResourceStore, signal: AbortSignal): Promise<void> {
    const both = AbortSignal.any([signal, this.#closing.signal])
    await this.#start(store, both)
    this.#following = this.#keepUp(store, both)
  }

  status(): SourceStatus {
    return { provider: this.name, reachable: this.#reachable, detail: this.#detail }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#following
    await this.#lastGood.flush()
    const client = await this.#client?.catch(() => undefined)
    client?.close()
  }

  #connected(): Promise<Etcd3> {
    this.#client ??= createEtcdClient(this.#options)
    return this.#client
  }

  async #start(store: ResourceStore, signal: AbortSignal): Promise<void> {
    const { startupRetry, resyncMs, log } = this.#options
    for (let left = startupRetry; ; left--) {
      try {
        return await this.#readAll(store)
      } catch (error) {
        if (signal.aborted) return
        this.#lost(error)
        if (left > 0) {
          await sleep(Math.min(resyncMs, 1000), signal)
          continue
        }
        const kept = this.#lastGood.read()
        if (kept === undefined) throw error
        log.warn({ revision: kept.revision }, 'etcd cannot be reached; started with the configuration it had last')
        this.#replace(kept.resources, kept.revision, kept.cluster, store)
        return
      }
    }
  }

  /** Until aborted: watches, and after each break pauses, compares and goes on where it was. */
  async #keepUp(store: ResourceStore, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (await this.#isElsewhere()) await this.#readAll(store)
        if (signal.aborted) return
        const end = await this.#watch(store, signal)
        if (end === 'compacted') await this.#readAll(store)
      } catch (error) {
        if (signal.aborted) return
        this.#lost(error)
        const { resyncMs } = this.#options
        await sleep(resyncMs * (1 + Math.random() / 2), signal)
      }
    }
  }

  /** Whether the store is another one than before, or an older state of it: the watch cannot go on then. */
  async #isElsewhere(): Promise<boolean> {
    const { revision, cluster } = await readNewest(await this.#connected(), this.#root)
    return cluster !== this.#cluster || revision < this.#revision
  }

  async #watch(store: ResourceStore, signal: AbortSignal) {
    const client = await this.#connected()
    const doubt = new AbortController()
    const failure: { error?: unknown } = {}
    let heard = true
    const checks = every(this.#options.silenceMs, () => {
      if (!heard) void this.#doubt(client).catch((error) => stop(error))
      heard = false
    })
    const stop = (error: unknown): void => {
      failure.error = error
      doubt.abort()
    }
    try {
      const end = await watchRange({
        client,
        start: this.#root,
        fromRevision: this.#revision + 1,
        signal: AbortSignal.any([signal, doubt.signal]),
        onReady: () => this.#found(),
        onEvents: (events, revision) => {
          heard = true
          this.#take(events, revision, store)
        },
        onProgress: (revision) => {
          heard = true
          this.#revision = Math.max(this.#revision, revision)
        },
      })
      if (failure.error !== undefined) throw failure.error
      return end
    } finally {
      checks.cancel()
    }
  }

  /** A watch at a member that lost its cluster is silent and looks well: a quorum is asked instead. */
  async #doubt(client: Etcd3): Promise<void> {
    const before = this.#revision
    const { modified, revision, cluster } = await readNewest(client, this.#root)
    if (cluster !== this.#cluster || revision < before) throw new Error('etcd was replaced by another or older state')
    // what was written this moment may still be on its way: only a watch that stays behind is wrong
    if (modified <= before || !(await sleep(2000, this.#closing.signal))) return
    if (this.#revision < modified) throw new Error('the watch on etcd is behind the store')
  }

  async #readAll(store: ResourceStore): Promise<void> {
    const { pairs, revision, cluster } = await readRange(await this.#connected(), this.#root)
    const resources: Resource[] = []
    for (const pair of pairs) {
      const name = parseKey(pair.key.toString(), this.prefix)
      // a value that became unreadable while nobody watched leaves the last good form, as one seen by the watch does
      const resource = name && (this.#parse(pair) ?? this.#state.get(`${name.kind}/${name.id}`))
      if (resource !== undefined) resources.push(resource)
    }
    // by creation: the order that a store which followed from the beginning has
    resources.sort((a, b) => a.createdIndex - b.createdIndex)
    this.#replace(resources, revision, cluster, store)
    this.#found()
    this.#keep(store)
  }

  #replace(resources: readonly Resource[], revision: number, cluster: string, store: ResourceStore): void {
    this.#state.clear()
    for (const resource of resources) this.#state.set(`${resource.kind}/${resource.id}`, resource)
    this.#revision = revision
    this.#cluster = cluster
    store.replace(resources, revision)
  }

  #take(events: readonly IEvent[], revision: number, store: ResourceStore): void {
    const changes: Change[] = []
    for (const event of events) {
      const change = this.#toChange(event)
      if (change === undefined) continue
      if (change.type === 'delete') this.#state.delete(`${change.kind}/${change.id}`)
      else this.#state.set(`${change.resource.kind}/${change.resource.id}`, change.resource)
      changes.push(change)
    }
    this.#revision = revision
    store.apply(changes, revision)
    if (changes.length > 0) this.#keep(store)
  }

  #toChange({ type, kv }: IEvent): Change | undefined {
    // grpc names the enum's values in capitals, which the package's type does not say
    if (String(type).toLowerCase() === 'delete') {
      const name = parseKey(kv.key.toString(), this.prefix)
      return name === undefined ? undefined : { type: 'delete', ...name, revision: Number(kv.mod_revision) }
    }
    const resource = this.#parse(kv)
    return resource === undefined ? undefined : { type: 'put', resource }
  }

  #parse(pair: IEvent['kv']): Resource | undefined {
    try {
      return parsePair(pair, this.prefix)
    } catch (error) {
      const reason = error instanceof SyntaxError ? 'the value is not JSON' : String(error)
      this.#options.log.error({ key: pair.key.toString(), reason }, 'a value in etcd is ignored')
      return undefined
    }
  }

  /** The good form of what a store has refused is what the next start should have. */
  #keep(store: ResourceStore): void {
    this.#lastGood.keep(() => ({
      revision: this.#revision,
      cluster: this.#cluster,
      resources: [...this.#state.values()].map((each) => store.get(each.kind, each.id) ?? each),
    }))
  }

  #found(): void {
    if (!this.#reachable) this.#options.log.info({ revision: this.#revision }, 'connected to etcd')
    this.#reachable = true
    this.#detail = undefined
  }

  #lost(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error)
    if (this.#reachable || this.#detail === undefined) {
      this.#options.log.error({ reason }, 'the connection to etcd is lost; the last configuration goes on')
    }
    this.#reachable = false
    this.#detail = reason
  }

  get #root(): string {
    return `${this.prefix}/`
  }
}
