/**
 * An immutable map for many thousands of keys of which one changes at a time: a change copies one part in 256, not all.
 */

const count = 256

export class Shards<V> {
  readonly #maps: readonly (ReadonlyMap<string, V> | undefined)[]
  readonly size: number

  /** Without arguments: an empty map. The arguments are for `with`. */
  constructor(maps: readonly (ReadonlyMap<string, V> | undefined)[] = new Array(count).fill(undefined), size = 0) {
    this.#maps = maps
    this.size = size
  }

  get(key: string): V | undefined {
    return this.#maps[shardOf(key)]?.get(key)
  }

  /** A map with this one entry changed, or removed by undefined. */
  with(key: string, value: V | undefined): Shards<V> {
    const shard = shardOf(key)
    const changed = new Map(this.#maps[shard])
    const before = changed.size
    if (value === undefined) changed.delete(key)
    else changed.set(key, value)
    const maps = this.#maps.slice()
    maps[shard] = changed
    return new Shards(maps, this.size + changed.size - before)
  }
}

/** FNV-1a, of which the low byte is enough. */
function shardOf(key: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  return (hash ^ (hash >>> 16)) & (count - 1)
}
