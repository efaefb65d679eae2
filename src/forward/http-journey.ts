/**
 * One HTTP exchange on the road: match, phases, tries, answer, log. One object per request, whose methods are the callbacks of
 * every step. Connections and endpoints are the business of its tries, bytes that of the protocol.
 */
import { monotonic } from '../base/clock.ts'
import type { DenseMember } from '../base/dense-set.ts'
import { GatewayError } from '../errors.ts'
import type { HeaderList } from '../exchange/header-list.ts'
import type { ResponseHead } from '../exchange/http-exchange.ts'
import type { HttpSession } from '../exchange/http-session.ts'
import { withoutParameters, withoutTailSlash } from '../exchange/request-path.ts'
import type { Link } from '../net/link.ts'
import { relay } from '../net/relay.ts'
import { type ComposedAnswer, composeAnswer } from '../plugin/answer.ts'
import { type Chain, emptyChain, type HttpStep, type LogStep } from '../plugin/chain.ts'
import type { Answer } from '../plugin/plugin.ts'
import { runLog, runSteps } from '../plugin/run.ts'
import type { HttpSink, SinkOwner } from '../protocol/http-protocol.ts'
import type { HttpMatch, HttpRoute } from '../route/http-route.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { clientCertificateFault } from './client-certificate.ts'
import { HttpAnswering } from './http-answering.ts'
import type { HttpRoadOptions } from './http-road-options.ts'
import { HttpTries, type TriesOwner } from './http-tries.ts'
import { takeToldClient } from './told-client.ts'

/** What is run before an upstream is chosen, in this order. */
const stages = { globalRewrite: 0, rewrite: 1, consumer: 2, globalAccess: 3, access: 4, proxy: 5 } as const

const noRoute: Answer = { status: 404, body: { error_msg: '404 Route Not Found' } }

/** Whose journeys these are. */
export interface JourneyRoad {
  readonly options: HttpRoadOptions
  /** Called by a journey at its end, exactly once. */
  ended(journey: HttpJourney): void
}

export class HttpJourney implements SinkOwner, TriesOwner, DenseMember {
  readonly exchange: HttpSession
  place = -1
  readonly #road: JourneyRoad
  readonly #sink: HttpSink
  readonly #answering: HttpAnswering
  readonly #snapshot: Snapshot
  /** What runs of the global rules beside the route's plugins. */
  #globals: Chain
  #route: HttpRoute | undefined = undefined
  #chain: Chain = emptyChain
  /** The route's own, while that of the consumer is in force: both are leased. */
  #routeChain: Chain = emptyChain
  #stage: number = stages.globalRewrite
  #tries: HttpTries | undefined = undefined
  #cutRelay: (() => void) | undefined = undefined
  #over = false

  constructor(road: JourneyRoad, exchange: HttpSession, sink: HttpSink) {
    const { current, log } = road.options
    this.exchange = exchange
    this.#road = road
    this.#sink = sink
    this.#answering = new HttpAnswering(exchange, sink, log)
    this.#snapshot = current()
    this.#globals = this.#snapshot.globalRules.chain
    exchange.owner = this
  }

