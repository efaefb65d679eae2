/**
 * Reads the answers of one upstream connection and passes them on as they come. Strict: what no endpoint may send ends the
 * connection. It sends nothing and closes nothing.
 */
import { GatewayError, type HeaderList, type Link, type Receiver, type ResponseHead, type ResponseReceiver } from '#sdk'
import { BodyFrames } from './body-frames.ts'
import { CodecError } from './codec/codec-error.ts'
import type { HeadLimits } from './codec/head-scan.ts'
import { type AnswerHead, AnswerHeadReader } from './codec/response-head.ts'
import { Inbox } from './inbox.ts'

/** What the head of an answer may be, and its trailers. */
const answerLimits: HeadLimits = { maxLineBytes: 64 * 1024, maxHeadBytes: 128 * 1024, maxHeaders: 1000 }
/** Before one answer; more are nonsense. */
const maxInterims = 32

export interface ReaderOwner {
  /** Something came of the answer. */
  arrived(): void
  /** The answer is whole. `mayPersist`: as far as the endpoint is concerned, another request can follow. */
  answered(trailers: HeaderList | undefined, mayPersist: boolean): void
  answerFailed(error: GatewayError): void
  /** The connection is not HTTP's any more. `rest`: bytes beyond the head, owned. */
  switched(head: ResponseHead, rest: Uint8Array): void
  /** The link has room again. */
  drained(): void
  /** While no answer is due, the endpoint sent something or closed: the connection cannot be used. */
  unusable(): void
  /** The link is closed; the last call. */
  linkClosed(): void
}

export class AnswerReader implements Receiver {
  readonly #owner: ReaderOwner
  readonly #inbox: Inbox
  readonly #reader: AnswerHeadReader
  readonly #frames: BodyFrames
  /** While an answer is due. */
  #receiver: ResponseReceiver | undefined
  #method: string
  /** The request asks for another protocol. */
  #upgrades: boolean
  #interims: number
  /** The head has come, and the body is next. */
  #headCame: boolean
  #mayPersist: boolean
  #peerEnded: boolean

  constructor(owner: ReaderOwner) {
    this.#owner = owner
    this.#inbox = new Inbox()
    this.#reader = new AnswerHeadReader()
    this.#frames = new BodyFrames(answerLimits)
    this.#receiver = undefined
    this.#method = ''
    this.#upgrades = false
    this.#interims = 0
    this.#headCame = false
    this.#mayPersist = false
    this.#peerEnded = false
  }

  /** Whoever waits for an answer. */
  get waiting(): ResponseReceiver | undefined {
    return this.#receiver
  }

  /** An answer is due from now on. */
  await(receiver: ResponseReceiver, method: string, upgrades: boolean): void {
    this.#receiver = receiver
    this.#method = method
    this.#upgrades = upgrades
    this.#interims = 0
    this.#headCame = false
  }

  /** Whoever waits for an answer, who will hear no more of it. */
  release(): ResponseReceiver | undefined {
    const receiver = this.#receiver
    this.#receiver = undefined
    return receiver
  }

  bytes(_link: Link, bytes: Uint8Array): void {
    const receiver = this.#receiver
    if (receiver === undefined) {
      this.#owner.unusable()
      return
    }
    this.#owner.arrived()
    this.#inbox.lend(bytes)
    this.#read(receiver)
    this.#inbox.keep()
  }

  ended(): void {
    this.#peerEnded = true
    this.#cutOff(undefined)
  }

  drained(): void {
    this.#owner.drained()
  }

  closed(_link: Link, error: GatewayError | undefined): void {
    this.#cutOff(error)
    this.#owner.linkClosed()
  }

  #read(receiver: ResponseReceiver): void {
    const inbox = this.#inbox
    while (inbox.at < inbox.to && receiver === this.#receiver) {
      if (!this.#headCame) {
        if (!this.#readHead(receiver)) break
      } else this.#readBody(receiver)
    }
    // Nothing of it: the connection is another's by now, or closed.
    if (receiver === this.#receiver && this.#headCame) receiver.flush()
  }

  /** False: more of it has to come, or nothing will. */
  #readHead(receiver: ResponseReceiver): boolean {
    const inbox = this.#inbox
    let head: AnswerHead | undefined
    try {
      head = this.#reader.read(inbox.bytes, inbox.at, inbox.to, answerLimits, this.#method)
    } catch (error) {
      this.#owner.answerFailed(badResponse(error))
      return false
    }
    if (head === undefined) return false
    inbox.at = this.#reader.end
    const { status, reason, headers, length } = head
    const shown: ResponseHead = { status, reason, headers, fromUpstream: true }
    if (status === 101) this.#switch(shown, head.upgrade)
    else if (status < 200) this.#interim(receiver, shown)
    else {
      this.#headCame = true
      this.#mayPersist = head.keepAlive
      this.#frames.begin(length ?? (head.chunked ? undefined : Number.POSITIVE_INFINITY))
      receiver.head(shown, length)
      if (receiver === this.#receiver && this.#frames.ended) this.#done()
    }
    return true
  }

  #interim(receiver: ResponseReceiver, head: ResponseHead): void {
    this.#interims += 1
    if (this.#interims > maxInterims) this.#owner.answerFailed(badResponse('too many interim answers'))
    else receiver.interim(head)
  }

  #switch(head: ResponseHead, upgrade: string | undefined): void {
    if (!this.#upgrades || upgrade === undefined) {
      this.#owner.answerFailed(badResponse('a change of protocol that was not asked for'))
      return
    }
    head.headers.push('upgrade', 'Upgrade', upgrade)
    this.#owner.switched(head, this.#inbox.take())
  }

  #readBody(receiver: ResponseReceiver): void {
    const inbox = this.#inbox
    const frames = this.#frames
    const { bytes } = inbox
    try {
      inbox.at = frames.read(bytes, inbox.at, inbox.to)
    } catch (error) {
      this.#owner.answerFailed(badResponse(error))
      return
    }
    const { partAt, partEnd } = frames
    if (partEnd > partAt) {
      receiver.part(partAt === 0 && partEnd === bytes.length ? bytes : bytes.subarray(partAt, partEnd))
    }
    if (receiver === this.#receiver && frames.ended) this.#done()
  }

  #done(): void {
    const mayPersist = this.#mayPersist && !this.#peerEnded && this.#inbox.size === 0
    this.#owner.answered(this.#frames.trailers, mayPersist)
  }

  /** The endpoint sends nothing any more. */
  #cutOff(error: GatewayError | undefined): void {
    if (this.#receiver === undefined) this.#owner.unusable()
    else if (this.#headCame) {
      if (this.#frames.untilClose && error === undefined) this.#done()
      else this.#owner.answerFailed(badResponse(`the connection ended within the body: ${reasonOf(error)}`))
    } else if (this.#inbox.size > 0 || this.#interims > 0) {
      this.#owner.answerFailed(badResponse(`the connection ended within the answer: ${reasonOf(error)}`))
    } else this.#owner.answerFailed(error ?? new GatewayError('upstream_closed', 'closed without an answer'))
  }
}

function reasonOf(error: GatewayError | undefined): string {
  return error === undefined ? 'closed' : error.message
}

/** Of what the codec threw, or of a reason. */
function badResponse(thrown: unknown): GatewayError {
  if (typeof thrown === 'string') return new GatewayError('bad_response', thrown)
  if (thrown instanceof CodecError) return new GatewayError('bad_response', thrown.message)
  return GatewayError.from(thrown)
}
