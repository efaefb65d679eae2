/** One way into an HTTP route: one of its paths with what else the rule asks. The router files entries by path and host. */

import type { HttpRoute } from './http-route.ts'
import { type Conditions, holds, type RequestFacts } from './request-conditions.ts'
import { type Captures, capture, type WrittenPath } from './written-path.ts'

export interface PathEntry extends WrittenPath {
  readonly route: HttpRoute
  /** Position among the paths of its route. */
  readonly place: number
  readonly conditions: Conditions
}

/** A request on its way through the entries of one path. */
export interface PathFacts extends RequestFacts {
  readonly path: string
  /** Its segments. */
  readonly parts: () => readonly string[]
  /** Of the entry that was found last. */
  captures: Captures
}

/** Negative when `a` is asked first: greater priority, then the longer path as it is written, then load order. */
export function compareEntries(a: PathEntry, b: PathEntry): number {
  return (
    b.route.rule.priority - a.route.rule.priority ||
    b.uri.length - a.uri.length ||
    a.route.rule.order - b.route.rule.order ||
    a.place - b.place
  )
}

/** The first that fits and ranks before `known`; its captures are in `facts` then. */
export function firstFit(
  entries: readonly PathEntry[],
  facts: PathFacts,
  known: PathEntry | undefined,
): PathEntry | undefined {
  for (let index = 0; index < entries.length; index += 1) {
    const entry = entries[index] as PathEntry
    if (known !== undefined && compareEntries(known, entry) <= 0) return undefined
    if (fits(entry, facts)) return entry
  }
  return undefined
}

/** Then its captures are in `facts`. */
export function fits(entry: PathEntry, facts: PathFacts): boolean {
  if (!holds(entry.conditions, facts)) return false
  const captures = capture(entry, facts.path, facts.parts)
  if (captures === undefined) return false
  facts.captures = captures
  return true
}
