/**
 * The candidates of one port (or of those for any port), by server name, immutable. It finds sets of candidates; which of
 * two tables is asked first is the router's business.
 */
import type { Candidate } from './candidate.ts'
import { CandidateSet } from './candidate-set.ts'
import { type Change, changeAt, changeCount } from './change.ts'
import { PersistentMap } from './persistent-map.ts'

interface Parts {
  readonly exact: PersistentMap<string, CandidateSet>
  /** By what stands after the asterisk. */
  readonly suffixes: PersistentMap<string, CandidateSet>
  /** How many suffixes there are of each length that occurs. */
  readonly lengthCounts: ReadonlyMap<number, number>
  readonly nameless: CandidateSet
  /** Routes that depend on a ClientHello. */
  readonly hellos: number
}

export class NameTable {
  static readonly empty = new NameTable({
    exact: PersistentMap.empty(),
    suffixes: PersistentMap.empty(),
    lengthCounts: new Map(),
    nameless: CandidateSet.empty,
    hellos: 0,
  })

  readonly #parts: Parts
  /** Lengths of the suffixes there are, longest first. */
  readonly suffixLengths: readonly number[]

  private constructor(parts: Parts) {
    this.#parts = parts
    this.suffixLengths = [...parts.lengthCounts.keys()].sort((a, b) => b - a)
  }

  get isEmpty(): boolean {
    const { exact, suffixes, nameless } = this.#parts
    return exact.size === 0 && suffixes.size === 0 && nameless.isEmpty
  }

  /** Some route here has server names, or passes TLS through. */
  get needsHello(): boolean {
    return this.#parts.hellos > 0
  }

  /** Candidates that ask for no name. */
  get nameless(): CandidateSet {
    return this.#parts.nameless
  }

  exact(name: string): CandidateSet | undefined {
    return this.#parts.exact.get(name)
  }

  suffix(suffix: string): CandidateSet | undefined {
    return this.#parts.suffixes.get(suffix)
  }

  with(change: Change<Candidate>): NameTable {
    const exact = new Map<string, { add: Candidate[]; remove: Candidate[] }>()
    const suffixes = new Map<string, { add: Candidate[]; remove: Candidate[] }>()
    const nameless = { add: [] as Candidate[], remove: [] as Candidate[] }
    let { hellos } = this.#parts
    for (const side of ['add', 'remove'] as const) {
      for (const candidate of change[side]) {
        const { snis, passthrough } = candidate.route.rule
        if (snis.length > 0 || passthrough) hellos += side === 'add' ? 1 : -1
        if (snis.length === 0) nameless[side].push(candidate)
        for (const name of new Set(snis.map(normalName))) {
          if (name.startsWith('*')) changeAt(suffixes, name.slice(1))[side].push(candidate)
          else changeAt(exact, name)[side].push(candidate)
        }
      }
    }
    return new NameTable({
      exact: withSets(this.#parts.exact, exact),
      suffixes: withSets(this.#parts.suffixes, suffixes),
      lengthCounts: this.#countLengths(suffixes),
      nameless: this.#parts.nameless.with(nameless),
      hellos,
    })
  }

  #countLengths(changed: ReadonlyMap<string, Change<Candidate>>): ReadonlyMap<number, number> {
    const { lengthCounts, suffixes } = this.#parts
    if (changed.size === 0) return lengthCounts
    const counts = new Map(lengthCounts)
    for (const [suffix, change] of changed) {
      const had = suffixes.get(suffix)
      const has = !(had ?? CandidateSet.empty).with(change).isEmpty
      changeCount(counts, suffix.length, Number(has) - Number(had !== undefined))
    }
    return counts
  }
}

/** Lower case, without the dot of the root. */
export function normalName(name: string): string {
  const lower = name.toLowerCase()
  return lower.endsWith('.') && lower.length > 1 ? lower.slice(0, -1) : lower
}

function withSets(
  sets: PersistentMap<string, CandidateSet>,
  changes: ReadonlyMap<string, Change<Candidate>>,
): PersistentMap<string, CandidateSet> {
  const updates = new Map<string, CandidateSet | undefined>()
  for (const [name, change] of changes) {
    const set = (sets.get(name) ?? CandidateSet.empty).with(change)
    updates.set(name, set.isEmpty ? undefined : set)
  }
  return sets.with(updates)
}
