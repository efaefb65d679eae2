/** Routers: from the routes of a snapshot to the one that an exchange takes. */
import type { Exchange, RouteInfo } from '../exchange/exchange.ts'
import type { Chain } from '../plugin/chain.ts'
import type { UpstreamCell } from '../upstream/upstream.ts'

export interface StreamRule {
  /** Empty: any. */
  readonly serverPorts: readonly number[]
  /** Empty: any. Addresses and CIDRs as text. */
  readonly serverAddrs: readonly string[]
  readonly remoteAddrs: readonly string[]
  /** Lower case; `*.suffix` covers any number of labels. Empty: any, and also connections without SNI. */
  readonly snis: readonly string[]
  readonly vars: unknown
  /** Greater first; equal ones in load order. */
  readonly priority: number
  /** Position in load order. */
  readonly order: number
  /** Take TLS connections as they are, undecrypted. */
  readonly passthrough: boolean
}

export interface Route extends RouteInfo {
  readonly rule: StreamRule
  readonly chain: Chain
  /** The cell's upstream may be replaced while the route stays; undefined: the route names none. */
  readonly upstream: UpstreamCell | undefined
}

export interface Router<X extends Exchange> {
  match(exchange: X): Route | undefined
}
