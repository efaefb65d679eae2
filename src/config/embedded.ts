/**
 * The configuration source `embedded`: one SQLite file on this machine, durable before a write is answered, every change
 * kept as history. For one gateway; several share their configuration by etcd.
 */

import type { JsonObject } from '../base/json.ts'
import { after, type Timer } from '../base/timers.ts'
import { EmbeddedDatabase, type HistoryEntry } from './embedded-database.ts'
import { type ConfigSource, type ConfigWriter, type PutOptions, type SourceStatus, WriteError } from './source.ts'
import type { Change, Resource, ResourceStore } from './store.ts'

export interface EmbeddedOptions {
  /** Path of the database; it and its directory are made. */
  readonly file: string
  /** Changes that are remembered: `sluice.limits.history`. */
  readonly history: number
  /** Milliseconds since 1970. For tests. */
  readonly now?: () => number
}

/** The longest that a timer is set for: Node's limit is 2^31 ms. */
const longestWaitMs = 86_400_000

export class EmbeddedSource implements ConfigSource, ConfigWriter {
  readonly name = 'embedded'
  readonly prefix = '/apisix'
  readonly #db: EmbeddedDatabase
  readonly #now: () => number
  #store: ResourceStore | undefined
  #expiry: Timer | undefined

  /** Throws ConfigError where the file is in use by another process, damaged or not writable. */
  constructor(options: EmbeddedOptions) {
    this.#db = new EmbeddedDatabase(options)
    this.#now = options.now ?? Date.now
    this.#store = undefined
    this.#expiry = undefined
    // what ran out while nobody was there is gone before anybody looks
    this.#db.expire(this.#now())
    this.#schedule()
  }

  get writer(): ConfigWriter {
    return this
  }

  async follow(store: ResourceStore, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    this.#store = store
    store.replace(this.#db.list(), this.#db.revision)
    const forget = () => {
      if (this.#store === store) this.#store = undefined
    }
    signal.addEventListener('abort', forget, { once: true })
  }

  status(): SourceStatus {
    return { provider: this.name, reachable: true, detail: undefined }
  }

  async close(): Promise<void> {
    this.#store = undefined
    this.#expiry?.cancel()
    this.#db.close()
  }

  async read(kind: string, id: string): Promise<Resource | undefined> {
    return this.#db.get(kind, id)
  }

  async list(kind: string): Promise<readonly Resource[]> {
    return this.#db.list(kind)
  }

  /** The store has it when this resolves. */
  async put(
    kind: string,
    id: string,
    value: JsonObject,
    options: PutOptions = {},
  ): Promise<{ resource: Resource; created: boolean }> {
    const now = this.#now()
    const expiresAt = options.ttl === undefined ? undefined : now + options.ttl * 1000
    const done = this.#db.put(kind, id, value, now, { expect: options.expect, expiresAt })
    if (done === undefined) throw new WriteError('conflict', 'value changed before overwritten')
    this.#tell([{ type: 'put', resource: done.resource }], done.resource.modifiedIndex)
    if (expiresAt !== undefined) this.#schedule()
    return done
  }

  async delete(kind: string, id: string): Promise<boolean> {
    const change = this.#db.delete(kind, id, this.#now())
    if (change === undefined) return false
    this.#tell([change])
    return true
  }

  async nextId(): Promise<string> {
    return String(this.#db.nextRevision()).padStart(20, '0')
  }

  /** The latest changes, the newest first. */
  history(limit?: number): readonly HistoryEntry[] {
    return this.#db.history(limit)
  }

  #tell(changes: readonly Change[], revision = this.#db.revision): void {
    this.#store?.apply(changes, revision)
  }

  #schedule(): void {
    this.#expiry?.cancel()
    this.#expiry = undefined
    const at = this.#db.nextExpiry()
    if (at === undefined) return
    const wait = Math.min(Math.max(at - this.#now(), 0), longestWaitMs)
    this.#expiry = after(wait, () => this.#expire())
  }

  #expire(): void {
    try {
      const changes = this.#db.expire(this.#now())
      if (changes.length > 0) this.#tell(changes)
      this.#schedule()
    } catch {
      // the disk may have room again later; an expired resource that lives longer is the lesser evil
      this.#expiry = after(1000, () => this.#expire())
    }
  }
}
