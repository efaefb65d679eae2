/**
 * The candidates for connections of which port and name are settled, immutable. Those for single client addresses are found
 * by the address; the others are gone through in order.
 */
import type { Address } from '../base/ip-set.ts'
import { better, type Candidate, compareRank, type Facts, fits } from './candidate.ts'
import { PersistentMap } from './persistent-map.ts'

export interface Change<Item> {
  readonly add: readonly Item[]
  readonly remove: readonly Item[]
}

const noAddress = { remote: undefined }

export class CandidateSet {
  static readonly empty = new CandidateSet(PersistentMap.empty(), [])

  readonly #byAddress: PersistentMap<Address, readonly Candidate[]>
  readonly #others: readonly Candidate[]

  private constructor(byAddress: PersistentMap<Address, readonly Candidate[]>, others: readonly Candidate[]) {
    this.#byAddress = byAddress
    this.#others = others
  }

  get isEmpty(): boolean {
    return this.#byAddress.size === 0 && this.#others.length === 0
  }

  /** The first that fits, by priority and then load order. */
  find(facts: Facts): Candidate | undefined {
    const { remote } = this.#byAddress.size === 0 ? noAddress : facts
    const here = remote === undefined ? undefined : this.#byAddress.get(remote)
    const one = here === undefined ? undefined : firstFit(here, facts, undefined)
    return better(one, firstFit(this.#others, facts, one))
  }

  with(change: Change<Candidate>): CandidateSet {
    const addresses = new Map<Address, { add: Candidate[]; remove: Candidate[] }>()
    const others = { add: [] as Candidate[], remove: [] as Candidate[] }
    for (const side of ['add', 'remove'] as const) {
      for (const candidate of change[side]) {
        if (candidate.addresses === undefined) others[side].push(candidate)
        else for (const address of candidate.addresses) changeAt(addresses, address)[side].push(candidate)
      }
    }
    const updates = new Map<Address, readonly Candidate[] | undefined>()
    for (const [address, part] of addresses) {
      const list = changeList(this.#byAddress.get(address) ?? [], part)
      updates.set(address, list.length === 0 ? undefined : list)
    }
    return new CandidateSet(this.#byAddress.with(updates), changeList(this.#others, others))
  }
}

/** The pending change of one key, made when there is none. */
export function changeAt<Key, Item>(
  changes: Map<Key, { add: Item[]; remove: Item[] }>,
  key: Key,
): { add: Item[]; remove: Item[] } {
  let change = changes.get(key)
  if (change === undefined) {
    change = { add: [], remove: [] }
    changes.set(key, change)
  }
  return change
}

/** `known` fits already: those behind it need not be asked. */
function firstFit(list: readonly Candidate[], facts: Facts, known: Candidate | undefined): Candidate | undefined {
  for (let index = 0; index < list.length; index += 1) {
    const candidate = list[index] as Candidate
    if (known !== undefined && compareRank(known, candidate) < 0) return undefined
    if (fits(candidate, facts)) return candidate
  }
  return undefined
}

/** One pass over the list, which is in order of rank and stays so. */
function changeList(list: readonly Candidate[], change: Change<Candidate>): readonly Candidate[] {
  if (change.add.length === 0 && change.remove.length === 0) return list
  const removed = new Set(change.remove)
  const added = [...change.add].sort(compareRank)
  const changed: Candidate[] = []
  let next = 0
  for (const candidate of list) {
    if (removed.size > 0 && removed.has(candidate)) continue
    for (; next < added.length && compareRank(added[next] as Candidate, candidate) < 0; next += 1) {
      changed.push(added[next] as Candidate)
    }
    changed.push(candidate)
  }
  for (; next < added.length; next += 1) changed.push(added[next] as Candidate)
  return changed
}
