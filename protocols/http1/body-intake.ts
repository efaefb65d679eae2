/**
 * How the body of the request in progress is read: nothing before somebody wants it, then as it comes and no faster than it is
 * taken; what nobody wanted is dropped, within bounds. Whose turn it is to read at all is decided by the connection.
 */
import { GatewayError, type HttpSettings, type Link } from '#sdk'
import { BodyFrames } from './body-frames.ts'
import { CodecError } from './codec/codec-error.ts'
import type { RequestHead } from './codec/request-head.ts'
import type { ConnectionTimers } from './connection-timers.ts'
import type { Inbox } from './inbox.ts'
import { type BodyOrigin, Http1RequestBody } from './request-body.ts'

/** How much of a body that nobody wanted is read to its end, so that the connection can go on. */
const discardedBytes = 64 * 1024
const continueHead = 'HTTP/1.1 100 Continue\r\n\r\n'

export interface IntakeOwner {
  readonly link: Link
  /** The body is wanted: `deliver` is to be called in this turn, and what follows from that be done. */
  bodyWanted(): void
  /** The client has ended, and what was read of the body is used up. */
  bodyCutOff(): void
  /** The link does not take more for now. */
  full(): void
}

export class BodyIntake implements BodyOrigin {
  readonly #owner: IntakeOwner
  readonly #settings: HttpSettings
  readonly #inbox: Inbox
  readonly #timers: ConnectionTimers
  readonly #frames: BodyFrames
  #body: Http1RequestBody | undefined
  /** It goes to whoever opened it, as it comes. */
  #flowing: boolean
  #delivering: boolean
  #expectsContinue: boolean
  #discarded: number
  /** It will not be whole: nothing that follows may be taken for a request. */
  broken: boolean
  /** The client sends nothing any more. */
  peerEnded: boolean

  constructor(owner: IntakeOwner, settings: HttpSettings, inbox: Inbox, timers: ConnectionTimers) {
    this.#owner = owner
    this.#settings = settings
    this.#inbox = inbox
    this.#timers = timers
    this.#frames = new BodyFrames(settings)
    this.#body = undefined
    this.#flowing = false
    this.#delivering = false
    this.#expectsContinue = false
    this.#discarded = 0
    this.broken = false
    this.peerEnded = false
  }

  get maxBodyBytes(): number {
    return this.#settings.maxBodyBytes
  }

  get memoryBodyBytes(): number {
    return this.#settings.memoryBodyBytes
  }

  get spillFolder(): string {
    return this.#settings.spillFolder
  }

  /** All of the body has been read. */
  get ended(): boolean {
    return this.#frames.ended
  }

  /** Somebody takes it. */
  get flowing(): boolean {
    return this.#flowing
  }

  /** The next request has come. */
  begin(head: RequestHead): Http1RequestBody {
    const body = new Http1RequestBody(this, head.length)
    this.#frames.begin(head.length)
    this.#body = body
    this.#flowing = false
    this.#expectsContinue = head.expectsContinue
    this.broken = false
    return body
  }

  flow(body: Http1RequestBody): void {
    if (body !== this.#body || body.complete || this.broken) return
    this.#flowing = true
    if (!this.#delivering) this.#owner.bodyWanted()
  }

  hold(body: Http1RequestBody): void {
    if (body === this.#body) this.#flowing = false
  }

  /** True if the client waits for an interim 100, which is about to be sent. */
  continues(): boolean {
    const waits = this.#expectsContinue
    this.#expectsContinue = false
    return waits
  }

  /** Before the answer: whether the body will get to its end, or can be dropped up to there. */
  mayEnd(): boolean {
    const frames = this.#frames
    if (frames.ended) return true
    // The client may send the body all the same, or not: what follows could be either. [RFC 9110 §10.1.1]
    if (this.broken || (this.#expectsContinue && this.#inbox.size === 0)) return false
    return this.#body?.opened === true || frames.left === undefined || frames.left <= discardedBytes
  }

  /** Passes on what has come, as long as it is taken. */
  deliver(): void {
    const body = this.#body
    if (body === undefined || this.#delivering) return
    if (this.#expectsContinue) this.#sendContinue()
    this.#delivering = true
    const error = this.#deliverParts(body)
    this.#delivering = false
    if (error !== undefined) this.break(error)
    if (!this.#flowing || body !== this.#body) return
    if (this.#frames.ended) {
      this.#flowing = false
      this.#timers.bodyCame()
      body.finished(this.#frames.trailers)
    } else if (this.peerEnded) this.#owner.bodyCutOff()
    else {
      this.#timers.awaitBody()
      body.paused()
    }
  }

  /** It will not be whole; the request may still be answered. */
  break(error: GatewayError): void {
    this.#flowing = false
    this.broken = true
    this.#timers.bodyCame()
    this.#body?.broke(error)
  }

  /** The exchange is over. What is left of the body belongs to nobody. */
  leave(): void {
    this.#flowing = false
    this.#body = undefined
    this.#discarded = 0
    this.#timers.bodyCame()
  }

  /** Drops what has come of such a body. False: there is too much of it, or it is none. */
  discard(): boolean {
    const inbox = this.#inbox
    const frames = this.#frames
    const before = inbox.at
    try {
      while (inbox.at < inbox.to && !frames.ended) inbox.at = frames.read(inbox.bytes, inbox.at, inbox.to)
    } catch {
      return false
    }
    this.#discarded += inbox.at - before
    return frames.ended || this.#discarded <= discardedBytes
  }

  #deliverParts(body: Http1RequestBody): GatewayError | undefined {
    const inbox = this.#inbox
    const frames = this.#frames
    const { maxBytes } = body
    while (this.#flowing && !frames.ended && inbox.at < inbox.to) {
      const { bytes } = inbox
      try {
        inbox.at = frames.read(bytes, inbox.at, inbox.to)
      } catch (error) {
        return badRequest(error)
      }
      const { partAt, partEnd } = frames
      if (partAt === partEnd) continue
      body.received += partEnd - partAt
      if (maxBytes > 0 && body.received > maxBytes) {
        return new GatewayError('body_too_large', `the body is larger than ${maxBytes} bytes`)
      }
      body.arrived(partAt === 0 && partEnd === bytes.length ? bytes : bytes.subarray(partAt, partEnd))
    }
    return undefined
  }

  #sendContinue(): void {
    this.#expectsContinue = false
    // Who has begun to send does not wait any more. [RFC 9110 §10.1.1]
    if (this.#inbox.size === 0 && !this.#owner.link.sendText(continueHead)) this.#owner.full()
  }
}

/** What the codec threw, as an error of the client's. */
export function badRequest(thrown: unknown): GatewayError {
  if (thrown instanceof CodecError) return new GatewayError('bad_request', thrown.message)
  return GatewayError.from(thrown)
}
