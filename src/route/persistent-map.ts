/**
 * An immutable map: a changed one shares with the old one all but a few entries. Large maps are cut into shards by hash, the
 * more the larger they are, and a change copies the shards that it touches. Not a general tool: no iteration, no order.
 */

export type PersistentKey = string | number | bigint

/** Up to which size how many shards are enough: copying a shard and copying the list of them cost about the same. */
const steps = [
  { size: 64, shards: 1 },
  { size: 2048, shards: 16 },
  { size: 32_768, shards: 256 },
  { size: Number.POSITIVE_INFINITY, shards: 4096 },
] as const

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
    return shards[shards.length === 1 ? 0 : hashOf(key) & (shards.length - 1)]?.get(key)
  }

  /** This map with some keys set, or, where the new value is undefined, removed. */
  with(updates: ReadonlyMap<Key, Value | undefined>): PersistentMap<Key, Value> {
    if (updates.size === 0) return this
    // Counted before they are applied: a map that shrinks, or does not grow after all, keeps its shards, which is harmless.
    const wanted = shardsFor(this.size + updates.size)
    const shards = wanted > this.#shards.length ? this.#spread(wanted) : [...this.#shards]
    const own = new Map<number, Map<Key, Value>>()
    let { size } = this
    for (const [key, value] of updates) {
      const index = shards.length === 1 ? 0 : hashOf(key) & (shards.length - 1)
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

  #spread(count: number): (ReadonlyMap<Key, Value> | undefined)[] {
    const shards: (Map<Key, Value> | undefined)[] = new Array(count).fill(undefined)
    for (const old of this.#shards) {
      for (const [key, value] of old ?? []) {
        const index = hashOf(key) & (count - 1)
        const shard = shards[index] ?? new Map<Key, Value>()
        shards[index] = shard
        shard.set(key, value)
      }
    }
    return shards
  }
}

function shardsFor(size: number): number {
  return steps.find((step) => size <= step.size)?.shards ?? 1
}

/** Its low bits name the shard. */
function hashOf(key: PersistentKey): number {
  let hash = 0
  if (typeof key === 'string') {
    for (let index = 0; index < key.length; index += 1) hash = (Math.imul(hash, 31) + key.charCodeAt(index)) | 0
  } else {
    hash = typeof key === 'number' ? key | 0 : Number(BigInt.asIntN(32, key ^ (key >> 64n)))
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return hash ^ (hash >>> 16)
}
