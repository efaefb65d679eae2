/** Upstreams: what a revision says of one (frozen), over the fleet of endpoints that stands behind it. */
import type { Endpoint } from '../exchange/endpoint.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { TlsOrigination } from '../net/wire.ts'
import type { Fleet } from './fleet.ts'
import type { HashKey } from './hash-key.ts'
import type { PoolLimits } from './http-pool.ts'

/** How long each part of an attempt may take, ms; 0: no limit. */
export interface Timeouts {
  readonly connectMs: number
  readonly sendMs: number
  readonly readMs: number
}

/** TLS towards endpoints; the server name is settled per exchange. */
export interface UpstreamTls {
  readonly context: TlsOrigination['context']
  readonly verify: boolean
  /** Used instead of the client's SNI when set. */
  readonly serverName: string | undefined
  /** Equal for two upstreams whose connections may stand in for each other: authorities, client certificate, verification. */
  readonly identity: string
}

/** The Host field that an endpoint sees: the client's, the endpoint's own name, or a fixed one. */
export type PassHost =
  | { readonly by: 'pass' }
  | { readonly by: 'node' }
  | { readonly by: 'rewrite'; readonly host: string }

export class Upstream {
  /** `upstreams/1`, or the resource it stands in: `stream_routes/7`. */
  readonly owner: string
  /** Further tries after the first; undefined: as many as there are other endpoints. */
  readonly retries: number | undefined
  /** No new try begins so long after the first one began; 0: no limit. */
  readonly retryTimeoutMs: number
  readonly timeouts: Timeouts
  /** `http`, `https`, `tcp`, … as configured. */
  readonly scheme: string
  /** Those of HTTP where the configuration names none differ from those of streams. */
  readonly httpTimeouts: Timeouts
  readonly passHost: PassHost
  readonly poolLimits: PoolLimits | undefined
  readonly tls: UpstreamTls | undefined
  readonly fleet: Fleet
  readonly #hashKey: HashKey | undefined
  readonly #makeTls: () => UpstreamTls
  #lateTls: UpstreamTls | undefined

  constructor(settings: {
    owner: string
    retries: number | undefined
    retryTimeoutMs: number
    timeouts: Timeouts
    httpTimeouts: Timeouts
    scheme: string
    passHost: PassHost
    /** Undefined: as the worker is configured. */
    poolLimits: PoolLimits | undefined
    tls: UpstreamTls | undefined
    /** For exchanges that ask for TLS although the scheme does not; may throw. */
    makeTls: () => UpstreamTls
    fleet: Fleet
    hashKey: HashKey | undefined
  }) {
    this.owner = settings.owner
    this.retries = settings.retries
    this.retryTimeoutMs = settings.retryTimeoutMs
    this.timeouts = settings.timeouts
    this.httpTimeouts = settings.httpTimeouts
    this.scheme = settings.scheme
    this.passHost = settings.passHost
    this.poolLimits = settings.poolLimits
    this.tls = settings.tls
    this.fleet = settings.fleet
    this.#hashKey = settings.hashKey
    this.#makeTls = settings.makeTls
    this.#lateTls = settings.tls
  }

  /** The next endpoint for this exchange: none of `tried` (oldest first) while another is left. Undefined: none at all. */
  pick(exchange: Exchange, tried: readonly Endpoint[]): Endpoint | undefined {
    return this.fleet.pick(this.#hashKey === undefined ? '' : this.#hashKey(exchange), tried)
  }

  /** How TLS is spoken to its endpoints, whatever its own scheme. Throws when that cannot be. */
  secure(): UpstreamTls {
    this.#lateTls ??= this.#makeTls()
    return this.#lateTls
  }

  /** How many tries an exchange may make in all. */
  get tries(): number {
    return 1 + (this.retries ?? Math.max(0, this.fleet.size - 1))
  }
}

/** A place whose upstream may be replaced while routes go on pointing at it: one per owner. */
export interface UpstreamCell {
  current: Upstream | undefined
}
