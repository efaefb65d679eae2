/**
 * The exchange of HTTP, whatever version carries it: a request, what is made of it on its way, and the answer. It offers
 * facts and places for decisions; routing, picking and retrying are the road's.
 */
import type { GatewayError } from '../errors.ts'
import type { Link } from '../net/link.ts'
import type { Exchange, RouteInfo } from './exchange.ts'
import type { HeaderList } from './header-list.ts'

/** Where the bytes of a message body go. Every call but the first is about the body that was opened. */
export interface BodyReceiver {
  /** Borrowed: valid until this returns. */
  part(bytes: Uint8Array): void
  /** All of it has come. */
  ended(trailers: HeaderList | undefined): void
  /** It will not come whole: the peer left, was too slow, or sent what is no body. Nothing follows. */
  failed(error: GatewayError): void
  /** For now there is no more: what was held back to be sent together may leave. */
  flush(): void
}

/** A body that was read whole, in memory or, when it is large, in a file of its own until the exchange ends. */
export interface CollectedBody {
  readonly size: number
  /** All of it in memory. */
  bytes(): Uint8Array | Promise<Uint8Array>
  /** Its first bytes, no more than `maxBytes`. */
  start(maxBytes: number): Uint8Array | Promise<Uint8Array>
}

/** The body of a request. Nothing of it is read before somebody opens or collects it. */
export interface RequestBody {
  /** Bytes announced; 0: there is none; undefined: it ends when it ends. */
  readonly length: number | undefined
  /** Bytes that came so far. */
  readonly received: number
  /** All of it has come from the client. */
  readonly complete: boolean
  /** It was collected or replaced: it can be sent again. */
  readonly replayable: boolean
  /** Why it will not come whole, where that is known: it is announced too large, it broke off. */
  readonly error: GatewayError | undefined
  /** Bytes that it may have, in the place of what the listener allows; 0: any number. Before it is opened or collected. */
  limit(maxBytes: number): void
  /** Starts delivery; again, from its beginning, only when it is replayable. */
  open(receiver: BodyReceiver): void
  pause(): void
  resume(): void
  /**
   * Reads all of it, to be looked at before it is forwarded. Calls after the first answer the same.
   * Rejects with `body_too_large` above `maxBytes`, and as `BodyReceiver.failed` would be told.
   */
  collect(maxBytes: number): CollectedBody | Promise<CollectedBody>
  /** These bytes go upstream instead; Content-Length follows them. Before anything was sent. */
  replace(bytes: Uint8Array): void
}

export interface HttpRequest {
  /** As sent, or as a plugin wants it upstream. */
  method: string
  /** The request target in origin form as it was sent: path and query, undecoded; `*` for OPTIONS. */
  readonly target: string
  /** `$uri`: percent-decoded, dot segments resolved, repeated slashes merged. */
  path: string
  /** `$args`: what follows the `?`, undecoded; empty when there is none. Plugins may replace it. */
  query: string
  /** Lower case, without port and brackets; empty when the client named none. What routes match. */
  readonly host: string
  /** The Host field (or authority) as sent. */
  readonly authority: string
  readonly scheme: 'http' | 'https'
  /** 10, 11, 20. */
  readonly version: number
  /** End-to-end fields: hop-by-hop ones are gone. Plugins change what goes upstream here. */
  readonly headers: HeaderList
  readonly body: RequestBody
  /** The protocol of an `Upgrade` that was asked for, in lower case: `websocket`. */
  readonly upgrade: string | undefined
  /** Bytes of the head as it came. */
  readonly headBytes: number
}

/** What plugins decide about the request that goes upstream; undefined: as the route and upstream say. */
export interface Outgoing {
  /** Path and query, encoded: replaces those of the request. */
  uri: string | undefined
  /** Host field. */
  host: string | undefined
  scheme: string | undefined
}

/** A place that holds an upstream, which this layer does not know: `Build.upstream` and `Build.upstreamById` give them. */
export interface UpstreamChoice {
  readonly current: unknown
}

export interface ResponseHead {
  status: number
  /** Empty: the usual phrase. */
  reason: string
  /** End-to-end fields: hop-by-hop ones are gone. */
  readonly headers: HeaderList
  /** It came from an endpoint, not from this gateway. */
  readonly fromUpstream: boolean
}

/** Who calls, as authentication found out. */
export interface ConsumerInfo {
  readonly username: string
  readonly groupId: string | undefined
  readonly credentialId: string | undefined
  readonly labels: Readonly<Record<string, string>>
}

export interface HttpExchange extends Exchange {
  readonly kind: 'http'
  readonly downstream: Link
  readonly request: HttpRequest
  readonly outgoing: Outgoing
  /** The address of the client as plugins and logs take it: `real-ip` may set another than that of the link. */
  remoteAddress: string
  remotePort: number
  route: RouteInfo | undefined
  consumer: ConsumerInfo | undefined
  /** An upstream that takes the place of the route's; plugins set it before `beforeProxy`. */
  chosenUpstream: UpstreamChoice | undefined
  /** The answer's head, once there is one; header filters change it before it leaves. */
  response: ResponseHead | undefined
  /** Values of the route's path parameters. */
  params: Readonly<Record<string, string>> | undefined
  /** Bytes of the answer's body that were passed to the client. */
  readonly bodyBytesSent: number
  /** A variable that plugins and logs read by `variable`; it hides a built-in one of the same name. */
  setVariable(name: string, value: string | undefined): void
  /** Fields that are added to whatever answer goes out, the gateway's own included. */
  addHeader(name: string, value: string): void
}
