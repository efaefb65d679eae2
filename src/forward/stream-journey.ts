/**
 * One stream exchange on the road: match, preread, pick, dial, hand to the client, log. One object per session, whose
 * methods are the callbacks of every step, so that a session costs no closures.
 */

import type { DenseMember } from '../base/dense-set.ts'
import type { TimerWheel } from '../base/timers.ts'
import { GatewayError } from '../errors.ts'
import type { Endpoint } from '../exchange/endpoint.ts'
import { type Attempt, withOneMore } from '../exchange/exchange.ts'
import type { StreamSession } from '../exchange/stream-session.ts'
import type { Link } from '../net/link.ts'
import type { DialReceiver, TlsOrigination, Wire } from '../net/wire.ts'
import type { Log } from '../observability/log.ts'
import type { Answer } from '../plugin/plugin.ts'
import { runLog, runSteps } from '../plugin/run.ts'
import type { AttemptReceiver, Client, Protocol } from '../protocol/protocol.ts'
import type { Route } from '../route/router.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { ChainLeases } from './chain-leases.ts'
import { mayRetry } from './retry.ts'

export interface StreamRoadOptions {
  readonly current: () => Snapshot
  readonly wire: Wire
  readonly wheel: TimerWheel
  readonly keepAliveMs: number
  readonly leases: ChainLeases
  readonly log: Log
  /** Called when an exchange sets out, and when it has ended and every field of it is final. */
  readonly started: (exchange: StreamSession) => void
  readonly ended: (exchange: StreamSession) => void
}

/** Whose journeys these are. */
export interface JourneyOwner {
  readonly options: StreamRoadOptions
  /** Called by a journey at its end, exactly once. */
  ended(journey: StreamJourney): void
}

/** What an upstream that speaks TLS is asked for when nobody named a server. */
const namelessServer = 'apisix_backend'

/** `http` is what an upstream has that names none. */
const streamSchemes = new Set(['tcp', 'udp', 'tls', 'http'])

export class StreamJourney implements DialReceiver, AttemptReceiver, DenseMember {
  readonly exchange: StreamSession
  place = -1
  readonly #road: JourneyOwner
  readonly #protocol: Protocol
  #route: Route | undefined = undefined
  #upstream: Upstream | undefined = undefined
  #cancelDial: (() => void) | undefined = undefined
  #client: Client | undefined = undefined
  #over = false

  constructor(road: JourneyOwner, protocol: Protocol, exchange: StreamSession) {
    this.#road = road
    this.#protocol = protocol
    this.exchange = exchange
  }

  start(): void {
    const route = this.#road.options.current().router.match(this.exchange)
    if (route === undefined) return this.#finish(new GatewayError('no_route', 'no stream route matches'))
    this.#route = route
    this.exchange.route = route
    this.#road.options.leases.take(route.chain)
    const steps = route.chain.preread
    if (steps === undefined) return this.#forward()
    let verdict: Answer | undefined | Promise<Answer | undefined>
    try {
      verdict = runSteps(steps, this.exchange)
    } catch (thrown) {
      return this.#finish(GatewayError.from(thrown))
    }
    if (verdict instanceof Promise) {
      verdict.then(
        (late) => this.#decided(late),
        (thrown) => this.#finish(GatewayError.from(thrown)),
      )
    } else this.#decided(verdict)
  }

