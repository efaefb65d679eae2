/** The road of stream exchanges: starts a journey for each, knows which are under way, and ends them on request. */
import { DenseSet } from '../base/dense-set.ts'
import { GatewayError } from '../errors.ts'
import type { StreamExchange } from '../exchange/exchange.ts'
import type { StreamSession } from '../exchange/stream-session.ts'
import type { Protocol, Road } from '../protocol/protocol.ts'
import { type JourneyOwner, StreamJourney, type StreamRoadOptions } from './stream-journey.ts'

export class StreamRoad implements JourneyOwner {
  readonly options: StreamRoadOptions
  readonly #underway = new DenseSet<StreamJourney>()
  #idle: (() => void)[] = []

  constructor(options: StreamRoadOptions) {
    this.options = options
  }

  /** The road as one protocol sees it on one listener. */
  for(protocol: Protocol, listener: string): Road {
    return { accept: (exchange: StreamExchange) => this.#accept(protocol, listener, exchange as StreamSession) }
  }

  /** Sessions that have set out and not ended. */
  get active(): number {
    return this.#underway.size
  }

  #accept(protocol: Protocol, listener: string, exchange: StreamSession): void {
    exchange.listener = listener
    const journey = new StreamJourney(this, protocol, exchange)
    this.#underway.add(journey)
    this.options.started(exchange)
    journey.start()
  }

  /** Called by a journey at its end, exactly once. */
  ended(journey: StreamJourney): void {
    this.#underway.delete(journey)
    const { exchange } = journey
    const { error } = exchange
    if (error !== undefined) {
      const fields = {
        route: exchange.route?.id,
        node: exchange.attempts.at(-1)?.endpoint.id,
        client: `${exchange.downstream.remoteAddress}:${exchange.downstream.remotePort}`,
        listener: exchange.listener,
        code: error.code,
        cause: error.message,
      }
      // What a client or a quiet connection does is everyday; what the gateway refuses or an upstream breaks is not.
      if (error.origin === 'client' || error.code === 'idle_timeout')
        this.options.log.info(fields, 'a session ended early')
      else this.options.log.warn(fields, 'a session failed')
    }
    this.options.ended(exchange)
    if (this.#underway.size === 0) {
      const waiting = this.#idle
      this.#idle = []
      for (const resolve of waiting) resolve()
    }
  }

  /** Resolves when no session is under way. */
  idle(): Promise<void> {
    if (this.#underway.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  /** Ends sessions (all, or those that `which` names) for a reason of the gateway's own. Returns how many. */
  cut(code: 'draining' | 'internal', reason: string, which?: (exchange: StreamSession) => boolean): number {
    let count = 0
    for (const journey of this.#underway.list()) {
      if (which !== undefined && !which(journey.exchange)) continue
      count++
      journey.cut(new GatewayError(code, reason))
    }
    return count
  }
}
