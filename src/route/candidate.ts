/**
 * A route made ready for matching: its addresses as numbers and sets, its vars compiled. Ports and names are not asked
 * about here: the router files candidates by them.
 */
import { type Address, type Cidr, IpSet, parseCidr } from '../base/ip-set.ts'
import { compileExpression, type Expression } from './expression.ts'
import type { Route, StreamRule } from './router.ts'

/** What a connection is matched by, apart from its port and name. */
export interface Facts {
  readonly remote: Address | undefined
  readonly local: Address | undefined
  variable(name: string): string | undefined
}

export interface Candidate {
  readonly route: Route
  /** The clients it is for, as blocks and as a set; it need not be looked at for others. Both undefined: all. */
  readonly blocks: readonly Cidr[] | undefined
  readonly clients: IpSet | undefined
  readonly servers: IpSet | undefined
  readonly vars: Expression | undefined
}

const known = new WeakMap<StreamRule, Omit<Candidate, 'route'>>()
const candidates = new WeakMap<Route, Candidate>()

/**
 * Throws an Error when an address or the vars of the rule are wrong. Whoever compiles routes calls it first, so that a
 * bad route fails alone; the work is not done twice.
 */
export function checkRule(rule: StreamRule): void {
  compileRule(rule)
}

/** Always the same object for one route. Throws as `checkRule` does. */
export function candidateOf(route: Route): Candidate {
  let candidate = candidates.get(route)
  if (candidate === undefined) {
    candidate = { route, ...compileRule(route.rule) }
    candidates.set(route, candidate)
  }
  return candidate
}

function compileRule(rule: StreamRule): Omit<Candidate, 'route'> {
  let compiled = known.get(rule)
  if (compiled === undefined) {
    const clients = setOf(rule.remoteAddrs)
    compiled = {
      blocks:
        clients === undefined ? undefined : rule.remoteAddrs.map(parseCidr).filter((block) => block !== undefined),
      clients,
      servers: setOf(rule.serverAddrs),
      vars: rule.vars === undefined || rule.vars === null ? undefined : compileExpression(rule.vars),
    }
    known.set(rule, compiled)
  }
  return compiled
}

function setOf(entries: readonly string[]): IpSet | undefined {
  return entries.length === 0 ? undefined : new IpSet(entries)
}

export function fits(candidate: Candidate, facts: Facts): boolean {
  const { clients, servers, vars } = candidate
  if (clients !== undefined && (facts.remote === undefined || !clients.hasParsed(facts.remote))) return false
  if (servers !== undefined && (facts.local === undefined || !servers.hasParsed(facts.local))) return false
  return vars === undefined || vars.evaluate((name) => facts.variable(name))
}

/** Negative when `a` is asked before `b`: greater priority first, then load order. */
export function compareRank(a: Candidate, b: Candidate): number {
  return b.route.rule.priority - a.route.rule.priority || a.route.rule.order - b.route.rule.order
}

/** The one that is asked first, of two that fit. */
export function better(a: Candidate | undefined, b: Candidate | undefined): Candidate | undefined {
  if (a === undefined) return b
  return b === undefined || compareRank(a, b) <= 0 ? a : b
}
