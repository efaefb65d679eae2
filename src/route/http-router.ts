/**
 * The router of HTTP requests in its three modes, immutable: an edit makes a new one that shares all but what it touches.
 * `radixtree_host_uri` asks the host first, then the path; in the other two the host is one condition among others.
 */
import { type Address, parseAddress } from '../base/ip-set.ts'
import type { HttpExchange } from '../exchange/http-exchange.ts'
import { withEncodedSlashes } from '../exchange/request-path.ts'
import type { VariableValue } from '../exchange/variable-value.ts'
import { changeAt, type Gathered } from './change.ts'
import { type HostPattern, readHost } from './host-pattern.ts'
import { HostTable } from './host-table.ts'
import type { HttpMatch, HttpRoute, HttpRouterIndex, HttpRule } from './http-route.ts'
import type { PathEntry, PathFacts } from './path-entry.ts'
import { type KeyChange, PathTable } from './path-table.ts'
import { PersistentMap } from './persistent-map.ts'
import { compileConditions, matchingHost, methodBit } from './request-conditions.ts'
import { type Captures, isExact, noCaptures, readPath } from './written-path.ts'

export const httpRouterModes = ['radixtree_host_uri', 'radixtree_uri', 'radixtree_uri_with_parameter'] as const
export type HttpRouterMode = (typeof httpRouterModes)[number]

export interface HttpRouterOptions {
  /** `match_uri_encoded_slash`: slashes that came as `%2F` stay so in the path that is matched. */
  readonly keepEncodedSlashes: boolean
}

export interface HttpRouteChange {
  /** A route takes the place of the one with the same id. */
  readonly add?: readonly HttpRoute[]
  /** By identity: a route that is not there, or not any more, is ignored. */
  readonly remove?: readonly HttpRoute[]
}

interface Settings extends HttpRouterOptions {
  readonly mode: HttpRouterMode
}

/** A route with the entries that it is filed by. */
interface Filed {
  readonly route: HttpRoute
  readonly entries: readonly PathEntry[]
}

interface Parts {
  readonly routes: PersistentMap<string, Filed>
  readonly byHost: HostTable<PathTable>
  readonly anyHost: PathTable
}

/** Throws an Error for a rule that `checkHttpRule` refuses. */
export function httpRouter(
  mode: HttpRouterMode,
  routes: readonly HttpRoute[],
  options: HttpRouterOptions,
): HttpRouterIndex {
  return RadixRouter.empty({ ...options, mode }).with({ add: routes })
}

/** Throws an Error with the reason why a rule cannot be compiled; whoever compiles routes calls it, so that one fails alone. */
export function checkHttpRule(rule: HttpRule): void {
  if (rule.uris.length === 0) throw new Error('a route without a path')
  compileConditions(rule, true)
}

class RadixRouter implements HttpRouterIndex {
  readonly #settings: Settings
  readonly #parts: Parts

  private constructor(settings: Settings, parts: Parts) {
    this.#settings = settings
    this.#parts = parts
  }

  static empty(settings: Settings): RadixRouter {
    return new RadixRouter(settings, {
      routes: PersistentMap.empty(),
      byHost: HostTable.empty(),
      anyHost: PathTable.empty,
    })
  }

  /** Number of routes. */
  get size(): number {
    return this.#parts.routes.size
  }

  match(exchange: HttpExchange): HttpMatch | undefined {
    const { request } = exchange
    const path = this.#settings.keepEncodedSlashes ? withEncodedSlashes(request.target, request.path) : request.path
    const facts = new ExchangeFacts(exchange, path)
    const { byHost, anyHost } = this.#parts
    if (!byHost.isEmpty && request.host !== '') {
      const found = matchByHost(byHost, request.host, facts)
      if (found !== undefined) return found
    }
    const entry = anyHost.find(facts)
    if (entry === undefined) return undefined
    const { hosts } = entry.conditions
    return matchOf(entry, facts, hosts === undefined ? undefined : matchingHost(hosts, facts))
  }

  /** The router after a change. Throws an Error for a rule that `checkHttpRule` refuses; this router is as it was. */
  with(change: HttpRouteChange): RadixRouter {
    const { routes, byHost, anyHost } = this.#parts
    const next = new Map<string, HttpRoute | undefined>()
    for (const route of change.remove ?? []) if (routes.get(route.id)?.route === route) next.set(route.id, undefined)
    for (const route of change.add ?? []) next.set(route.id, route)
    const filed = new Map<string, Filed | undefined>()
    const edit = new Edit(this.#settings.mode === 'radixtree_host_uri')
    for (const [id, route] of next) {
      const old = routes.get(id)
      if (old?.route === route) continue
      const fresh = route === undefined ? undefined : this.#file(route)
      filed.set(id, fresh)
      if (old !== undefined) edit.file('remove', old)
      if (fresh !== undefined) edit.file('add', fresh)
    }
    if (filed.size === 0) return this
    return new RadixRouter(this.#settings, {
      routes: routes.with(filed),
      byHost: byHost.with(
        edit.hosts().map(([host, changes]) => {
          const table = (byHost.get(host) ?? PathTable.empty).with(changes)
          return [host, table.isEmpty ? undefined : table]
        }),
      ),
      anyHost: anyHost.with(edit.anyHost.changes()),
    })
  }

