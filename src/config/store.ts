/**
 * Raw resources as the configuration source gave them, and who wants to hear of changes.
 * It does not know what a route is: a kind is the first segment of a key, an id the rest.
 */

import type { JsonObject } from '../base/json.ts'

export interface Resource {
  /** First segment of the key below the prefix: `routes`, `consumers`, … */
  readonly kind: string
  /** The rest of the key: `1`, `jack/credentials/a`, `vault/1`. */
  readonly id: string
  readonly value: JsonObject
  /** Revisions of the source at which the key was made and last changed. */
  readonly createdIndex: number
  readonly modifiedIndex: number
}

export type Change =
  | { readonly type: 'put'; readonly resource: Resource }
  | { readonly type: 'delete'; readonly kind: string; readonly id: string; readonly revision: number }

export interface ResourceStore {
  /** The revision of the source that this state stands for. */
  readonly revision: number
  get(kind: string, id: string): Resource | undefined
  /** In load order: the order of the first full state, later additions behind; an update keeps its place. */
  all(kind: string): Iterable<Resource>
  /** A full state: file reload, etcd compaction. Only what differs is announced. */
  replace(state: readonly Resource[], revision: number): void
  /** One batch, one revision. A resource that fails its check is logged and its last good form stays. */
  apply(changes: readonly Change[], revision: number): void
  /** Hears of accepted changes only, in order. Returns how to stop hearing. */
  onChange(listener: (changes: readonly Change[]) => void): () => void
}
