/**
 * An immutable map: a changed one shares with the old one all but a few entries. Large maps are cut into shards by hash,
 * and a change copies the shards that it touches. Not a general tool: no iteration, no order.
 */

export type PersistentKey = string | number | bigint

const shardCount = 256
/** Up to here the whole map is one shard: copying it is cheaper than 256 pointers. */
const smallSize = 64

export class PersistentMap<Key extends PersistentKey, Value> {
  readonly size: number
  readonly #shards: readonly (ReadonlyMap<Key, Value> | undefined)[]

  private constructor(size: number, shards: readonly (ReadonlyMap<Key, Value> | undefined)[]) {
    this.size = size
    this.#shards = shards
  }

  static empty<Key extends PersistentKey, Value>(): PersistentMap<Key, Value> {
    return new PersistentMap<Key, Value>(0, [undefined])
  }

  get(key: Key): Value | undefined {
    const shards = this.#shards
    return shards[shards.length === 1 ? 0 : shardOf(key)]?.get(key)
  }

  /** This map with some keys set, or, where the new value is undefined, removed. */
  with(updates: ReadonlyMap<Key, Value | undefined>): PersistentMap<Key, Value> {
    if (updates.size === 0) return this
    // Counted before they are applied: removals may bring a map back under the limit, and it then stays sharded, which is harmless.
    const shards =
      this.#shards.length === 1 && this.size + updates.size > smallSize ? this.#spread() : [...this.#shards]
    const own = new Map<number, Map<Key, Value>>()
    let { size } = this
    for (const [key, value] of updates) {
      const index = shards.length === 1 ? 0 : shardOf(key)
      let shard = own.get(index)
      if (shard === undefined) {
        shard = new Map(shards[index])
        own.set(index, shard)
        shards[index] = shard
      }
      const had = shard.has(key)
      if (value === undefined) {
        if (shard.delete(key)) size -= 1
      } else {
        shard.set(key, value)
        if (!had) size += 1
      }
    }
    return size === 0 ? PersistentMap.empty() : new PersistentMap(size, shards)
  }

  #spread(): (ReadonlyMap<Key, Value> | undefined)[] {
    const shards: (Map<Key, Value> | undefined)[] = new Array(shardCount).fill(undefined)
    for (const [key, value] of this.#shards[0] ?? []) {
      const index = shardOf(key)
      const shard = shards[index] ?? new Map<Key, Value>()
      shards[index] = shard
      shard.set(key, value)
    }
    return shards
  }
}

function shardOf(key: PersistentKey): number {
  let hash = 0
  if (typeof key === 'string') {
    for (let index = 0; index < key.length; index += 1) hash = (Math.imul(hash, 31) + key.charCodeAt(index)) | 0
  } else {
    hash = typeof key === 'number' ? key | 0 : Number(BigInt.asIntN(32, key ^ (key >> 64n)))
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 16)) & (shardCount - 1)
}
