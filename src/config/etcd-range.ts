/** Reads all keys below one from etcd, in pages of one and the same revision. */
import type { Etcd3, IKeyValue } from 'etcd3'
import { rangeEnd } from './etcd-keys.ts'

/** Values may have 1.5 MB each: a page of so many stays below the limit of one message. */
const pageSize = 128

export interface RangeState {
  readonly pairs: readonly IKeyValue[]
  /** The revision of the whole store that the pairs are of. */
  readonly revision: number
  readonly cluster: string
}

/** `start` ends with a slash. Sorted by key. */
export async function readRange(client: Etcd3, start: string): Promise<RangeState> {
  const first = Buffer.from(start)
  const end = rangeEnd(first)
  const pairs: IKeyValue[] = []
  let key = first
  let revision: string | undefined
  for (;;) {
    const page = await client.kv.range({
      key,
      range_end: end,
      limit: pageSize,
      ...(revision === undefined ? {} : { revision }),
    })
    revision ??= page.header.revision
    for (const pair of page.kvs) pairs.push(pair)
    const last = page.kvs.at(-1)
    if (!page.more || last === undefined) {
      return { pairs, revision: Number(revision), cluster: page.header.cluster_id }
    }
    key = Buffer.concat([last.key, Buffer.from([0])])
  }
}

export interface Newest {
  /** The revision of the whole store. */
  readonly revision: number
  /** The revision of the latest change below `start` that still can be seen; deletions cannot. */
  readonly modified: number
  readonly cluster: string
}

/** Asks a quorum how far the store is, without reading values. */
export async function readNewest(client: Etcd3, start: string): Promise<Newest> {
  const key = Buffer.from(start)
  const { header, kvs } = await client.kv.range({
    key,
    range_end: rangeEnd(key),
    keys_only: true,
    limit: 1,
    sort_target: 'Mod',
    sort_order: 'Descend',
  })
  return {
    revision: Number(header.revision),
    modified: Number(kvs[0]?.mod_revision ?? 0),
    cluster: header.cluster_id,
  }
}
