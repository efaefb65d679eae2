/**
 * The tries of one exchange: pick an endpoint, take or make a connection, send, receive, and again where that is safe. What
 * comes back goes to the owner; phases, routes and answers are not known here.
 */
import { monotonic } from '../base/clock.ts'
import { GatewayError } from '../errors.ts'
import type { Endpoint } from '../exchange/endpoint.ts'
import { type Attempt, withOneMore } from '../exchange/exchange.ts'
import type { HeaderList } from '../exchange/header-list.ts'
import type { ResponseHead } from '../exchange/http-exchange.ts'
import type { HttpSession } from '../exchange/http-session.ts'
import type { Link } from '../net/link.ts'
import type { DialReceiver, TlsOrigination } from '../net/wire.ts'
import type { HttpClient, HttpProtocol, ResponseReceiver, UpstreamRequest } from '../protocol/http-protocol.ts'
import type { HttpPool } from '../upstream/http-pool.ts'
import type { Timeouts, Upstream, UpstreamTls } from '../upstream/upstream.ts'
import type { HttpRoadOptions } from './http-road-options.ts'
import { isStale, mayRetryRequest } from './retry.ts'
import { upstreamRequest } from './upstream-request.ts'

/** Hears what the tries bring. */
export interface TriesOwner {
  /** Another try is due: `beforeProxy` runs, then `HttpTries.go`. */
  again(): void
  interim(head: ResponseHead): void
  answered(head: ResponseHead, length: number | undefined): void
  part(bytes: Uint8Array): void
  flush(): void
  complete(trailers: HeaderList | undefined): void
  upgraded(head: ResponseHead, link: Link, bytes: Uint8Array): void
  /** No try is left, or an answer broke off; the last call. */
  failed(error: GatewayError): void
}

/** What an upstream that speaks TLS is asked for when nobody named a server. */
const namelessServer = 'apisix_backend'
const none: readonly Endpoint[] = []

export class HttpTries implements DialReceiver, ResponseReceiver {
  readonly #options: HttpRoadOptions
  readonly #session: HttpSession
  readonly #owner: TriesOwner
  readonly #upstream: Upstream
  readonly timeouts: Timeouts
  readonly #websocket: boolean
  #attempt: Attempt | undefined = undefined
  #request: UpstreamRequest | undefined = undefined
  #protocol: HttpProtocol | undefined = undefined
  #pool: HttpPool | undefined = undefined
  #client: HttpClient | undefined = undefined
  #cancelDial: (() => void) | undefined = undefined
  #last: GatewayError | undefined = undefined

  constructor(
    options: HttpRoadOptions,
    session: HttpSession,
    owner: TriesOwner,
    upstream: Upstream,
    timeouts: Timeouts,
    websocket: boolean,
  ) {
    this.#options = options
    this.#session = session
    this.#owner = owner
    this.#upstream = upstream
    this.timeouts = timeouts
    this.#websocket = websocket
  }

  /** Tries the next endpoint. */
  go(): void {
    const upstream = this.#upstream
    const session = this.#session
    const { attempts } = session
    let endpoint = upstream.pick(session, attempts.length === 0 ? none : attempts.map(endpointOf))
    // A single endpoint is not balanced: further tries go to it again.
    if (endpoint === undefined && attempts.length > 0 && upstream.fleet.size === 1)
      endpoint = upstream.fleet.endpoints[0]
    if (endpoint === undefined) {
      const nothing = new GatewayError('no_endpoint', `${upstream.owner} has no usable node`)
      return this.#owner.failed(this.#last ?? nothing)
    }
    const attempt: Attempt = {
      endpoint,
      startedAt: monotonic.now(),
      connectedAt: 0,
      reused: false,
      sent: false,
      error: undefined,
    }
    session.attempts = withOneMore(attempts, attempt)
    this.#attempt = attempt
    endpoint.load.begin()
    this.#send(attempt, false)
  }

  pause(): void {
    this.#client?.pause()
  }

  resume(): void {
    this.#client?.resume()
  }

  /** Gives up whatever is under way; no call of the owner follows. */
  cancel(): void {
    this.#cancelDial?.()
    this.#cancelDial = undefined
    this.#client?.cancel()
    this.#client = undefined
    this.#settle(undefined)
  }

  /** `fresh`: not on a connection of the pool. */
  #send(attempt: Attempt, fresh: boolean): void {
    const { settings, clientOf, wheel, wire } = this.#options
    const { keepAliveMs, poolLimits, trustedAddresses } = settings()
    const { endpoint } = attempt
    const upstream = this.#upstream
    const request = upstreamRequest(this.#session, upstream, endpoint, trustedAddresses, this.#websocket)
    this.#request = request
    const scheme = this.#session.sentScheme as string
    const protocol = clientOf(scheme)
    if (protocol === undefined) {
      return this.failed(new GatewayError('no_upstream', `${upstream.owner}: scheme ${scheme} cannot carry HTTP`))
    }
    this.#protocol = protocol
    let tls: TlsOrigination | undefined
    let identity = scheme
    if (scheme === 'https' || scheme === 'grpcs') {
      let secure: UpstreamTls
      try {
        secure = upstream.secure()
      } catch (thrown) {
        return this.failed(new GatewayError('upstream_tls', (thrown as Error).message, thrown))
      }
      const serverName = this.#serverName(secure, endpoint)
      identity = `${scheme} ${serverName} ${secure.identity}`
      tls = { context: secure.context, serverName, verify: secure.verify, alpn: protocol.alpn }
    }
    const pool = upstream.fleet.pool(endpoint, identity, upstream.poolLimits ?? poolLimits, wheel)
    this.#pool = pool
    const pooled = fresh || request.upgrade !== undefined ? undefined : pool?.take()
    if (pooled !== undefined) {
      attempt.reused = true
      attempt.connectedAt = attempt.startedAt
      return this.#use(pooled)
    }
    attempt.reused = false
    const { connectMs: timeoutMs } = this.timeouts
    const { host, port } = endpoint
    this.#cancelDial = wire.dial({ carrier: 'stream', host, port, timeoutMs, keepAliveMs, tls }, this)
  }

