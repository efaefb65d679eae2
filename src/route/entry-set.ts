/**
 * The entries of one path, immutable. A few are a list in order of rank; many, where hosts are conditions like others, are
 * kept apart by host, so that a request looks at those for its own host and at those for any.
 */
import type { Change, Gathered } from './change.ts'
import type { HostPattern } from './host-pattern.ts'
import { HostTable } from './host-table.ts'
import { compareEntries, firstFit, fits, type PathEntry, type PathFacts } from './path-entry.ts'
import { changeList } from './ranked-list.ts'

type Entries = readonly PathEntry[]
/** One stands for itself. */
export type EntrySet = PathEntry | Entries | EntriesByHost

/** Up to here going through all of them is cheaper. */
const fewEntries = 16

/** Undefined: nothing is left. */
export function changeEntries(set: EntrySet | undefined, change: Change<PathEntry>): EntrySet | undefined {
  if (set instanceof EntriesByHost) {
    const changed = set.with(change)
    return changed.isEmpty ? undefined : changed
  }
  const list = changeList(set === undefined ? [] : isList(set) ? set : [set], change, compareEntries)
  const [first] = list
  if (list.length <= 1) return first
  const apart = list.length > fewEntries && list.some(({ conditions }) => conditions.hosts !== undefined)
  return apart ? EntriesByHost.of(list) : list
}

/** The first by rank that fits. */
export function findEntry(set: EntrySet, facts: PathFacts): PathEntry | undefined {
  if (isList(set)) return firstFit(set, facts, undefined)
  if (set instanceof EntriesByHost) return set.find(facts)
  return fits(set, facts) ? set : undefined
}

function isList(set: EntrySet): set is Entries {
  return Array.isArray(set)
}

class EntriesByHost {
  readonly #byHost: HostTable<Entries>
  /** For any host, or for one with a port. */
  readonly #others: Entries

  private constructor(byHost: HostTable<Entries>, others: Entries) {
    this.#byHost = byHost
    this.#others = others
  }

  static of(entries: Entries): EntriesByHost {
    return new EntriesByHost(HostTable.empty(), []).with({ add: entries, remove: [] })
  }

  get isEmpty(): boolean {
    return this.#byHost.isEmpty && this.#others.length === 0
  }

  find(facts: PathFacts): PathEntry | undefined {
    const byHost = this.#byHost
    const { host } = facts
    let found = firstFit(this.#others, facts, undefined)
    if (host === '') return found
    const exact = byHost.exact(host)
    if (exact !== undefined) found = firstFit(exact, facts, found) ?? found
    for (let at = byHost.nextSuffix(host, 0); at >= 0; at = byHost.nextSuffix(host, at + 1)) {
      const entries = byHost.suffix(host, at)
      if (entries !== undefined) found = firstFit(entries, facts, found) ?? found
    }
    return found
  }

  with(change: Change<PathEntry>): EntriesByHost {
    const others: Gathered<PathEntry> = { add: [], remove: [] }
    const byHost = new Map<string, { readonly host: HostPattern; readonly change: Gathered<PathEntry> }>()
    for (const side of ['add', 'remove'] as const) {
      for (const entry of change[side]) {
        const hosts = entry.conditions.hosts
        if (hosts === undefined || hosts.some(({ port }) => port)) others[side].push(entry)
        else for (const host of hosts) changeOf(byHost, host)[side].push(entry)
      }
    }
    const updates = [...byHost.values()].map(({ host, change: part }) => {
      const list = changeList(
        this.#byHost.get(host) ?? [],
        { add: [...new Set(part.add)], remove: part.remove },
        compareEntries,
      )
      return [host, list.length === 0 ? undefined : list] as const
    })
    return new EntriesByHost(this.#byHost.with(updates), changeList(this.#others, others, compareEntries))
  }
}

function changeOf(
  changes: Map<string, { readonly host: HostPattern; readonly change: Gathered<PathEntry> }>,
  host: HostPattern,
): Gathered<PathEntry> {
  const key = `${host.suffix ? '*' : ''}${host.text}`
  let found = changes.get(key)
  if (found === undefined) {
    found = { host, change: { add: [], remove: [] } }
    changes.set(key, found)
  }
  return found.change
}
