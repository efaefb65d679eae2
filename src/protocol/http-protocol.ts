/**
 * What a version of HTTP is to the host: a server half that makes exchanges of requests and writes their answers, and a
 * client half that sends requests on a connected link. The road stands between them and knows neither's bytes.
 */
import type { DenseMember, DenseSet } from '../base/dense-set.ts'
import type { TimerWheel } from '../base/timers.ts'
import type { Failures, GatewayError } from '../errors.ts'
import type { HeaderList } from '../exchange/header-list.ts'
import type { BodyReceiver, HttpRequest, RequestBody, ResponseHead } from '../exchange/http-exchange.ts'
import type { HttpSession } from '../exchange/http-session.ts'
import type { Link } from '../net/link.ts'
import type { Beginning } from './protocol.ts'

/** How an answer reaches the client: one for each exchange, made by the server half. */
export interface HttpSink {
  /** An interim answer (1xx) that goes out at once. */
  inform(head: ResponseHead): void
  /**
   * Begins the answer. `length`: bytes of body that will follow, undefined when nobody knows. The head may be held back to
   * leave together with the first part, `finish` or `flush`, whichever comes first. Returns the bytes of the head.
   */
  begin(head: ResponseHead, length: number | undefined): number
  /**
   * Borrowed bytes of the body. They may be held back as the head may: a call of `flush` or `finish` has to follow. False: wait
   * for `SinkOwner.drained`. Parts of an answer that has no body by nature (HEAD, 204, 304) are dropped here.
   */
  write(part: Uint8Array): boolean
  /** The answer is whole. */
  finish(trailers?: HeaderList): void
  flush(): void
  /** The answer cannot be completed: the client must not take what it has for the whole. */
  cut(): void
  /** After a 101 was begun: the bytes from here on are the caller's, `head` those read already. The link may be paused. */
  takeOver(): { readonly link: Link; readonly head: Uint8Array }
}

/** Hears what happens to the client's side while an exchange lasts. */
export interface SinkOwner {
  /** Sets out. Called once, right after `HttpRoad.accept` returned this owner. */
  start(): void
  /** After a write answered false. */
  drained(): void
  /** The client is gone, or its connection broke; no call of the sink has an effect any more. */
  gone(error: GatewayError): void
  /**
   * The link has taken the answer whole and is not full. Exactly once if `finish` was called and `gone` was not; possibly
   * before `finish` returns.
   */
  sent(): void
  /** Fields of the answer that would have broken its head, by name: it went without them. */
  leftOut?(names: readonly string[]): void
}

/** What a client is told whose request no exchange could be made of; its connection ends with it. */
export interface RefusalAnswer {
  readonly head: ResponseHead
  readonly body: Uint8Array
}

/** Where exchanges of HTTP go. */
export interface HttpRoad {
  /** Called once for each request, its head read whole. What it returns hears from the sink. */
  accept(exchange: HttpSession, sink: HttpSink): SinkOwner
  /**
   * A request that no exchange can be made of; once for it. Returns what it is answered with, by `status`, when that is not 0:
   * it came in part and no answer is due, or cannot be sent any more.
   */
  refused(link: Link, error: GatewayError, status: number, listener: string): RefusalAnswer | undefined
}

/** The settings of a listener that serves HTTP. Times are ms, 0: no limit. */
export interface HttpSettings {
  readonly wheel: TimerWheel
  /** From the first byte of a head to its last. */
  readonly headerMs: number
  /** Silence within a body. */
  readonly bodyMs: number
  /** Between an answer and the next request on the connection. */
  readonly idleMs: number
  /** A client that takes nothing of what waits for it. */
  readonly sendMs: number
  readonly maxLineBytes: number
  readonly maxHeadBytes: number
  readonly maxHeaders: number
  /** Of a request, unless plugins say otherwise; 0: no limit. */
  readonly maxBodyBytes: number
  /** Requests on one connection. */
  readonly maxRequests: number
  /** Collected bodies above this go to a file in `spillFolder`. */
  readonly memoryBodyBytes: number
  readonly spillFolder: string
  /** Pass on fields whose names have an underscore. */
  readonly underscores: boolean
  /** The gateway is draining: answers say so, and connections end after the one in progress. */
  readonly draining: boolean
  /** Those open: each enters itself when it begins and leaves when it is closed or taken over. */
  readonly connections: DenseSet<HttpConnection>
}

/** A connection of a client. */
export interface HttpConnection extends DenseMember {
  readonly link: Link
  /** What it came in by. */
  readonly listener: string
  /** Between two requests: nothing of the next one has come. */
  readonly idle: boolean
  /** Ends it now if it is idle, else with the answer in progress. */
  drain(): void
}

/** What an endpoint is sent: composed by the road, one for each attempt. */
export interface UpstreamRequest {
  readonly method: string
  /** Encoded path and query. */
  readonly uri: string
  readonly headers: HeaderList
  readonly body: RequestBody
  /** Passed on as `Upgrade`, with the `Connection` that belongs to it. */
  readonly upgrade: string | undefined
  readonly request: HttpRequest
}

/** Hears the answer to one request; exactly one of `ended`, `failed` and `upgraded` ends it. */
export interface ResponseReceiver extends BodyReceiver {
  /** An interim answer other than 101. */
  interim(head: ResponseHead): void
  /** `length` undefined: unknown. */
  head(head: ResponseHead, length: number | undefined): void
  /** 101 came: the link is the receiver's now, `bytes` what was read beyond the head (owned). */
  upgraded(head: ResponseHead, link: Link, bytes: Uint8Array): void
  /** The first byte of the request is handed to the kernel. */
  sending(): void
  /** Fields of the request that would have broken its head, by name: it went without them. */
  leftOut?(names: readonly string[]): void
}

/** ms; 0: no limit. */
export interface HttpClientLimits {
  readonly sendMs: number
  readonly readMs: number
  readonly wheel: TimerWheel
}

/** The upstream half on a connected link. */
export interface HttpClient {
  readonly link: Link
  /** It can take no request now: one is under way, or it is closing. */
  readonly busy: boolean
  /** Nothing can be sent any more. */
  readonly closed: boolean
  /** Requests that it has carried. */
  readonly served: number
  send(request: UpstreamRequest, limits: HttpClientLimits, receiver: ResponseReceiver): void
  /** Of the answer in progress. */
  pause(): void
  resume(): void
  /** Gives up the request in progress: no call follows, and the connection is not used again. */
  cancel(): void
  close(): void
  /** Set by the pool: called when a request was answered in order and the connection can take another one, or when it closed. */
  idle: ((client: HttpClient) => void) | undefined
  ended: ((client: HttpClient) => void) | undefined
}

/** How a gateway's own refusal is shown. */
export interface HttpWire {
  readonly status: number
}

export interface HttpProtocol {
  readonly kind: 'http'
  /** Its folder: `http1`. */
  readonly name: string
  readonly carrier: 'stream'
  /** Tokens that settle on this protocol in a TLS handshake. */
  readonly alpn: readonly string[]
  readonly failures: Failures<HttpWire>
  /** Owns the link until it is closed or taken over. */
  serve(link: Link, beginning: Beginning, road: HttpRoad, settings: HttpSettings, listener: string): void
  connect(link: Link): HttpClient
}