  #serverName(secure: UpstreamTls, endpoint: Endpoint): string {
    const { sendServerName } = this.#options.settings()
    if (secure.serverName !== undefined) return secure.serverName
    const host = this.#session.sentHost ?? ''
    const colon = host.lastIndexOf(':')
    const name = colon > 0 && host.indexOf(']', colon) < 0 ? host.slice(0, colon) : host
    const usable = sendServerName && name !== '' && !isAddressText(name)
    return usable ? name : (endpoint.domain ?? namelessServer)
  }

  connected(link: Link): void {
    this.#cancelDial = undefined
    const attempt = this.#attempt as Attempt
    attempt.connectedAt = monotonic.now()
    const client = (this.#protocol as HttpProtocol).connect(link)
    if (this.#pool === undefined) client.idle = closeIdle
    else this.#pool.adopt(client)
    this.#use(client)
  }

  #use(client: HttpClient): void {
    this.#client = client
    const { sendMs, readMs } = this.timeouts
    client.send(this.#request as UpstreamRequest, { sendMs, readMs, wheel: this.#options.wheel }, this)
  }

  sending(): void {
    if (this.#attempt !== undefined) this.#attempt.sent = true
  }

  leftOut(names: readonly string[]): void {
    const fields = { route: this.#session.route?.id, names }
    this.#options.log.warn(fields, 'fields that would have broken the request were not sent')
  }

  interim(head: ResponseHead): void {
    this.#owner.interim(head)
  }

  head(head: ResponseHead, length: number | undefined): void {
    this.#session.upstreamHeadAt = monotonic.now()
    this.#answeredWith(head.status)
    this.#owner.answered(head, length)
  }

  part(bytes: Uint8Array): void {
    this.#session.upstreamBytesReceived += bytes.length
    this.#owner.part(bytes)
  }

  flush(): void {
    this.#owner.flush()
  }

  ended(trailers: HeaderList | undefined): void {
    const session = this.#session
    const now = monotonic.now()
    session.upstreamEndedAt = now
    session.upstreamTrailers = trailers
    this.#client = undefined
    this.#settle(now - (this.#attempt as Attempt).startedAt)
    this.#owner.complete(trailers)
  }

  upgraded(head: ResponseHead, link: Link, bytes: Uint8Array): void {
    const session = this.#session
    session.upstreamHeadAt = monotonic.now()
    this.#answeredWith(head.status)
    this.#client = undefined
    this.#owner.upgraded(head, link, bytes)
  }

  /** The end of an upgraded connection: what `ended` and `failed` are for others. */
  released(): void {
    this.#session.upstreamEndedAt = monotonic.now()
    this.#settle(undefined)
  }

  failed(error: GatewayError): void {
    this.#cancelDial = undefined
    this.#client = undefined
    const attempt = this.#attempt as Attempt
    const session = this.#session
    if (isStale(session, attempt, error)) {
      // Not a try that counts: the connection was at its end before the request came.
      attempt.sent = false
      return this.#send(attempt, true)
    }
    attempt.error = error
    this.#settle(undefined)
    if (!session.begun && error.origin === 'upstream') this.#answeredWith(error.kind === 'timeout' ? 504 : 502)
    const again = mayRetryRequest(session, attempt, error, this.#upstream, monotonic.now())
    if (error.origin === 'upstream') this.#warn(attempt, error, again)
    this.#last = error
    if (again) this.#owner.again()
    else this.#owner.failed(error)
  }

  #answeredWith(status: number): void {
    this.#session.upstreamStatuses = withOneMore(this.#session.upstreamStatuses, status)
  }

  #warn(attempt: Attempt, error: GatewayError, again: boolean): void {
    const fields = {
      route: this.#session.route?.id,
      upstream: this.#upstream.owner,
      node: attempt.endpoint.id,
      code: error.code,
      cause: error.message,
      again,
    }
    this.#options.log.warn(fields, 'a try on a node failed')
  }

  /** The endpoint is no longer loaded with this exchange. Once for each attempt. */
  #settle(elapsedMs: number | undefined): void {
    const attempt = this.#attempt
    if (attempt === undefined) return
    this.#attempt = undefined
    attempt.endpoint.load.end(elapsedMs)
  }
}

const endpointOf = (attempt: Attempt): Endpoint => attempt.endpoint
const closeIdle = (client: HttpClient): void => client.close()
const isAddressText = (name: string): boolean => name.startsWith('[') || /^[\d.]+$/.test(name)
