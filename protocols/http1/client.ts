/**
 * The upstream half on one link: one request after the other, and what is answered. Whether to try again, and where, is not
 * decided here.
 */
import {
  GatewayError,
  type HeaderList,
  type HttpClient,
  type HttpClientLimits,
  type Link,
  type ResponseHead,
  type ResponseReceiver,
  type UpstreamRequest,
} from '#sdk'
import { AnswerReader, type ReaderOwner } from './answer-reader.ts'
import { ClientTimers, type TimedClient } from './client-timers.ts'
import { chunked, unframed, writeRequestHead } from './codec/head-writer.ts'
import { RequestSender, type SenderOwner } from './request-sender.ts'

// What a connection is at.
const waiting = 0
const exchanging = 1
const over = 2

export class Http1Client implements HttpClient, ReaderOwner, SenderOwner, TimedClient {
  readonly link: Link
  served: number
  idle: ((client: HttpClient) => void) | undefined
  ended: ((client: HttpClient) => void) | undefined
  readonly #reader: AnswerReader
  readonly #sender: RequestSender
  readonly #timers: ClientTimers
  #state: number
  #paused: boolean

  constructor(link: Link) {
    this.link = link
    this.served = 0
    this.idle = undefined
    this.ended = undefined
    this.#reader = new AnswerReader(this)
    this.#sender = new RequestSender(link, this)
    this.#timers = new ClientTimers(link, this)
    this.#state = waiting
    this.#paused = false
    link.open(this.#reader)
  }

  get busy(): boolean {
    return this.#state !== waiting
  }

  get closed(): boolean {
    return this.#state === over || this.link.closed
  }

  send(request: UpstreamRequest, limits: HttpClientLimits, receiver: ResponseReceiver): void {
    if (this.#state !== waiting) {
      receiver.failed(new GatewayError('internal', 'a request for a connection that is in use, or closed'))
      return
    }
    const { method, uri, headers, body, upgrade } = request
    const framing = framingOf(request)
    const dropped: string[] = []
    let head: string
    try {
      head = writeRequestHead(method, uri, headers, framing, upgrade, dropped)
    } catch (error) {
      this.#end()
      receiver.failed(GatewayError.from(error))
      return
    }
    this.served += 1
    this.#state = exchanging
    this.#reader.await(receiver, method, upgrade !== undefined)
    this.#timers.begin(limits)
    if (dropped.length > 0) receiver.leftOut?.(dropped)
    receiver.sending()
    if (body.length !== 0) this.#sender.start(head, framing, body)
    else if (!this.link.sendText(head)) this.full()
  }

  pause(): void {
    if (this.#paused || this.#state !== exchanging) return
    this.#paused = true
    this.link.pause()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#timers.awaitAnswer()
    this.link.resume()
  }

  cancel(): void {
    if (this.#state === exchanging) this.#abort()
  }

  close(): void {
    if (this.#state === exchanging) this.#abort()
    else this.#end()
  }

  // For the reader of answers.

  arrived(): void {
    this.#timers.awaitAnswer()
  }

  answered(trailers: HeaderList | undefined, mayPersist: boolean): void {
    const receiver = this.#reader.release() as ResponseReceiver
    if (!mayPersist || this.#sender.active || this.link.closed) this.#end()
    else {
      this.#state = waiting
      // An idle link is read: that is how its end is heard of.
      if (this.#paused) this.resume()
      // Before the answer is told to be whole: the client's next request may come of that, and finds this connection.
      this.idle?.(this)
    }
    receiver.ended(trailers)
  }

  answerFailed(error: GatewayError): void {
    const receiver = this.#reader.release()
    this.#abort()
    receiver?.failed(error)
  }

  switched(head: ResponseHead, rest: Uint8Array): void {
    if (this.#sender.active) {
      this.answerFailed(new GatewayError('bad_response', 'a change of protocol before the request was whole'))
      return
    }
    const receiver = this.#reader.release() as ResponseReceiver
    this.#leave()
    receiver.upgraded(head, this.link, rest)
  }

  drained(): void {
    this.#timers.drained()
    this.#sender.drained()
  }

  unusable(): void {
    this.#end()
  }

  linkClosed(): void {
    this.#end()
  }

  // For the sender of requests.

  full(): void {
    this.#timers.awaitDrain()
  }

  requestSent(): void {
    this.#timers.awaitAnswer()
  }

  requestFailed(error: GatewayError): void {
    this.answerFailed(error)
  }

  leftOut(names: readonly string[]): void {
    this.#reader.waiting?.leftOut?.(names)
  }

  // For the timers.

  answerTooLate(): void {
    if (this.#state !== exchanging) return
    // It is not the endpoint that is waited for.
    if (this.#paused || this.#sender.active) this.#timers.awaitAnswer()
    else this.answerFailed(new GatewayError('upstream_timeout', 'the endpoint does not answer'))
  }

  sendStuck(): void {
    if (this.#state === exchanging) {
      this.answerFailed(new GatewayError('upstream_timeout', 'the endpoint takes nothing of the request'))
    }
  }

  /** Breaks off in the middle: neither what was sent nor what was read may be taken for whole. */
  #abort(): void {
    this.#reader.release()
    this.#leave()
    this.link.reset()
  }

  #end(): void {
    this.#leave()
    this.link.close()
  }

  /** The connection carries no request any more. */
  #leave(): void {
    if (this.#state === over) return
    this.#state = over
    this.#sender.stop()
    this.#timers.stop()
    this.ended?.(this)
  }
}

/** Methods whose requests have a body by nature: an empty one is announced. [RFC 9110 §8.6] */
const bodied = new Set(['POST', 'PUT', 'PATCH'])

function framingOf({ method, headers, body }: UpstreamRequest): number {
  if (body.length === undefined) return chunked
  if (body.length > 0) return body.length
  return bodied.has(method) || (method !== 'GET' && headers.has('content-length')) ? 0 : unframed
}
