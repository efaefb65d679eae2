/**
 * The exchange: what a protocol hands to the road, and what routers, plugins, hash keys and logs read.
 * It offers facts; it decides nothing.
 */
import type { GatewayError } from '../errors.ts'
import type { Link } from '../net/link.ts'
import type { Endpoint } from './endpoint.ts'
import type { VariableValue } from './variable-value.ts'

/** What of a route is worth telling about an exchange. */
export interface RouteInfo {
  readonly id: string
  readonly name: string | undefined
  readonly serviceId: string | undefined
  readonly serviceName?: string | undefined
  readonly labels: Readonly<Record<string, string>> | undefined
}

/** One try on one endpoint. Times are ms of the monotonic clock (`performance.now()`); 0 until the moment came. */
export interface Attempt {
  readonly endpoint: Endpoint
  readonly startedAt: number
  connectedAt: number
  /** The connection came from a pool. */
  reused: boolean
  /** At least one byte went to the endpoint, or may have. */
  sent: boolean
  error: GatewayError | undefined
}

/** The list with one more. An array that is pushed onto has room for seventeen; most of these lists only ever hold one. */
export function withOneMore<T>(items: T[], item: T): T[] {
  if (items.length === 0) return [item]
  items.push(item)
  return items
}

export interface Exchange {
  readonly kind: 'http' | 'stream'
  /** The protocol's folder name: `tcp`, `udp`. */
  readonly protocol: string
  readonly startedAt: number
  /** Set by the road once matched. */
  route: RouteInfo | undefined
  readonly attempts: Attempt[]
  /** Why it ended early, if it did. */
  readonly error: GatewayError | undefined
  /** The status that logs and metrics show; 0 while in progress. */
  status: number
  /** The first byte of an answer has left towards the client. */
  readonly begun: boolean
  /** A variable by its nginx name without `$`; undefined when it has no value here. */
  variable(name: string): string | undefined
  /** The same as expressions compare it: what came out of a body may be a number, a truth value or a list. */
  value(name: string): VariableValue
  /** Ends the exchange for this reason, once; later calls do nothing. */
  fail(error: GatewayError): void
}

/** What a ClientHello that was read but not terminated here said. */
export interface HelloInfo {
  readonly serverName: string | undefined
  readonly alpn: readonly string[]
}

export interface StreamExchange extends Exchange {
  readonly kind: 'stream'
  readonly downstream: Link
  /** The other side, once an endpoint was reached. */
  readonly upstream: Link | undefined
  /** Bytes that were read before the exchange began (a ClientHello passed through); owned, possibly empty. */
  readonly head: Uint8Array
  readonly hello: HelloInfo | undefined
}
