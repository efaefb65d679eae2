/** The upstream half of http1 on a link in memory: what its receiver hears, and bodies that come when a test says so. */
import { Http1Client } from '../../protocols/http1/index.ts'
import { TimerWheel } from '../../src/base/timers.ts'
import type { GatewayError } from '../../src/errors.ts'
import { HeaderList } from '../../src/exchange/header-list.ts'
import type { RequestBody, ResponseHead } from '../../src/exchange/http-exchange.ts'
import type { Link } from '../../src/net/link.ts'
import type { HttpClientLimits, ResponseReceiver, UpstreamRequest } from '../../src/protocol/http-protocol.ts'
import { httpExchange } from './http-exchange.ts'
import { MemoryBody } from './memory-body.ts'
import { ScriptedLink } from './scripted-link.ts'

/** Writes down what it hears. */
export class Hearer implements ResponseReceiver {
  readonly calls: string[] = []
  readonly interims: number[] = []
  text = ''
  response: ResponseHead | undefined
  length: number | undefined
  trailers: HeaderList | undefined
  error: GatewayError | undefined
  link: Link | undefined
  rest = ''
  onPart: (() => void) | undefined

  interim(head: ResponseHead): void {
    this.interims.push(head.status)
  }
  head(head: ResponseHead, length: number | undefined): void {
    this.calls.push('head')
    this.response = head
    this.length = length
  }
  part(bytes: Uint8Array): void {
    this.text += Buffer.from(bytes).toString('latin1')
    this.onPart?.()
  }
  flush(): void {}
  ended(trailers: HeaderList | undefined): void {
    this.calls.push('ended')
    this.trailers = trailers
  }
  failed(error: GatewayError): void {
    this.calls.push('failed')
    this.error = error
  }
  upgraded(head: ResponseHead, link: Link, bytes: Uint8Array): void {
    this.calls.push('upgraded')
    this.response = head
    this.link = link
    this.rest = Buffer.from(bytes).toString()
  }
  sending(): void {
    this.calls.push('sending')
  }
}

export const wheel = new TimerWheel({ tickMs: 10, unref: true })
export const unlimited: HttpClientLimits = { sendMs: 0, readMs: 0, wheel }

function requestOf(given: Partial<UpstreamRequest> = {}): UpstreamRequest {
  const { request } = httpExchange()
  const headers = HeaderList.of({ Host: 'up', Accept: '*/*' })
  return { method: 'GET', uri: '/x?y', headers, body: new MemoryBody([]), upgrade: undefined, request, ...given }
}

export function connected() {
  const link = new ScriptedLink()
  const client = new Http1Client(link)
  const events: string[] = []
  client.idle = () => events.push('idle')
  client.ended = () => events.push('ended')
  const send = (given: Partial<UpstreamRequest> = {}, limits = unlimited): Hearer => {
    const hearer = new Hearer()
    client.send(requestOf(given), limits, hearer)
    return hearer
  }
  return { link, client, events, send }
}

/** A body whose bytes come when the test says so. */
export class LiveBody implements RequestBody {
  readonly length: number | undefined
  received = 0
  complete = false
  readonly replayable = false
  readonly error = undefined
  paused = false
  receiver: Parameters<RequestBody['open']>[0] | undefined
  constructor(length: number | undefined) {
    this.length = length
  }
  open(receiver: Parameters<RequestBody['open']>[0]): void {
    this.receiver = receiver
    receiver.flush()
  }
  pause(): void {
    this.paused = true
  }
  resume(): void {
    this.paused = false
  }
  collect(): never {
    throw new Error('not here')
  }
  replace(): void {}
  limit(): void {}
}

/** A body that is there as soon as it is opened. */
export class ReadyBody extends LiveBody {
  readonly #text: string
  constructor(text: string, length: number | undefined = text.length) {
    super(length)
    this.#text = text
  }
  override open(receiver: Parameters<RequestBody['open']>[0]): void {
    receiver.part(Buffer.from(this.#text))
    receiver.ended(undefined)
  }
}
