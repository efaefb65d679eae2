/** The road of HTTP exchanges: starts a journey for each, knows which are under way, and ends them on request. */
import { DenseSet } from '../base/dense-set.ts'
import { GatewayError } from '../errors.ts'
import type { HttpSession } from '../exchange/http-session.ts'
import type { Link } from '../net/link.ts'
import { composeAnswer } from '../plugin/answer.ts'
import type { HttpRoad, HttpSink, RefusalAnswer, SinkOwner } from '../protocol/http-protocol.ts'
import { httpDate } from './http-date.ts'
import { HttpJourney } from './http-journey.ts'
import type { HttpRoadOptions } from './http-road-options.ts'

export class HttpExchangeRoad implements HttpRoad {
  readonly options: HttpRoadOptions
  readonly #underway = new DenseSet<HttpJourney>()
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
    for (const journey of this.#underway.list()) {
      if (which !== undefined && !which(journey.exchange)) continue
      count++
      journey.cut(new GatewayError(code, reason))
    }
    return count
  }
}
