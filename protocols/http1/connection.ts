/**
 * One connection of a client: requests are read one at a time, each is handed to the road, and the next is looked at when the
 * answer before it is out. It composes no answers and forwards nothing.
 */
import {
  GatewayError,
  type HttpConnection,
  type HttpRoad,
  HttpSession,
  type HttpSettings,
  type Link,
  normalisePath,
  type Receiver,
  type SinkOwner,
} from '#sdk'
import { type AnswerOrigin, Http1Answer } from './answer.ts'
import { BodyIntake, badRequest, type IntakeOwner } from './body-intake.ts'
import { CodecError } from './codec/codec-error.ts'
import { writeAnswerHead } from './codec/head-writer.ts'
import { type RequestHead, RequestHeadReader } from './codec/request-head.ts'
import { ConnectionTimers, type TimedConnection } from './connection-timers.ts'
import { Inbox } from './inbox.ts'
import { MessageWriter } from './message-writer.ts'
import { Http1Request } from './request.ts'
import type { Http1RequestBody } from './request-body.ts'

/** What is read ahead while nobody takes it: the rest stays with the kernel. */
const readAheadBytes = 64 * 1024

// What a connection is at.
const reading = 0
const exchanging = 1
/** The answer is out, its request not wholly in. */
const discarding = 2
const over = 3

export class ServerConnection implements Receiver, HttpConnection, AnswerOrigin, IntakeOwner, TimedConnection {
  readonly link: Link
  place = -1
  readonly listener: string
  readonly writer: MessageWriter
  readonly #road: HttpRoad
  readonly #settings: HttpSettings
  readonly #timers: ConnectionTimers
  readonly #inbox: Inbox
  readonly #reader: RequestHeadReader
  readonly #intake: BodyIntake
  #state: number = reading
  #requests = 0
  #body: Http1RequestBody | undefined = undefined
  #answer: Http1Answer | undefined = undefined
  #owner: SinkOwner | undefined = undefined
  /** The client has said that it sends no further request. */
  #isLast = false
  /** The answer is with the writer whole: what is left is that the link takes it. */
  #answered = false
  #persists = false
  #paused = false
  #draining = false
  #pumping = false

  constructor(link: Link, road: HttpRoad, settings: HttpSettings, listener: string) {
    this.link = link
    this.listener = listener
    this.writer = new MessageWriter(link)
    this.#road = road
    this.#settings = settings
    this.#timers = new ConnectionTimers(settings, link, this)
    this.#inbox = new Inbox()
    this.#reader = new RequestHeadReader()
    this.#intake = new BodyIntake(this, settings, this.#inbox, this.#timers)
  }

  /** `head`: bytes that were read before, the connection's from now on. */
  start(head: Uint8Array): void {
    this.#settings.connections.add(this)
    this.#timers.awaitHead()
    this.link.open(this)
    if (head.length > 0) this.bytes(this.link, head)
  }

  get idle(): boolean {
    return this.#state === reading && this.#inbox.size === 0
  }

  drain(): void {
    this.#draining = true
    if (this.idle) this.#close()
  }

  // For the link.

