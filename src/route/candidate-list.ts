/** Lists of candidates in order of rank, immutable. A small change is a few binary searches, a large one a single pass. */
import { type Candidate, compareRank } from './candidate.ts'

/** Up to so many changes are made one by one, each moving pointers only. */
const fewChanges = 8

interface Change {
  readonly add: readonly Candidate[]
  readonly remove: readonly Candidate[]
}

/** The list after a change, in order. What is to be removed and is not there is ignored. */
export function changeList(list: readonly Candidate[], change: Change): readonly Candidate[] {
  const changes = change.add.length + change.remove.length
  if (changes === 0) return list
  return changes <= fewChanges ? edit([...list], change) : merge(list, change)
}

function edit(list: Candidate[], change: Change): Candidate[] {
  for (const candidate of change.remove) {
    let index = place(list, candidate)
    // Equal ranks do not occur among routes of one configuration, but nothing breaks when they do.
    while (index < list.length && list[index] !== candidate && compareRank(list[index] as Candidate, candidate) === 0)
      index += 1
    if (list[index] === candidate) list.splice(index, 1)
  }
  for (const candidate of change.add) list.splice(place(list, candidate), 0, candidate)
  return list
}

/** Index of the first that does not rank before the candidate. */
function place(list: readonly Candidate[], candidate: Candidate): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareRank(list[middle] as Candidate, candidate) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function merge(list: readonly Candidate[], change: Change): Candidate[] {
  const removed = new Set(change.remove)
  const added = [...change.add].sort(compareRank)
  const merged: Candidate[] = []
  let next = 0
  for (const candidate of list) {
    if (removed.has(candidate)) continue
    for (; next < added.length && compareRank(added[next] as Candidate, candidate) < 0; next += 1) {
      merged.push(added[next] as Candidate)
    }
    merged.push(candidate)
  }
  for (; next < added.length; next += 1) merged.push(added[next] as Candidate)
  return merged
}