  #file(route: HttpRoute): Filed {
    const { mode } = this.#settings
    const conditions = compileConditions(route.rule, mode !== 'radixtree_host_uri')
    const entries = route.rule.uris.map((written, place): PathEntry => {
      const { uri, keyLength, rest, shape } = readPath(written, mode === 'radixtree_uri_with_parameter')
      return { route, uri, keyLength, rest, shape, place, conditions }
    })
    return { route, entries }
  }
}

/** The exact host, then suffixes, the longest first; one whose routes do not fit otherwise gives way to the next. */
function matchByHost(byHost: HostTable<PathTable>, host: string, facts: ExchangeFacts): HttpMatch | undefined {
  const exact = byHost.exact(host)?.find(facts)
  if (exact !== undefined) return matchOf(exact, facts, host)
  for (let at = byHost.nextSuffix(host, 0); at >= 0; at = byHost.nextSuffix(host, at + 1)) {
    const entry = byHost.suffix(host, at)?.find(facts)
    if (entry !== undefined) return matchOf(entry, facts, `*${host.slice(at)}`)
  }
  return undefined
}

function matchOf({ route, uri }: PathEntry, { captures }: ExchangeFacts, host: string | undefined): HttpMatch {
  return { route, params: captures === noCaptures ? undefined : captures, uri, host }
}

/** The changes of one edit, gathered by host and path before any table is touched. */
class Edit {
  readonly anyHost = new TableEdit()
  readonly #hostsFirst: boolean
  readonly #byHost = new Map<string, { readonly host: HostPattern; readonly table: TableEdit }>()

  constructor(hostsFirst: boolean) {
    this.#hostsFirst = hostsFirst
  }

  file(side: 'add' | 'remove', { route, entries }: Filed): void {
    const { hosts } = route.rule
    if (!this.#hostsFirst || hosts.length === 0) this.anyHost.file(side, entries)
    else for (const host of new Set(hosts)) this.#table(host).file(side, entries)
  }

  hosts(): readonly (readonly [HostPattern, readonly KeyChange[]])[] {
    return Array.from(this.#byHost.values(), ({ host, table }) => [host, table.changes()] as const)
  }

  #table(written: string): TableEdit {
    const host = readHost(written)
    const key = `${host.suffix ? '*' : ''}${host.text}`
    let found = this.#byHost.get(key)
    if (found === undefined) {
      found = { host, table: new TableEdit() }
      this.#byHost.set(key, found)
    }
    return found.table
  }
}

class TableEdit {
  readonly #exact = new Map<string, Gathered<PathEntry>>()
  readonly #prefixes = new Map<string, Gathered<PathEntry>>()

  file(side: 'add' | 'remove', entries: readonly PathEntry[]): void {
    for (const entry of entries) {
      if (isExact(entry)) changeAt(this.#exact, entry.uri)[side].push(entry)
      else changeAt(this.#prefixes, entry.uri.slice(0, entry.keyLength))[side].push(entry)
    }
  }

  changes(): readonly KeyChange[] {
    const changes: KeyChange[] = []
    for (const [key, change] of this.#exact) changes.push({ key, exact: true, change })
    for (const [key, change] of this.#prefixes) changes.push({ key, exact: false, change })
    return changes
  }
}

class ExchangeFacts implements PathFacts {
  readonly path: string
  readonly host: string
  readonly methodBit: number
  captures: Captures = noCaptures
  readonly #exchange: HttpExchange
  #remote: Address | undefined | null = null
  #parts: readonly string[] | undefined = undefined

  constructor(exchange: HttpExchange, path: string) {
    this.#exchange = exchange
    this.path = path
    this.host = exchange.request.host
    this.methodBit = methodBit(exchange.request.method)
  }

  get remote(): Address | undefined {
    if (this.#remote === null) this.#remote = parseAddress(this.#exchange.remoteAddress)
    return this.#remote
  }

  get authority(): string {
    return this.#exchange.request.authority.toLowerCase()
  }

  readonly lookup = (name: string): VariableValue => this.#exchange.value(name)

  readonly parts = (): readonly string[] => {
    this.#parts ??= this.path.split('/')
    return this.#parts
  }
}
