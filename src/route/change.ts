/** What an edit adds to a part of a router and what it takes away, gathered before anything is changed. */

export interface Change<Item> {
  readonly add: readonly Item[]
  readonly remove: readonly Item[]
}

/** A change that is still being gathered. */
export interface Gathered<Item> {
  readonly add: Item[]
  readonly remove: Item[]
}

/** The pending change of one key, made when there is none. */
export function changeAt<Key, Item>(changes: Map<Key, Gathered<Item>>, key: Key): Gathered<Item> {
  let change = changes.get(key)
  if (change === undefined) {
    change = { add: [], remove: [] }
    changes.set(key, change)
  }
  return change
}

/** Adds to a count; what counts 0 is not kept. */
export function changeCount(counts: Map<number, number>, key: number, by: number): void {
  const count = (counts.get(key) ?? 0) + by
  if (count > 0) counts.set(key, count)
  else counts.delete(key)
}
