/** A road that leads nowhere: what a test wants is done with each exchange, and what its owner hears is kept. */

import { tmpdir } from 'node:os'
import { http1 } from '../../protocols/http1/index.ts'
import { DenseSet } from '../../src/base/dense-set.ts'
import { TimerWheel } from '../../src/base/timers.ts'
import type { GatewayError } from '../../src/errors.ts'
import { HeaderList } from '../../src/exchange/header-list.ts'
import type { BodyReceiver, ResponseHead } from '../../src/exchange/http-exchange.ts'
import type { HttpSession } from '../../src/exchange/http-session.ts'
import type { Link } from '../../src/net/link.ts'
import type { HttpRoad, HttpSettings, HttpSink, RefusalAnswer, SinkOwner } from '../../src/protocol/http-protocol.ts'
import { ScriptedLink } from './scripted-link.ts'

export type Handler = (journey: TestJourney) => void

export const headOf = (status: number, fields: Readonly<Record<string, string>> = {}): ResponseHead => ({
  status,
  reason: '',
  headers: HeaderList.of(fields),
  fromUpstream: false,
})

/** Settings without limits of time, and with those that are given. */
export function httpSettings(given: Partial<HttpSettings> = {}): HttpSettings {
  return {
    wheel: given.wheel ?? new TimerWheel({ unref: true }),
    headerMs: 0,
    bodyMs: 0,
    idleMs: 0,
    sendMs: 0,
    maxLineBytes: 8 * 1024,
    maxHeadBytes: 32 * 1024,
    maxHeaders: 100,
    maxBodyBytes: 0,
    maxRequests: 0,
    memoryBodyBytes: 16 * 1024,
    spillFolder: tmpdir(),
    underscores: false,
    draining: false,
    connections: new DenseSet(),
    ...given,
  }
}

export class TestRoad implements HttpRoad {
  readonly journeys: TestJourney[] = []
  readonly refusals: { readonly error: GatewayError; readonly status: number }[] = []
  handler: Handler

  constructor(handler: Handler = echo) {
    this.handler = handler
  }

  accept(exchange: HttpSession, sink: HttpSink): SinkOwner {
    const journey = new TestJourney(this, exchange, sink)
    this.journeys.push(journey)
    return journey
  }

  refused(_link: Link, error: GatewayError, status: number): RefusalAnswer | undefined {
    this.refusals.push({ error, status })
    if (status === 0) return undefined
    return { head: headOf(status, { Server: 'test' }), body: Buffer.from(`page of ${status}`) }
  }

  /** The last one that came. */
  get last(): TestJourney {
    return this.journeys.at(-1) as TestJourney
  }
}

/** The owner of one sink. It reads the body into `parts` if it is told to. */
export class TestJourney implements SinkOwner, BodyReceiver {
  readonly exchange: HttpSession
  readonly sink: HttpSink
  readonly #road: TestRoad
  readonly parts: string[] = []
  drains = 0
  sents = 0
  flushes = 0
  gones: GatewayError[] = []
  bodyEnds = 0
  bodyError: GatewayError | undefined = undefined
  trailers: HeaderList | undefined = undefined
  /** What is done with the body; set by handlers. */
  onPart: ((bytes: Uint8Array) => void) | undefined = undefined
  onEnd: (() => void) | undefined = undefined
  onFail: ((error: GatewayError) => void) | undefined = undefined
  onDrain: (() => void) | undefined = undefined
  onGone: (() => void) | undefined = undefined

  constructor(road: TestRoad, exchange: HttpSession, sink: HttpSink) {
    this.#road = road
    this.exchange = exchange
    this.sink = sink
  }

  /** The body, as far as it was delivered. */
  get text(): string {
    return this.parts.join('')
  }

  start(): void {
    this.#road.handler(this)
  }
  drained(): void {
    this.drains += 1
    this.onDrain?.()
  }
  gone(error: GatewayError): void {
    this.gones.push(error)
    this.onGone?.()
  }
  sent(): void {
    this.sents += 1
  }

  part(bytes: Uint8Array): void {
    this.parts.push(Buffer.from(bytes).toString('latin1'))
    this.onPart?.(bytes)
  }
  ended(trailers: HeaderList | undefined): void {
    this.bodyEnds += 1
    this.trailers = trailers
    this.onEnd?.()
  }
  failed(error: GatewayError): void {
    this.bodyError = error
    this.onFail?.(error)
  }
  flush(): void {
    this.flushes += 1
  }

  /** Answers at once. */
  answer(status: number, body: string | Uint8Array = '', fields: Readonly<Record<string, string>> = {}): void {
    const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body
    this.sink.begin(headOf(status, fields), bytes.length)
    if (bytes.length > 0) this.sink.write(bytes)
    this.sink.finish()
  }
}

/** Answers with the method, the target and the body that came, when it has come whole. */
export function echo(journey: TestJourney): void {
  const { request } = journey.exchange
  journey.onEnd = () => journey.answer(200, `${request.method} ${request.target} [${journey.text}]`)
  journey.onFail = (error) => {
    if (error.kind !== 'gone') journey.answer(error.code === 'body_too_large' ? 413 : 400)
  }
  request.body.open(journey)
}

/** Answers with the body as it comes, framed as the request was. */
export function mirror(journey: TestJourney): void {
  const { sink, exchange } = journey
  const { body } = exchange.request
  sink.begin(headOf(200), body.length)
  body.open({
    part: (bytes) => {
      if (!sink.write(bytes)) body.pause()
    },
    ended: (trailers) => sink.finish(trailers),
    failed: () => sink.cut(),
    flush: () => sink.flush(),
  })
  journey.onDrain = () => body.resume()
}

/** A connection in memory that is served for a road which does what `handler` says. */
export function served(handler?: Handler, given: Partial<HttpSettings> = {}) {
  const road = new TestRoad(handler)
  const link = new ScriptedLink()
  const settings = httpSettings(given)
  http1.serve(link, { head: new Uint8Array(0), hello: undefined }, road, settings, '127.0.0.1:9080')
  return { road, link, settings }
}

export const getOf = (target = '/', fields = ''): string => `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`
/** `fields`: those after the length. */
export const answerOf = (body: string, fields = ''): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${fields}\r\n${body}`