  #decided(answer: Answer | undefined): void {
    if (this.#over) return
    if (answer === undefined) return this.#forward()
    this.exchange.status = answer.status
    this.#finish(
      new GatewayError(
        'refused_by_plugin',
        `a plugin answered ${answer.status}${typeof answer.body === 'string' ? `: ${answer.body}` : ''}`,
      ),
    )
  }

  #forward(): void {
    const cell = this.#route?.upstream
    if (cell === undefined) return this.#finish(new GatewayError('no_upstream', 'the route names no upstream'))
    if (cell.current === undefined)
      return this.#finish(new GatewayError('unknown_upstream', 'the upstream does not exist'))
    const { owner, scheme } = cell.current
    if (!streamSchemes.has(scheme))
      return this.#finish(new GatewayError('no_upstream', `${owner}: scheme ${scheme} cannot carry a stream`))
    this.#upstream = cell.current
    this.#next(undefined)
  }

  /** Tries one endpoint; `last` is why the one before failed. */
  #next(last: GatewayError | undefined): void {
    const upstream = this.#upstream as Upstream
    const { attempts } = this.exchange
    const tried = attempts.length === 0 ? none : attempts.map(endpointOf)
    let endpoint = upstream.pick(this.exchange, tried)
    // A single endpoint is not balanced: further tries go to it again.
    if (endpoint === undefined && upstream.fleet.size === 1 && last !== undefined)
      endpoint = upstream.fleet.endpoints[0]
    if (endpoint === undefined) {
      return this.#finish(last ?? new GatewayError('no_endpoint', `${upstream.owner} has no usable node`))
    }
    const attempt: Attempt = {
      endpoint,
      startedAt: performance.now(),
      connectedAt: 0,
      reused: false,
      sent: false,
      error: undefined,
    }
    this.exchange.attempts = withOneMore(attempts, attempt)
    endpoint.load.begin()
    const { wire, keepAliveMs } = this.#road.options
    this.#cancelDial = wire.dial(
      {
        carrier: this.exchange.downstream.carrier,
        host: endpoint.host,
        port: endpoint.port,
        timeoutMs: upstream.timeouts.connectMs,
        keepAliveMs,
        tls: upstream.tls === undefined ? undefined : this.#origination(upstream.tls, endpoint),
      },
      this,
    )
  }

  #origination(tls: NonNullable<Upstream['tls']>, endpoint: Endpoint): TlsOrigination {
    const asked = tls.serverName ?? this.exchange.variable('sni') ?? endpoint.domain ?? namelessServer
    return { context: tls.context, serverName: asked, verify: tls.verify, alpn: [] }
  }

  connected(link: Link): void {
    this.#cancelDial = undefined
    const attempt = this.exchange.attempts.at(-1) as Attempt
    attempt.connectedAt = performance.now()
    // From here on bytes may have gone out: no other endpoint may see them again.
    attempt.sent = true
    this.exchange.upstream = link
    const { sendMs, readMs } = (this.#upstream as Upstream).timeouts
    this.#client = this.#protocol.connect(link)
    this.#client.send(this.exchange, attempt, { idleMs: readMs, sendMs, wheel: this.#road.options.wheel }, this)
  }

  failed(error: GatewayError): void {
    this.#cancelDial = undefined
    const attempt = this.exchange.attempts.at(-1) as Attempt
    attempt.error = error
    attempt.endpoint.load.end()
    const upstream = this.#upstream as Upstream
    const again = mayRetry(this.exchange, attempt, error, upstream, performance.now())
    this.#road.options.log.warn(
      {
        route: this.#route?.id,
        upstream: upstream.owner,
        node: attempt.endpoint.id,
        code: error.code,
        cause: error.message,
        again,
      },
      'connecting to a node failed',
    )
    if (again) this.#next(error)
    else this.#finish(error)
  }

  done(error: GatewayError | undefined): void {
    const attempt = this.exchange.attempts.at(-1)
    if (attempt !== undefined) {
      attempt.error = error
      attempt.endpoint.load.end(attempt.connectedAt - attempt.startedAt)
    }
    this.#finish(error)
  }

  /** Ends the session for a reason of the gateway's own: drain deadline, stop. */
  cut(error: GatewayError): void {
    if (this.#over) return
    if (this.#client !== undefined) return this.exchange.fail(error)
    if (this.#cancelDial !== undefined) {
      this.#cancelDial()
      this.#cancelDial = undefined
      this.exchange.attempts.at(-1)?.endpoint.load.end()
    }
    this.#finish(error)
  }

  #finish(error: GatewayError | undefined): void {
    if (this.#over) return
    this.#over = true
    const { exchange } = this
    if (error !== undefined) exchange.fail(error)
    exchange.endedAt = performance.now()
    if (exchange.status === 0) exchange.status = this.#status()
    exchange.downstream.close()
    const steps = this.#route?.chain.log
    if (steps !== undefined) {
      runLog(steps, exchange, (thrown) =>
        this.#road.options.log.error({ route: this.#route?.id, error: thrown }, 'a plugin failed in its log phase'),
      )
    }
    if (this.#route !== undefined) this.#road.options.leases.give(this.#route.chain)
    this.#road.ended(this)
  }

  #status(): number {
    const error = this.exchange.error
    if (error === undefined) return 200
    const { failures } = this.#protocol
    return (failures[error.code] ?? failures[error.kind]).status
  }
}

const none: readonly Endpoint[] = []
const endpointOf = (attempt: Attempt): Endpoint => attempt.endpoint
