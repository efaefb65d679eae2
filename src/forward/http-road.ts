/** The road of HTTP exchanges: starts a journey for each, knows which are under way, and ends them on request. */
import type { IpSet } from '../base/ip-set.ts'
import type { TimerWheel } from '../base/timers.ts'
import { GatewayError } from '../errors.ts'
import type { BodyLimits } from '../exchange/body-variables.ts'
import type { HttpSession } from '../exchange/http-session.ts'
import type { Link } from '../net/link.ts'
import type { Wire } from '../net/wire.ts'
import type { Log } from '../observability/log.ts'
import { composeAnswer } from '../plugin/answer.ts'
import type { HttpProtocol, HttpRoad, HttpSink, RefusalAnswer, SinkOwner } from '../protocol/http-protocol.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { PoolLimits } from '../upstream/http-pool.ts'
import type { ChainLeases } from './chain-leases.ts'
import { httpDate } from './http-answering.ts'
import { HttpJourney } from './http-journey.ts'
import type { ToldClient } from './told-client.ts'

/** What of the configuration a journey reads; in force from the next exchange on. */
export interface HttpRoadSettings {
  readonly keepAliveMs: number
  readonly poolLimits: PoolLimits
  /** Peers whose forwarding fields are kept; undefined: the setting is absent. */
  readonly trustedAddresses: IpSet | undefined
  /** The `Server` field of every answer. */
  readonly server: string
  /** The status of the last upstream is always shown, not only when it is a 5xx. */
  readonly showUpstreamStatus: boolean
  /** SNI towards upstreams is the Host that is sent. */
  readonly sendServerName: boolean
  /** For variables that look into bodies. */
  readonly bodyLimits: BodyLimits
  readonly toldClient: ToldClient
  /** One slash at the end of a path is dropped before it is matched. */
  readonly deleteTailSlash: boolean
  /** `;parameters` of path segments are dropped before it is matched. */
  readonly likeServlet: boolean
  /** Added to text types that name no character set; empty: nothing. */
  readonly charset: string
}

export interface HttpRoadOptions {
  readonly current: () => Snapshot
  readonly settings: () => HttpRoadSettings
  readonly wire: Wire
  readonly wheel: TimerWheel
  /** Who speaks to endpoints of a scheme. */
  readonly clientOf: (scheme: string) => HttpProtocol | undefined
  /** The status that a failure is shown by. */
  readonly statusOf: (error: GatewayError) => number
  readonly leases: ChainLeases
  readonly log: Log
  /** Called when an exchange has ended and every field of it is final. */
  readonly ended: (exchange: HttpSession) => void
  /** A request that no exchange could be made of. */
  readonly refused: (link: Link, error: GatewayError, status: number, listener: string) => void
}

export class HttpExchangeRoad implements HttpRoad {
  readonly options: HttpRoadOptions
  readonly #underway = new Set<HttpJourney>()
  #idle: (() => void)[] = []

  constructor(options: HttpRoadOptions) {
    this.options = options
  }

  /** Exchanges that have set out and not ended. */
  get active(): number {
    return this.#underway.size
  }

  accept(exchange: HttpSession, sink: HttpSink): SinkOwner {
    const journey = new HttpJourney(this, exchange, sink)
    this.#underway.add(journey)
    return journey
  }

  refused(link: Link, error: GatewayError, status: number, listener: string): RefusalAnswer | undefined {
    this.options.refused(link, error, status, listener)
    if (status === 0) return undefined
    const { head, body } = composeAnswer({ status })
    head.headers.push('server', 'Server', this.options.settings().server)
    head.headers.push('date', 'Date', httpDate())
    return { head, body }
  }

  /** Called by a journey at its end, exactly once. */
  ended(journey: HttpJourney): void {
    this.#underway.delete(journey)
    const { exchange } = journey
    if (exchange.error !== undefined) this.#report(exchange, exchange.error)
    this.options.ended(exchange)
    if (this.#underway.size === 0 && this.#idle.length > 0) {
      const waiting = this.#idle
      this.#idle = []
      for (const resolve of waiting) resolve()
    }
  }

  #report(exchange: HttpSession, error: GatewayError): void {
    const { log } = this.options
    const fields = {
      route: exchange.route?.id,
      node: exchange.attempts.at(-1)?.endpoint.id,
      client: `${exchange.remoteAddress}:${exchange.remotePort}`,
      listener: exchange.listener,
      request: `${exchange.request.method} ${exchange.request.target}`,
      status: exchange.status,
      code: error.code,
      cause: error.message,
    }
    if (error.origin === 'client') log.info(fields, 'a request was not carried out')
    else log.warn(fields, 'a request failed')
  }

  /** Resolves when no exchange is under way. */
  idle(): Promise<void> {
    if (this.#underway.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  /** Ends exchanges (all, or those that `which` names) for a reason of the gateway's own. Returns how many. */
  cut(code: 'draining' | 'internal', reason: string, which?: (exchange: HttpSession) => boolean): number {
    let count = 0
    for (const journey of [...this.#underway]) {
      if (which !== undefined && !which(journey.exchange)) continue
      count++
      journey.cut(new GatewayError(code, reason))
    }
    return count
  }
}
