/** Upstreams: what a revision says (frozen) over what stands behind it (the fleet). */
import type { Endpoint } from '../exchange/endpoint.ts'
import type { Attempt, Exchange } from '../exchange/exchange.ts'
import type { GatewayError } from '../errors.ts'
import type { Link } from '../net/link.ts'

export interface UpstreamSettings {
  readonly scheme: string
  readonly retries: number | undefined
  readonly retryTimeoutMs: number
  readonly connectMs: number
  readonly sendMs: number
  readonly readMs: number
}

export interface Upstream {
  /** Equal for equal meaning: the fleet of the previous revision is adopted when it has the same key. */
  readonly key: string
  readonly name: string
  readonly settings: UpstreamSettings
  readonly fleet: Fleet
  /** The next endpoint for this exchange, none of those it already tried. */
  pick(exchange: Exchange): Endpoint | undefined
}

export interface Fleet {
  readonly endpoints: readonly Endpoint[]
  settle(attempt: Attempt): void
  retire(): void
}

export interface OpenReceiver {
  opened(link: Link): void
  failed(error: GatewayError): void
}
