/** Lists in order of rank, immutable. A small change is a few binary searches, a large one a single pass. */
import type { Change } from './change.ts'

/** Up to so many changes are made one by one, each moving pointers only. */
const fewChanges = 8

/** Negative when `a` is asked before `b`. */
export type Compare<Item> = (a: Item, b: Item) => number

/** The list after a change, in order. What is to be removed and is not there is ignored. */
export function changeList<Item>(list: readonly Item[], change: Change<Item>, compare: Compare<Item>): readonly Item[] {
  const changes = change.add.length + change.remove.length
  if (changes === 0) return list
  return changes <= fewChanges ? edit([...list], change, compare) : merge(list, change, compare)
}

function edit<Item>(list: Item[], change: Change<Item>, compare: Compare<Item>): Item[] {
  for (const item of change.remove) {
    let index = place(list, item, compare)
    // Equal ranks do not occur among routes of one configuration, but nothing breaks when they do.
    while (index < list.length && list[index] !== item && compare(list[index] as Item, item) === 0) index += 1
    if (list[index] === item) list.splice(index, 1)
  }
  for (const item of change.add) list.splice(place(list, item, compare), 0, item)
  return list
}

/** Index of the first that does not rank before the item. */
function place<Item>(list: readonly Item[], item: Item, compare: Compare<Item>): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compare(list[middle] as Item, item) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function merge<Item>(list: readonly Item[], change: Change<Item>, compare: Compare<Item>): Item[] {
  const removed = new Set(change.remove)
  const added = [...change.add].sort(compare)
  const merged: Item[] = []
  let next = 0
  for (const item of list) {
    if (removed.has(item)) continue
    for (; next < added.length && compare(added[next] as Item, item) < 0; next += 1) merged.push(added[next] as Item)
    merged.push(item)
  }
  for (; next < added.length; next += 1) merged.push(added[next] as Item)
  return merged
}
