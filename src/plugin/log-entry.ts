/** What a logger says of an exchange: the members that a format names, or all that APISIX says by default. Plain copies. */
import { hostname } from 'node:os'
import type { Json } from '../base/json.ts'
import { productVersion } from '../base/product-version.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { HeaderList } from '../exchange/header-list.ts'
import type { HttpSession } from '../exchange/http-session.ts'
import type { VariableValue } from '../exchange/variable-value.ts'
import type { LogFormatConf } from './log-attributes.ts'

export type LogValue = Json | VariableValue | LogEntry | undefined

export interface LogEntry {
  [member: string]: LogValue
}

type Show = (exchange: Exchange) => LogValue

/** A compiled format. */
export interface LogFormatter {
  /** The variables in it. */
  readonly names: readonly string[]
  /** Members without a value are left out of JSON. */
  entry(exchange: Exchange): LogEntry
}

/** Values that begin with a dollar are variables, whole; other texts stand for themselves. */
export function compileLogEntry(format: LogFormatConf): LogFormatter {
  const names: string[] = []
  const members = compileMembers(format, names)
  return { names, entry: (exchange) => shown(members, exchange) }
}

function compileMembers(format: LogFormatConf, names: string[]): readonly (readonly [string, Show])[] {
  return Object.entries(format).map(([member, value]) => [member, compileValue(value, names)] as const)
}

function compileValue(value: Json, names: string[]): Show {
  if (typeof value === 'string' && value.startsWith('$')) {
    const name = value.slice(1)
    names.push(name)
    return (exchange) => exchange.value(name)
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return () => value
  const members = compileMembers(value, names)
  return (exchange) => shown(members, exchange)
}

function shown(members: readonly (readonly [string, Show])[], exchange: Exchange): LogEntry {
  const entry: LogEntry = {}
  for (const [member, show] of members) entry[member] = show(exchange)
  return entry
}

/** Bodies that a logger kept of an exchange. */
export interface LogBodies {
  readonly request: string | undefined
  readonly response: string | undefined
}

/** The entry of an exchange where no format is given. Times are in ms. */
export function fullLogEntry(exchange: HttpSession, bodies: LogBodies): LogEntry {
  const { request, response, route, consumer, attempts, startedAt } = exchange
  const uri = exchange.variable('request_uri') ?? ''
  const host = exchange.variable('host') ?? ''
  const endedAt = exchange.endedAt || performance.now()
  const last = attempts.at(-1)
  const latency = endedAt - startedAt
  const upstreamLatency = last === undefined ? undefined : (exchange.upstreamEndedAt || endedAt) - last.startedAt
  return {
    request: {
      url: `${request.scheme}://${host}:${exchange.downstream.localPort}${uri}`,
      uri,
      method: exchange.sentMethod,
      headers: fieldsOf(request.headers),
      querystring: argumentsOf(request.target),
      size: request.headBytes + request.body.received,
      body: bodies.request,
    },
    response: {
      status: exchange.status,
      headers: response === undefined ? {} : fieldsOf(response.headers),
      size: exchange.headBytesSent + exchange.bodyBytesSent,
      body: bodies.response,
    },
    server: { hostname: hostname(), version: productVersion },
    upstream: exchange.variable('upstream_addr'),
    service_id: route === undefined ? host : (route.serviceId ?? ''),
    route_id: route?.id,
    consumer: consumer === undefined ? undefined : { username: consumer.username },
    client_ip: exchange.remoteAddress,
    start_time: Math.round(performance.timeOrigin + startedAt),
    latency: rounded(latency),
    upstream_latency: upstreamLatency === undefined ? undefined : rounded(upstreamLatency),
    apisix_latency: rounded(Math.max(0, latency - (upstreamLatency ?? 0))),
  }
}

const rounded = (ms: number): number => Math.round(ms * 1000) / 1000

/** Names in lower case; those that come several times as a list. */
function fieldsOf(list: HeaderList): LogEntry {
  const fields: LogEntry = {}
  for (let at = 0; at < list.size; at++) add(fields, list.lowerAt(at), list.valueAt(at))
  return fields
}

/** Arguments beyond are left out, as nginx does. */
const maxArguments = 100

/** Decoded; an argument without a value is true. */
function argumentsOf(target: string): LogEntry {
  const found: LogEntry = {}
  const mark = target.indexOf('?')
  if (mark === -1) return found
  const pairs = target
    .slice(mark + 1)
    .split('&', maxArguments + 1)
    .slice(0, maxArguments)
  for (const pair of pairs) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    if (equals === -1) add(found, decoded(pair), true)
    else add(found, decoded(pair.slice(0, equals)), decoded(pair.slice(equals + 1)))
  }
  return found
}

function decoded(text: string): string {
  const spaced = text.replaceAll('+', ' ')
  try {
    return decodeURIComponent(spaced)
  } catch {
    return spaced
  }
}

function add(to: LogEntry, name: string, value: string | boolean): void {
  const known = Object.hasOwn(to, name) ? to[name] : undefined
  // A name like `__proto__` is a member like any other.
  const next = known === undefined ? value : [...(Array.isArray(known) ? known : [known as string]), value]
  Object.defineProperty(to, name, { value: next, enumerable: true, configurable: true, writable: true })
}
