/**
 * The router of connections and UDP sessions, immutable: an edit makes a new one that shares all but what it touches.
 * Order of matching: routes with the connection's exact server name, then those with the longest suffix of it, then those
 * without names; among equals the greater priority, then load order. Routes for one port and for any port compete as equals.
 */
import { type Address, parseAddress } from '../base/ip-set.ts'
import type { HelloInfo, StreamExchange } from '../exchange/exchange.ts'
import type { Link } from '../net/link.ts'
import { better, type Candidate, candidateOf, type Facts } from './candidate.ts'
import type { CandidateSet } from './candidate-set.ts'
import { type Change, changeAt } from './change.ts'
import { NameTable, normalName } from './name-table.ts'
import { PersistentMap } from './persistent-map.ts'
import { PortPages } from './port-pages.ts'
import type { Route, Router } from './router.ts'

export interface RouteChange {
  /** A route takes the place of the one with the same id. */
  readonly add?: readonly Route[]
  /** By identity: a route that is not there, or not any more, is ignored. */
  readonly remove?: readonly Route[]
}

interface Parts {
  readonly routes: PersistentMap<string, Route>
  readonly ports: PortPages<NameTable>
  readonly anyPort: NameTable
}

export class StreamRouter implements Router<StreamExchange> {
  static readonly #nothing = new StreamRouter({
    routes: PersistentMap.empty(),
    ports: new PortPages(),
    anyPort: NameTable.empty,
  })

  readonly #parts: Parts

  private constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Throws an Error for a rule that `checkRule` refuses. */
  static of(routes: readonly Route[]): StreamRouter {
    return StreamRouter.#nothing.with({ add: routes })
  }

  /** Number of routes. */
  get size(): number {
    return this.#parts.routes.size
  }

  match(exchange: StreamExchange): Route | undefined {
    const link = exchange.downstream
    return this.#match(link, link.tls?.serverName ?? exchange.hello?.serverName, exchange)
  }

  /** Some route for this port, or for any, has server names or passes TLS through. */
  needsHello(port: number): boolean {
    return this.#parts.anyPort.needsHello || (this.#parts.ports.get(port)?.needsHello ?? false)
  }

  /** Whether the route that this TLS connection takes wants it undecrypted. */
  passesThrough(link: Link, hello: HelloInfo): boolean {
    const route = this.#match(link, hello.serverName, new HelloVariables(link, hello))
    return route?.rule.passthrough ?? false
  }

  /** The router after a change. Throws an Error for a rule that `checkRule` refuses; this router is as it was. */
  with(change: RouteChange): StreamRouter {
    const { routes, ports, anyPort } = this.#parts
    const next = new Map<string, Route | undefined>()
    for (const route of change.remove ?? []) if (routes.get(route.id) === route) next.set(route.id, undefined)
    for (const route of change.add ?? []) next.set(route.id, route)
    if (next.size === 0) return this
    const byPort = new Map<number, { add: Candidate[]; remove: Candidate[] }>()
    const forAny = { add: [] as Candidate[], remove: [] as Candidate[] }
    const file = (side: 'add' | 'remove', route: Route): void => {
      const candidate = candidateOf(route)
      const { serverPorts } = route.rule
      if (serverPorts.length === 0) forAny[side].push(candidate)
      for (const port of new Set(serverPorts)) changeAt(byPort, port)[side].push(candidate)
    }
    for (const [id, route] of next) {
      const old = routes.get(id)
      if (old === route) continue
      if (old !== undefined) file('remove', old)
      if (route !== undefined) file('add', route)
    }
    return new StreamRouter({
      routes: routes.with(next),
      ports: withTables(ports, byPort),
      anyPort: forAny.add.length + forAny.remove.length === 0 ? anyPort : anyPort.with(forAny),
    })
  }

  #match(link: Link, serverName: string | undefined, variables: Variables): Route | undefined {
    const here = this.#parts.ports.get(link.localPort) ?? NameTable.empty
    const facts = new LinkFacts(link, variables)
    const named = serverName ? this.#findNamed(here, normalName(serverName), facts) : undefined
    const found = named ?? firstOf(here.nameless, this.#parts.anyPort.nameless, facts)
    return found?.route
  }

  #findNamed(here: NameTable, name: string, facts: Facts): Candidate | undefined {
    const any = this.#parts.anyPort
    let found = firstOf(here.exact(name), any.exact(name), facts)
    let i = 0
    let j = 0
    while (found === undefined) {
      const length = Math.max(here.suffixLengths[i] ?? -1, any.suffixLengths[j] ?? -1)
      if (length < 0) return undefined
      if (here.suffixLengths[i] === length) i += 1
      if (any.suffixLengths[j] === length) j += 1
      if (length > name.length) continue
      const suffix = name.slice(name.length - length)
      found = firstOf(here.suffix(suffix), any.suffix(suffix), facts)
    }
    return found
  }
}

interface Variables {
  variable(name: string): string | undefined
}

function firstOf(a: CandidateSet | undefined, b: CandidateSet | undefined, facts: Facts): Candidate | undefined {
  return better(a?.find(facts), b?.find(facts))
}

function withTables(
  ports: PortPages<NameTable>,
  changes: ReadonlyMap<number, Change<Candidate>>,
): PortPages<NameTable> {
  const updates = new Map<number, NameTable | undefined>()
  for (const [port, change] of changes) {
    const table = (ports.get(port) ?? NameTable.empty).with(change)
    updates.set(port, table.isEmpty ? undefined : table)
  }
  return ports.with(updates)
}

/** Addresses are parsed when the first candidate asks, and once. */
class LinkFacts implements Facts {
  readonly #link: Link
  readonly #variables: Variables
  #remote: Address | undefined | null = null
  #local: Address | undefined | null = null

  constructor(link: Link, variables: Variables) {
    this.#link = link
    this.#variables = variables
  }

  get remote(): Address | undefined {
    if (this.#remote === null) this.#remote = parseAddress(this.#link.remoteAddress)
    return this.#remote
  }

  get local(): Address | undefined {
    if (this.#local === null) this.#local = parseAddress(this.#link.localAddress)
    return this.#local
  }

  variable(name: string): string | undefined {
    return this.#variables.variable(name)
  }
}

/** The variables that a connection has before it is decided who ends its TLS. */
class HelloVariables implements Variables {
  readonly #link: Link
  readonly #hello: HelloInfo

  constructor(link: Link, hello: HelloInfo) {
    this.#link = link
    this.#hello = hello
  }

  variable(name: string): string | undefined {
    switch (name) {
      case 'remote_addr':
        return this.#link.remoteAddress
      case 'remote_port':
        return String(this.#link.remotePort)
      case 'server_addr':
        return this.#link.localAddress
      case 'server_port':
        return String(this.#link.localPort)
      case 'protocol':
        return 'TCP'
      case 'sni':
      case 'ssl_preread_server_name':
        return this.#hello.serverName
      case 'ssl_preread_alpn_protocols':
        return this.#hello.alpn.join(',')
      default:
        return undefined
    }
  }
}