  start(): void {
    const { exchange } = this
    const { globalRules } = this.#snapshot
    this.#road.options.leases.take(globalRules.chain)
    takeToldClient(exchange, this.#road.options.settings().toldClient)
    if (!this.#normalise()) return this.abandoned(new GatewayError('bad_request', 'the path cannot be normalised'))
    const fault = clientCertificateFault(exchange, this.#snapshot.certificates)
    if (fault !== undefined) return this.abandoned(new GatewayError('bad_request', fault))
    const match = this.#snapshot.http.match(exchange)
    if (!exchange.wantsBody) return this.#matched(match)
    // Some route looks into the body: what was decided without it is decided again.
    const loading = exchange.bodyVariables.load(this.#road.options.settings().bodyLimits)
    if (loading === undefined) return this.#matched(this.#snapshot.http.match(exchange))
    loading.then(
      () => this.#matched(this.#snapshot.http.match(exchange)),
      (thrown) => this.abandoned(GatewayError.from(thrown)),
    )
  }

  /** The path as the options of the router want it. False: it is one that they refuse. */
  #normalise(): boolean {
    const { deleteTailSlash, likeServlet } = this.#road.options.settings()
    const { request } = this.exchange
    if (likeServlet) {
      const path = withoutParameters(request.path)
      if (path === undefined) return false
      request.path = path
    }
    if (deleteTailSlash) request.path = withoutTailSlash(request.path)
    return true
  }

  #matched(match: HttpMatch | undefined): void {
    if (this.#over || this.exchange.begun) return
    if (match !== undefined) {
      const { exchange } = this
      const { route } = match
      this.#route = route
      exchange.route = route
      exchange.params = match.params
      exchange.matchedUri = match.uri
      exchange.matchedHost = match.host
      this.#chain = this.#routeChain = route.chain
      this.#globals = this.#snapshot.globalRules.beside(route.chain)
      this.#road.options.leases.take(route.chain)
      if (route.missing !== undefined) {
        const { status, what } = route.missing
        this.#road.options.log.warn({ route: route.id }, what)
        return this.#answer({ status })
      }
    }
    this.#advance()
  }

  /** Runs the phases that are left, until one answers or has to be waited for. */
  #advance(): void {
    while (!this.#over && !this.exchange.begun) {
      const stage = this.#stage++
      if (stage === stages.proxy) return this.#route === undefined ? this.#answer(noRoute) : this.#proxy()
      const steps = this.#stepsOf(stage)
      if (steps !== undefined && this.#run(steps)) return
    }
  }

  #stepsOf(stage: number): readonly HttpStep[] | undefined {
    switch (stage) {
      case stages.globalRewrite:
        return this.#globals.rewrite
      case stages.rewrite:
        return this.#chain.rewrite
      case stages.consumer:
        return this.exchange.consumer === undefined ? undefined : this.#mergeConsumer()
      case stages.globalAccess:
        return this.#globals.access
      default:
        return this.#chain.access
    }
  }

  /** Lays the plugins of the consumer over those of the route. Returns what of their `rewrite` is still due. */
  #mergeConsumer(): readonly HttpStep[] | undefined {
    const { consumer } = this.exchange
    const route = this.#route
    if (consumer === undefined || route === undefined) return undefined
    const merged = this.#snapshot.consumerChains.of(route, consumer)
    if (merged.missing !== undefined) {
      this.#road.options.log.warn({ route: route.id, consumer: consumer.username }, merged.missing)
      return [() => ({ status: 503 })]
    }
    if (merged.chain === this.#chain) return undefined
    this.#chain = merged.chain
    this.#road.options.leases.take(merged.chain)
    return merged.lateRewrite
  }

  /** True when the phases do not simply go on: one answered, failed, or is waited for. */
  #run(steps: readonly HttpStep[]): boolean {
    let verdict: Answer | undefined | Promise<Answer | undefined>
    try {
      verdict = runSteps(steps, this.exchange)
    } catch (thrown) {
      this.abandoned(GatewayError.from(thrown))
      return true
    }
    if (verdict === undefined) return false
    if (verdict instanceof Promise) {
      verdict.then(
        (late) => this.#decided(late),
        (thrown) => this.abandoned(GatewayError.from(thrown)),
      )
    } else this.#answer(verdict)
    return true
  }

  #decided(answer: Answer | undefined): void {
    if (this.#over || this.exchange.begun) return
    if (answer !== undefined) return this.#answer(answer)
    if (this.#tries === undefined) this.#advance()
    else this.#tries.go()
  }

  #proxy(): void {
    const route = this.#route as HttpRoute
    const cell = this.exchange.chosenUpstream ?? route.upstream
    if (cell === undefined) return this.abandoned(new GatewayError('no_upstream', 'the route names no upstream'))
    const upstream = cell.current as Upstream | undefined
    if (upstream === undefined)
      return this.abandoned(new GatewayError('unknown_upstream', 'the upstream does not exist'))
    const { error } = this.exchange.request.body
    if (error !== undefined) return this.abandoned(error)
    const timeouts = route.timeouts ?? upstream.httpTimeouts
    this.#tries = new HttpTries(this.#road.options, this.exchange, this, upstream, timeouts, route.websocket)
    this.again()
  }

  again(): void {
    if (this.#over) return
    const { beforeProxy: globals } = this.#globals
    const { beforeProxy } = this.#chain
    const steps =
      globals === undefined ? beforeProxy : beforeProxy === undefined ? globals : [...globals, ...beforeProxy]
    if (steps === undefined || !this.#run(steps)) (this.#tries as HttpTries).go()
  }

  interim(head: ResponseHead): void {
    if (!this.#over) this.#sink.inform(head)
  }

  answered(head: ResponseHead, length: number | undefined): void {
    const { options } = this.#road
    this.#answering.begin(head, length, options.settings(), this.#globals.headerFilter, this.#chain.headerFilter)
  }

  part(bytes: Uint8Array): void {
    if (!this.#answering.part(bytes)) this.#tries?.pause()
  }

  flush(): void {
    this.#sink.flush()
  }

  complete(trailers: HeaderList | undefined): void {
    this.#answering.end(trailers)
  }

  /** From here on the exchange is two links joined. */
  upgraded(head: ResponseHead, link: Link, bytes: Uint8Array): void {
    if (this.#over) return link.close()
    const { options } = this.#road
    this.#answering.begin(head, 0, options.settings(), this.#globals.headerFilter, this.#chain.headerFilter)
    this.#sink.flush()
    const { link: downstream, head: first } = this.#sink.takeOver()
    if (bytes.length > 0) downstream.send(bytes)
    const { readMs: idleMs, sendMs } = (this.#tries as HttpTries).timeouts
    const settings = {
      idleMs,
      sendMs,
      wheel: options.wheel,
      lingerMs: 0,
      ...(first.length === 0 ? {} : { head: first }),
    }
    this.#cutRelay = relay(downstream, link, settings, ({ error, bytesUp, bytesDown }) => {
      const { exchange } = this
      exchange.upstreamBytesSent += bytesUp
      exchange.upstreamBytesReceived += bytesDown
      exchange.bodyBytesSent += bytesDown
      this.#tries?.released()
      this.#finish(error)
    })
  }

  failed(error: GatewayError): void {
    this.abandoned(error)
  }

  drained(): void {
    this.#tries?.resume()
  }

  gone(error: GatewayError): void {
    if (this.#over) return
    this.#tries?.cancel()
    if (!this.exchange.begun) this.exchange.status = clientGoneStatus
    this.#finish(error)
  }

  sent(): void {
    this.#finish(undefined)
  }

  leftOut(names: readonly string[]): void {
    this.#road.options.log.warn(
      { route: this.#route?.id, names },
      'fields that would have broken the answer were not sent',
    )
  }

  /** Ends the exchange for this reason: with the gateway's page, or by breaking off what has begun. */
  abandoned(error: GatewayError): void {
    if (this.#over) return
    const { exchange } = this
    exchange.error ??= error
    this.#tries?.cancel()
    if (this.#cutRelay !== undefined) return this.#cutRelay()
    if (exchange.begun) {
      this.#sink.cut()
      return this.#finish(error)
    }
    this.#respond(composeAnswer({ status: this.#road.options.statusOf(error) }))
  }

  /** Ends the exchange for a reason of the gateway's own: drain deadline, stop. */
  cut(error: GatewayError): void {
    if (this.#cutRelay === undefined) return this.abandoned(error)
    this.exchange.error ??= error
    this.#cutRelay()
  }

  #answer(answer: Answer): void {
    if (this.#over || this.exchange.begun) return
    this.#tries?.cancel()
    this.#respond(composeAnswer(answer))
  }

  #respond({ head, body }: ComposedAnswer): void {
    const { options } = this.#road
    const filters = this.#chain.headerFilter
    this.#answering.begin(head, body.length, options.settings(), this.#globals.headerFilter, filters)
    if (body.length > 0) this.#answering.part(body)
    this.#answering.end(undefined)
  }

  #finish(error: GatewayError | undefined): void {
    if (this.#over) return
    this.#over = true
    const { exchange } = this
    const { leases } = this.#road.options
    exchange.error ??= error
    exchange.endedAt = monotonic.now()
    this.#log(this.#globals.log)
    this.#log(this.#chain.log)
    leases.give(this.#snapshot.globalRules.chain)
    if (this.#chain !== this.#routeChain) leases.give(this.#chain)
    if (this.#route !== undefined) leases.give(this.#routeChain)
    this.#road.ended(this)
  }

  #log(steps: readonly LogStep[] | undefined): void {
    if (steps === undefined) return
    const { log } = this.#road.options
    runLog(steps, this.exchange, (thrown) =>
      log.error({ route: this.#route?.id, error: thrown }, 'a plugin failed in its log phase'),
    )
  }
}

/** nginx's number for a client that left before its answer; no client sees it. */
const clientGoneStatus = 499
