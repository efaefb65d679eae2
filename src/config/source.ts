/** Where configuration comes from, and where the Admin API writes it. Implemented by embedded, etcd and yaml/json. */
import type { JsonObject } from '../base/json.ts'
import type { Resource, ResourceStore } from './store.ts'

export interface SourceStatus {
  readonly provider: string
  /** Whether the source can be reached right now (always true for files and the embedded database). */
  readonly reachable: boolean
  readonly detail: string | undefined
}

export interface ConfigSource {
  readonly name: 'embedded' | 'etcd' | 'yaml' | 'json'
  /** What stands before `/routes/1` in keys that are shown: `/apisix`, or nothing for files. */
  readonly prefix: string
  /** Undefined where configuration cannot be written. */
  readonly writer: ConfigWriter | undefined
  /**
   * Set before `follow`: hears of the list of enabled plugins (`{name, stream?}`) whenever another one comes, before the resources
   * that come with it are put into the store. Undefined: the source brings none, and config.yaml's holds.
   */
  pluginsChanged?: (plugins: readonly JsonObject[] | undefined) => void
  /** Resolves after the first full state was put into `store`, then follows until aborted. Rejects if there is none. */
  follow(store: ResourceStore, signal: AbortSignal): Promise<void>
  status(): SourceStatus
  close(): Promise<void>
}

export interface PutOptions {
  /** The key lives so many seconds; absent: for ever. */
  readonly ttl?: number
  /** Write only if the key's modifiedIndex still is this (compare and swap); 0: only if absent. */
  readonly expect?: number
}

/** Why a write was not done. `message` is what the Admin API answers as `error_msg` with 503. */
export class WriteError extends Error {
  readonly reason: 'unreachable' | 'read-only' | 'conflict'
  constructor(reason: WriteError['reason'], message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'WriteError'
    this.reason = reason
  }
}

/** Reads and writes of the store itself (not of this process's view). Every promise may reject with a WriteError. */
export interface ConfigWriter {
  read(kind: string, id: string): Promise<Resource | undefined>
  list(kind: string): Promise<readonly Resource[]>
  /** Durable when resolved. `created`: there was none before. */
  put(
    kind: string,
    id: string,
    value: JsonObject,
    options?: PutOptions,
  ): Promise<{ resource: Resource; created: boolean }>
  /** False: there was none. Deletes exactly one key. */
  delete(kind: string, id: string): Promise<boolean>
  /** A new id: the store's revision as 20 digits. */
  nextId(): Promise<string>
}