  bytes(_link: Link, bytes: Uint8Array): void {
    if (this.#state === over) return
    this.#inbox.lend(bytes)
    this.#pump()
    this.#settle()
  }

  ended(): void {
    if (this.#state === over) return
    const intake = this.#intake
    intake.peerEnded = true
    if (this.#state !== exchanging) this.#cutOff()
    // An end looks the same whether the client still reads or has left; as in nginx, one that waits for nothing but its answer
    // is taken to have left. What was read may hold the rest of the body, or further requests: then it is still there.
    else if (this.#inbox.size === 0 && !intake.broken && !(intake.ended && this.#answer?.begun === true)) {
      this.#lose(leftEarly())
    }
  }

  drained(): void {
    this.writer.full = false
    this.#timers.drained()
    if (this.#state !== exchanging) return
    if (this.#answered) this.#complete()
    else this.#owner?.drained()
  }

  closed(_link: Link, error: GatewayError | undefined): void {
    if (this.#state === over) return
    if (this.#state === exchanging) this.#lose(error ?? leftEarly())
    else this.#cutOff()
  }

  // For its timers.

  headTooLate(): void {
    if (this.#state !== reading) return
    if (this.#inbox.size === 0) this.#close()
    else this.#refuse(new GatewayError('client_timeout', 'the head of a request did not come in time'), 408)
  }

  idleTooLong(): void {
    if (this.idle) this.#close()
  }

  bodyTooSlow(): void {
    if (this.#state === discarding) this.#close()
    else if (this.#intake.flowing) {
      this.#intake.break(new GatewayError('client_timeout', 'the client sends nothing of the body'))
    }
  }

  sendStuck(): void {
    // In order it cannot be closed: the client would have to take what it does not take.
    this.link.reset()
    if (this.#state === exchanging) this.#lose(new GatewayError('client_timeout', 'the client takes nothing any more'))
    else this.#leave()
  }

  // For the body.

  bodyWanted(): void {
    if (this.#pumping) this.#intake.deliver()
    else {
      // What comes of it, a next request even, is done when the delivery is over, and not within it.
      this.#pumping = true
      this.#intake.deliver()
      this.#pumping = false
      this.#pump()
      this.#settle()
    }
  }

  bodyCutOff(): void {
    this.#lose(leftEarly())
  }

  // For the answer.

  mayPersist(): boolean {
    const { draining, maxRequests } = this.#settings
    if (draining || this.#draining || this.#intake.peerEnded || (maxRequests > 0 && this.#requests >= maxRequests))
      return false
    return this.#intake.mayEnd()
  }

  continues(): boolean {
    return this.#intake.continues()
  }

  full(): void {
    this.writer.full = true
    this.#timers.awaitDrain()
  }

  leftOut(names: readonly string[]): void {
    this.#owner?.leftOut?.(names)
  }

  answered(persists: boolean): void {
    this.#answered = true
    this.#persists = persists
    if (!this.writer.full) this.#complete()
  }

  cut(error: GatewayError | undefined): void {
    if (this.#state !== exchanging) return
    const hasLeft = this.#answer?.begun === true && this.writer.flushed
    const owner = this.#owner
    this.#leave()
    if (error !== undefined) owner?.gone(error)
    // The end of the connection alone would look like that of the answer.
    if (hasLeft) this.link.reset()
    else this.link.close()
  }

  handOver(): Uint8Array {
    const rest = this.#inbox.take()
    this.#leave()
    return rest
  }

  // What is read, and what becomes of it.

  /** Goes on as long as what was read lets it. */
  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    while (this.#step());
    this.#pumping = false
  }

  /** False: there is nothing to be done before something comes, or somebody calls. */
  #step(): boolean {
    switch (this.#state) {
      case reading:
        return this.#readHead()
      case exchanging:
        if (this.#intake.flowing && this.#inbox.size > 0) this.#intake.deliver()
        return this.#state !== exchanging
      case discarding:
        return this.#discard()
      default:
        return false
    }
  }

  /** True when what was left of the request has come. */
  #discard(): boolean {
    if (!this.#intake.discard()) {
      this.#linger()
      return false
    }
    if (!this.#intake.ended) return false
    this.#next()
    return true
  }

  /** A read is over, or somebody took something: keeps what is left, and holds the link back when that is enough. */
  #settle(): void {
    const inbox = this.#inbox
    inbox.keep()
    const isEnough = this.#state === exchanging && inbox.size >= readAheadBytes
    if (isEnough === this.#paused || this.#state === over) return
    this.#paused = isEnough
    if (isEnough) this.link.pause()
    else this.link.resume()
  }

  /** True when a head was whole. */
  #readHead(): boolean {
    const inbox = this.#inbox
    if (inbox.at === inbox.to) return false
    let head: RequestHead | undefined
    try {
      head = this.#reader.read(inbox.bytes, inbox.at, inbox.to, this.#settings)
    } catch (error) {
      this.#refuse(badRequest(error), error instanceof CodecError ? error.status : 500)
      return false
    }
    if (head === undefined) {
      this.#timers.awaitHead()
      return false
    }
    inbox.at = this.#reader.end
    this.#timers.headCame()
    this.#begin(head)
    return true
  }

  #begin(head: RequestHead): void {
    if (head.form === 'authority') return this.#refuse(new GatewayError('bad_request', 'CONNECT is not served'), 405)
    const path = normalisePath(head.uri)
    if (path === undefined) {
      return this.#refuse(new GatewayError('bad_request', 'a path that cannot be normalised'), 400)
    }
    this.#requests += 1
    this.#state = exchanging
    this.#answered = false
    this.#isLast = !head.keepAlive
    const { link } = this
    const body = this.#intake.begin(head)
    const request = new Http1Request(head, path, link.tls === undefined ? 'http' : 'https', body)
    const session = new HttpSession('http1', this.listener, link, request)
    session.connectionRequests = this.#requests
    const answer = new Http1Answer(this, head.method === 'HEAD', head.version, head.upgrade, head.keepAlive)
    this.#body = body
    this.#answer = answer
    this.#owner = this.#road.accept(session, answer)
    this.#owner.start()
  }

  /** The link has taken the answer whole. */
  #complete(): void {
    const owner = this.#owner as SinkOwner
    const body = this.#body as Http1RequestBody
    this.#body = undefined
    this.#answer = undefined
    this.#owner = undefined
    this.#intake.leave()
    // The link is still open for it: logs ask for its addresses.
    owner.sent()
    body.release()
    if (!this.#persists || this.#draining || this.#intake.broken || this.#intake.peerEnded) this.#linger()
    else if (this.#intake.ended) this.#next()
    else {
      this.#state = discarding
      this.#timers.awaitBody()
    }
    if (this.#pumping) return
    this.#pump()
    this.#settle()
  }

  #next(): void {
    this.#state = reading
    this.#timers.bodyCame()
    this.#timers.idle()
  }

  /** The client is gone: nobody can be answered. */
  #lose(error: GatewayError): void {
    const owner = this.#owner
    const body = this.#body
    this.#body = undefined
    this.#leave()
    owner?.gone(error)
    body?.broke(error)
    body?.release()
    this.link.close()
  }

  /** The connection ended between requests, or within a head. */
  #cutOff(): void {
    const isWithinHead = !this.idle && this.#state === reading
    if (isWithinHead) this.#road.refused(this.link, leftEarly(), 0, this.listener)
    this.#close()
  }

  /** Answers what is no request, or none that is served, and ends the connection. */
  #refuse(error: GatewayError, status: number): void {
    const answer = this.#road.refused(this.link, error, status, this.listener)
    if (answer !== undefined) {
      const { head, body } = answer
      const text = writeAnswerHead(head.status, head.reason, head.headers, body.length, 'close', undefined, [])
      this.link.sendText(text, body)
    }
    this.#linger()
  }

  /**
   * Closes so that the client can read the answer although it may still be sending: a link that closes while it does not read
   * takes it that there is more to come, which it drops. [RFC 9112 §9.6]
   */
  #linger(): void {
    if (this.#isLast && this.#intake.ended && this.#inbox.size === 0) {
      this.#leave()
      this.link.close(true)
      return
    }
    if (!this.#intake.peerEnded) this.link.pause()
    this.#close()
  }

  #close(): void {
    this.#leave()
    this.link.close()
  }

  #leave(): void {
    this.#state = over
    this.#answer?.end()
    this.#body?.release()
    this.#body = undefined
    this.#answer = undefined
    this.#owner = undefined
    this.writer.drop()
    this.#intake.leave()
    this.#inbox.take()
    this.#timers.stop()
    this.#settings.connections.delete(this)
  }
}

const leftEarly = (): GatewayError => new GatewayError('client_gone', 'the client left before it was answered')
