/**
 * What a rule asks of a request besides its path: method, client, host, vars, made ready to be tested in this order. Rules
 * that ask for nothing share one value.
 */
import { type Address, IpSet } from '../base/ip-set.ts'
import { compileExpression, type Expression, type ValueLookup } from './expression.ts'
import { type HostPattern, readHost } from './host-pattern.ts'
import type { HttpRule } from './http-route.ts'

/** A request as conditions see it. What costs something is made when it is first asked for. */
export interface RequestFacts {
  /** One bit; 0: a method that no rule can name. */
  readonly methodBit: number
  readonly remote: Address | undefined
  /** Lower case, without port; empty: none. */
  readonly host: string
  /** The host as it was sent, port and all, in lower case. */
  readonly authority: string
  readonly lookup: ValueLookup
}

export interface Conditions {
  /** Bits of the methods; 0: any. */
  readonly methods: number
  readonly clients: IpSet | undefined
  /** As written; undefined: any, or not asked here. */
  readonly hosts: readonly HostPattern[] | undefined
  readonly vars: Expression | undefined
}

const anything: Conditions = Object.freeze({
  methods: 0,
  clients: undefined,
  hosts: undefined,
  vars: undefined,
})

/** What rules may name. */
const methodNames = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE', 'PURGE']
const bits = new Map(methodNames.map((name, index) => [name, 1 << index]))

export function methodBit(method: string): number {
  return bits.get(method) ?? 0
}

/** `hosts`: whether they are a condition like the others. Throws an Error with the reason why the rule cannot be. */
export function compileConditions(rule: HttpRule, hosts: boolean): Conditions {
  const { methods, remoteAddrs, vars } = rule
  const asksHosts = hosts && rule.hosts.length > 0
  const expression = vars === undefined || vars === null ? undefined : expressionOf(rule)
  if (methods.length === 0 && remoteAddrs.length === 0 && !asksHosts && expression === undefined) return anything
  return {
    methods: methods.reduce((mask, name) => mask | bitOf(name), 0),
    clients: remoteAddrs.length === 0 ? undefined : new IpSet(remoteAddrs),
    hosts: asksHosts ? rule.hosts.map(readHost) : undefined,
    vars: expression,
  }
}

/** Patterns cost something to compile: those of a rule that was checked are not compiled again when it is filed. */
const expressions = new WeakMap<HttpRule, Expression>()

function expressionOf(rule: HttpRule): Expression {
  let expression = expressions.get(rule)
  if (expression === undefined) {
    expression = compileExpression(rule.vars)
    expressions.set(rule, expression)
  }
  return expression
}

function bitOf(method: string): number {
  const bit = bits.get(method)
  if (bit === undefined) throw new Error(`no such method: ${method}`)
  return bit
}

/** Methods, clients, hosts, vars: in this order, so that what costs most is asked last. */
export function holds(conditions: Conditions, facts: RequestFacts): boolean {
  if (conditions === anything) return true
  const { methods, clients, hosts, vars } = conditions
  if (methods !== 0 && (methods & facts.methodBit) === 0) return false
  if (clients !== undefined && (facts.remote === undefined || !clients.hasParsed(facts.remote))) return false
  if (hosts !== undefined && matchingHost(hosts, facts) === undefined) return false
  return vars === undefined || vars.evaluate(facts.lookup)
}

/** The first that fits, as logs show it: the pattern if it has an asterisk, else the host. */
export function matchingHost(hosts: readonly HostPattern[], facts: RequestFacts): string | undefined {
  for (let index = 0; index < hosts.length; index += 1) {
    const { text, suffix, port } = hosts[index] as HostPattern
    const host = port ? facts.authority : facts.host
    if (host === '') continue
    if (suffix ? host.endsWith(text) : host === text) return suffix ? `*${text}` : host
  }
  return undefined
}
