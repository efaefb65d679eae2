/** HTTP routes as the router holds them, and what a match says. */

import type { RouteInfo } from '../exchange/exchange.ts'
import type { HttpExchange } from '../exchange/http-exchange.ts'
import type { Chain } from '../plugin/chain.ts'
import type { PlacedPlugins } from '../plugin/merge.ts'
import type { Timeouts, UpstreamCell } from '../upstream/upstream.ts'

export interface HttpRule {
  /** As written: `/a/*`, `/user/:name`. */
  readonly uris: readonly string[]
  /** Lower case; `*.suffix` covers any number of labels. Empty: any. The route's, else its service's. */
  readonly hosts: readonly string[]
  /** Empty: any. */
  readonly methods: readonly string[]
  /** Addresses and CIDRs as text; empty: any. */
  readonly remoteAddrs: readonly string[]
  readonly vars: unknown
  /** Greater first, among routes of the same path. */
  readonly priority: number
  /** Position in load order. */
  readonly order: number
}

export interface HttpRoute extends RouteInfo {
  readonly rule: HttpRule
  readonly serviceName: string | undefined
  /** Plugins of service, plugin_config and route, merged. */
  readonly chain: Chain
  /** What `chain` was made of: consumers' plugins are laid over it. */
  readonly plugins: PlacedPlugins
  readonly upstream: UpstreamCell | undefined
  /** Take the place of the upstream's. */
  readonly timeouts: Timeouts | undefined
  readonly websocket: boolean
  /** A resource that it names is missing: every request is answered with this status. */
  readonly missing: { readonly status: 404 | 503; readonly what: string } | undefined
}

export interface HttpMatch {
  readonly route: HttpRoute
  /** Values of path parameters and named wildcards (`:ext` for a bare one); undefined: there are none. */
  readonly params: Readonly<Record<string, string>> | undefined
  /** The path of the rule that matched, as written, and its host if it has hosts. */
  readonly uri: string
  readonly host: string | undefined
}

export interface HttpRouter {
  match(exchange: HttpExchange): HttpMatch | undefined
}

/** A router that changes cost little of: what has matched on one revision is not disturbed by the next. */
export interface HttpRouterIndex extends HttpRouter {
  /** How many routes it holds. */
  readonly size: number
  with(changes: { readonly add: readonly HttpRoute[]; readonly remove: readonly HttpRoute[] }): HttpRouterIndex
}
