/**
 * The answer to one request, as the road writes it: it becomes a head with the right framing and a body. One object per
 * exchange, so that a call that comes too late cannot reach the next one. What follows for the connection is decided there.
 */
import { GatewayError, type HeaderList, type HttpSink, type Link, type ResponseHead } from '#sdk'
import { asListed, chunked, unframed, writeAnswerHead } from './codec/head-writer.ts'
import type { MessageWriter } from './message-writer.ts'

/** The connection, as its answers see it. */
export interface AnswerOrigin {
  readonly link: Link
  readonly writer: MessageWriter
  /** Whether the connection goes on after this answer, if the answer itself lets it. Asked once, when it begins. */
  mayPersist(): boolean
  /** An interim 100 is to be sent: true if the client still waits for one. */
  continues(): boolean
  /** The link does not take more for now. */
  full(): void
  /** Names of fields that would have broken the head. */
  leftOut(names: readonly string[]): void
  /** Everything is with the writer. `persists`: the client knows where the answer ends, and that another may follow. */
  answered(persists: boolean): void
  /** It will not be completed, by the road's choice or, with an error, by its fault. */
  cut(error: GatewayError | undefined): void
  /** Bytes that were read and not used. The connection is the caller's. */
  handOver(): Uint8Array
}

export class Http1Answer implements HttpSink {
  readonly #origin: AnswerOrigin
  readonly #isHead: boolean
  readonly #version: number
  readonly #upgrade: string | undefined
  readonly #keepAlive: boolean
  #begun: boolean
  /** It is whole, cut, or its client has gone. */
  #over: boolean
  #bare: boolean
  #persists: boolean

  /** Of the request: whether it is HEAD, its version, the protocol it would change to, whether the client stays. */
  constructor(origin: AnswerOrigin, isHead: boolean, version: number, upgrade: string | undefined, keepAlive: boolean) {
    this.#origin = origin
    this.#isHead = isHead
    this.#version = version
    this.#upgrade = upgrade
    this.#keepAlive = keepAlive
    this.#begun = false
    this.#over = false
    this.#bare = false
    this.#persists = false
  }

  get begun(): boolean {
    return this.#begun
  }

  inform(head: ResponseHead): void {
    // A client of HTTP/1.0 takes any head for the answer. [RFC 9110 §15.2]
    if (this.#over || this.#begun || this.#version === 10 || head.status === 101) return
    if (head.status === 100 && !this.#origin.continues()) return
    const dropped: string[] = []
    const text = writeAnswerHead(head.status, head.reason, head.headers, unframed, '', undefined, dropped)
    if (!this.#origin.link.sendText(text)) this.#origin.full()
  }

  begin(head: ResponseHead, length: number | undefined): number {
    if (this.#over || this.#begun) return 0
    this.#begun = true
    const isHead = this.#isHead
    const version = this.#version
    const { status } = head
    this.#bare = isHead || status === 204 || status === 304 || status < 200
    let framing: number = length ?? chunked
    if (this.#bare) framing = bareFraming(head, isHead, length)
    else if (length === undefined && version === 10) framing = unframed
    const isEnded = this.#bare || framing !== unframed
    const upgrade = status === 101 ? (head.headers.get('upgrade') ?? this.#upgrade) : undefined
    this.#persists = isEnded && this.#keepAlive && status !== 101 && this.#origin.mayPersist()
    const connection = this.#persists ? (version === 10 ? 'keep-alive' : '') : 'close'
    const dropped: string[] = []
    const text = writeAnswerHead(status, head.reason, head.headers, framing, connection, upgrade, dropped)
    if (dropped.length > 0) this.#origin.leftOut(dropped)
    this.#origin.writer.begin(text, this.#bare ? unframed : framing)
    // One byte a character: heads are latin1.
    return text.length
  }

  write(part: Uint8Array): boolean {
    if (this.#over || !this.#begun || this.#bare) return true
    const { writer } = this.#origin
    if (!writer.write(part)) this.#fault('more bytes of body than were announced')
    else if (writer.full) this.#origin.full()
    return !writer.full
  }

  finish(trailers?: HeaderList): void {
    if (this.#over || !this.#begun) return
    this.#over = true
    const { writer } = this.#origin
    const dropped: string[] = []
    if (!writer.finish(trailers, dropped)) return this.#fault('fewer bytes of body than were announced')
    if (dropped.length > 0) this.#origin.leftOut(dropped)
    if (writer.full) this.#origin.full()
    this.#origin.answered(this.#persists)
  }

  flush(): void {
    if (this.#over) return
    const { writer } = this.#origin
    writer.flush()
    if (writer.full) this.#origin.full()
  }

  cut(): void {
    if (this.#over) return
    this.#over = true
    this.#origin.cut(undefined)
  }

  takeOver(): { readonly link: Link; readonly head: Uint8Array } {
    if (this.#over || !this.#begun) throw new GatewayError('internal', 'there is no connection to take over')
    this.#over = true
    const { link, writer } = this.#origin
    writer.flush()
    return { link, head: this.#origin.handOver() }
  }

  /** For the connection: the client has gone, or the exchange is over; no call has an effect from now on. */
  end(): void {
    this.#over = true
  }

  #fault(what: string): void {
    this.#over = true
    this.#origin.cut(new GatewayError('internal', `an answer of ${what}`))
  }
}

/** Answers without a body may still say how long it would be: those to HEAD, and 304. [RFC 9110 §8.6, §15.4.5] */
function bareFraming(head: ResponseHead, isHead: boolean, length: number | undefined): number {
  const { status, headers } = head
  if (status === 204 || status < 200) return unframed
  if (!isHead || headers.has('content-length') || length === undefined || length === 0) return asListed
  return length
}
