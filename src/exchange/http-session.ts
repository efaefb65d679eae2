/**
 * The exchange of every version of HTTP: one request and its answer. It carries what happened; the road and the protocol
 * write into it. The protocol's sink stands behind it, typed only where the road can see it.
 */
import { monotonic } from '../base/clock.ts'
import type { GatewayError } from '../errors.ts'
import type { Link } from '../net/link.ts'
import { BodyVariables } from './body-variables.ts'
import type { Attempt, RouteInfo } from './exchange.ts'
import { HeaderList } from './header-list.ts'
import type {
  ConsumerInfo,
  HttpExchange,
  HttpRequest,
  Outgoing,
  ResponseHead,
  UpstreamChoice,
} from './http-exchange.ts'
import { comparable, httpVariable } from './http-variables.ts'
import { requestId } from './request-id.ts'
import { textOfValue, type VariableValue } from './variable-value.ts'

export class HttpSession implements HttpExchange {
  readonly kind = 'http'
  readonly protocol: string
  readonly downstream: Link
  readonly request: HttpRequest
  /** The listener it came in by, as configured: `0.0.0.0:9080`. */
  readonly listener: string
  /** The method as the client sent it. */
  readonly sentMethod: string
  readonly startedAt: number
  attempts: Attempt[] = []
  readonly outgoing: Outgoing = { uri: undefined, host: undefined, scheme: undefined }
  remoteAddress: string
  remotePort: number
  route: RouteInfo | undefined = undefined
  consumer: ConsumerInfo | undefined = undefined
  params: Readonly<Record<string, string>> | undefined = undefined
  response: ResponseHead | undefined = undefined
  error: GatewayError | undefined = undefined
  status = 0
  endedAt = 0
  /** The answer's head was handed to the sink. */
  begun = false
  /** Bytes of the answer as it was passed to the client: of its head, and of its body. */
  headBytesSent = 0
  bodyBytesSent = 0
  /** Which request of its connection it is, from 1. */
  connectionRequests = 1
  /** Times of the monotonic clock in ms: the answer's head from the endpoint, its last byte. 0 until then. */
  upstreamHeadAt = 0
  upstreamEndedAt = 0
  /** Statuses of the attempts that had an answer, by attempt; 0: none. */
  upstreamStatuses: number[] = []
  /** What was sent upstream last: scheme, Host and URI, for logs. */
  sentScheme: string | undefined = undefined
  sentHost: string | undefined = undefined
  sentUri: string | undefined = undefined
  upstreamBytesSent = 0
  upstreamBytesReceived = 0
  /** The answer's fields as the endpoint sent them, where header filters changed them since. */
  upstreamHeaders: HeaderList | undefined = undefined
  upstreamTrailers: HeaderList | undefined = undefined
  /** An upstream that a plugin chose in the place of the route's. */
  chosenUpstream: UpstreamChoice | undefined = undefined
  matchedUri: string | undefined = undefined
  matchedHost: string | undefined = undefined
  /** Told by `fail`; set by the road, which ends the exchange. */
  owner: { abandoned(error: GatewayError): void } | undefined = undefined
  #variables: Map<string, string | undefined> | undefined = undefined
  #added: HeaderList | undefined = undefined
  #requestId: string | undefined = undefined
  #bodyVariables: BodyVariables | undefined = undefined

  constructor(protocol: string, listener: string, downstream: Link, request: HttpRequest) {
    this.protocol = protocol
    this.listener = listener
    this.downstream = downstream
    this.request = request
    this.sentMethod = request.method
    this.startedAt = monotonic.now()
    this.remoteAddress = downstream.remoteAddress
    this.remotePort = downstream.remotePort
  }

  variable(name: string): string | undefined {
    const own = this.#variables
    if (own?.has(name)) return own.get(name)
    return textOfValue(httpVariable(this, name))
  }

  value(name: string): VariableValue {
    const own = this.#variables
    if (own?.has(name)) return own.get(name)
    return comparable(name, httpVariable(this, name))
  }

  setVariable(name: string, value: string | undefined): void {
    this.#variables ??= new Map()
    this.#variables.set(name, value)
  }

  /** Made when first asked for. */
  get requestId(): string {
    this.#requestId ??= requestId()
    return this.#requestId
  }

  /** What variables know of the body; loaded by whoever lets it wait for that. */
  get bodyVariables(): BodyVariables {
    this.#bodyVariables ??= new BodyVariables(this.request)
    return this.#bodyVariables
  }

  /** Variables that look into the body were asked for before it was loaded: what they decided may have to be decided anew. */
  get wantsBody(): boolean {
    return this.#bodyVariables?.asked ?? false
  }

  addHeader(name: string, value: string): void {
    this.#added ??= new HeaderList()
    this.#added.append(name, value)
  }

  /** Fields that plugins added for whatever answer goes out; undefined: none. */
  get addedHeaders(): HeaderList | undefined {
    return this.#added
  }

  fail(error: GatewayError): void {
    if (this.error !== undefined || this.endedAt !== 0) return
    this.error = error
    this.owner?.abandoned(error)
  }
}
