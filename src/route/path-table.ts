/**
 * Entries by path, immutable: exact paths and prefixes. A few are a list in the order in which they are tried; many are found
 * by hash, exact paths with one look, prefixes with one for each length that occurs and that the path could have.
 */

import type { Change } from './change.ts'
import { changeCount } from './change.ts'
import { changeEntries, type EntrySet, findEntry } from './entry-set.ts'
import type { PathEntry, PathFacts } from './path-entry.ts'
import { PersistentMap } from './persistent-map.ts'

/** All that happens to the entries of one exact path or of one prefix. */
export interface KeyChange {
  readonly key: string
  readonly exact: boolean
  readonly change: Change<PathEntry>
}

interface Slot {
  readonly key: string
  readonly exact: boolean
  readonly entries: EntrySet
  /** Tried after it. */
  readonly next: Slot | undefined
}

/** A length that prefixes have. */
interface PrefixLength {
  readonly length: number
  /** There are prefixes of it that end in a slash, and others. */
  readonly slashed: boolean
  readonly plain: boolean
}

interface Hashed {
  readonly exact: PersistentMap<string, EntrySet>
  readonly prefixes: PersistentMap<string, EntrySet>
  /** How many prefixes there are of each length: those that end in a slash, and the others. */
  readonly slashed: ReadonlyMap<number, number>
  readonly plain: ReadonlyMap<number, number>
  /** The same as it is asked for: the longest first. */
  readonly lengths: readonly PrefixLength[]
}

/** Up to here going through all of them is cheaper. */
const fewSlots = 8
const slash = 0x2f

export class PathTable {
  static readonly empty = new PathTable(undefined, undefined)
  readonly #first: Slot | undefined
  /** Takes the place of the slots. */
  readonly #hashed: Hashed | undefined

  private constructor(first: Slot | undefined, hashed: Hashed | undefined) {
    this.#first = first
    this.#hashed = hashed
  }

  get isEmpty(): boolean {
    const hashed = this.#hashed
    return hashed === undefined ? this.#first === undefined : hashed.exact.size + hashed.prefixes.size === 0
  }

  /** An exact path before any prefix, the longer prefix before the shorter; what comes first must fit the rest, too. */
  find(facts: PathFacts): PathEntry | undefined {
    return this.#hashed === undefined ? findIn(this.#first, facts) : findHashed(this.#hashed, facts)
  }

  /** One change for each key and kind. */
  with(changes: readonly KeyChange[]): PathTable {
    if (changes.length === 0) return this
    const hashed = this.#hashed
    if (hashed !== undefined) return new PathTable(undefined, changeHashed(hashed, changes))
    const slots = listOf(this.#first)
    if (slots.length + changes.length > fewSlots * 4) return hash(slots).with(changes)
    const changed = changes.reduce(changeSlots, slots)
    return changed.length > fewSlots ? hash(changed) : new PathTable(chain(changed), undefined)
  }

  static hashed(hashed: Hashed): PathTable {
    return new PathTable(undefined, hashed)
  }
}

function hash(slots: readonly Slot[]): PathTable {
  const exact = new Map<string, EntrySet>()
  const prefixes = new Map<string, EntrySet>()
  for (const { key, exact: isExact, entries } of slots) (isExact ? exact : prefixes).set(key, entries)
  const none = PersistentMap.empty<string, EntrySet>()
  const nothing: Hashed = { exact: none, prefixes: none, slashed: new Map(), plain: new Map(), lengths: [] }
  return PathTable.hashed(withMaps(nothing, exact, prefixes))
}

function listOf(first: Slot | undefined): readonly Slot[] {
  const slots: Slot[] = []
  for (let slot = first; slot !== undefined; slot = slot.next) slots.push(slot)
  return slots
}

function chain(slots: readonly Slot[]): Slot | undefined {
  return slots.reduceRight<Slot | undefined>(
    (next, { key, exact, entries }) => ({ key, exact, entries, next }),
    undefined,
  )
}

function findIn(first: Slot | undefined, facts: PathFacts): PathEntry | undefined {
  const { path } = facts
  for (let slot = first; slot !== undefined; slot = slot.next) {
    const { key, exact, entries } = slot
    if (exact ? path !== key : !path.startsWith(key)) continue
    const found = findEntry(entries, facts)
    if (found !== undefined) return found
  }
  return undefined
}

function findHashed({ exact, prefixes, lengths }: Hashed, facts: PathFacts): PathEntry | undefined {
  const { path } = facts
  const whole = exact.get(path)
  let found = whole === undefined ? undefined : findEntry(whole, facts)
  for (let index = 0; found === undefined && index < lengths.length; index += 1) {
    const { length, slashed, plain } = lengths[index] as PrefixLength
    if (length > path.length || !(path.charCodeAt(length - 1) === slash ? slashed : plain)) continue
    const entries = prefixes.get(path.slice(0, length))
    if (entries !== undefined) found = findEntry(entries, facts)
  }
  return found
}

/** Exact paths stand before prefixes, longer prefixes before shorter ones. */
function changeSlots(slots: readonly Slot[], { key, exact, change }: KeyChange): readonly Slot[] {
  const index = slots.findIndex((slot) => slot.exact === exact && slot.key === key)
  const entries = changeEntries(slots[index]?.entries, change)
  const others = index === -1 ? slots : slots.toSpliced(index, 1)
  if (entries === undefined) return others
  const after = exact ? 0 : others.findIndex((slot) => !slot.exact && slot.key.length < key.length)
  return others.toSpliced(after === -1 ? others.length : after, 0, { key, exact, entries, next: undefined })
}

function changeHashed(hashed: Hashed, changes: readonly KeyChange[]): Hashed {
  const exact = new Map<string, EntrySet | undefined>()
  const prefixes = new Map<string, EntrySet | undefined>()
  for (const { key, exact: isExact, change } of changes) {
    const before = (isExact ? hashed.exact : hashed.prefixes).get(key)
    ;(isExact ? exact : prefixes).set(key, changeEntries(before, change))
  }
  return withMaps(hashed, exact, prefixes)
}

type Updates = ReadonlyMap<string, EntrySet | undefined>

function withMaps(hashed: Hashed, exact: Updates, prefixes: Updates): Hashed {
  const counted = countLengths(hashed, prefixes)
  return { ...hashed, ...counted, exact: hashed.exact.with(exact), prefixes: hashed.prefixes.with(prefixes) }
}

/** Undefined: as before. */
function countLengths(hashed: Hashed, updates: Updates): Pick<Hashed, 'slashed' | 'plain' | 'lengths'> | undefined {
  const slashed = new Map(hashed.slashed)
  const plain = new Map(hashed.plain)
  let isChanged = false
  for (const [prefix, entries] of updates) {
    const by = Number(entries !== undefined) - Number(hashed.prefixes.get(prefix) !== undefined)
    if (by !== 0) isChanged = true
    changeCount(prefix.endsWith('/') ? slashed : plain, prefix.length, by)
  }
  if (!isChanged) return undefined
  const lengths = [...new Set([...slashed.keys(), ...plain.keys()])].sort((a, b) => b - a)
  const asked = lengths.map((length) => ({ length, slashed: slashed.has(length), plain: plain.has(length) }))
  return { slashed, plain, lengths: asked }
}
