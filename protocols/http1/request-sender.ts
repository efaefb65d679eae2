/**
 * The body of a request on its way to an endpoint: takes it from whoever has it, hands it to the writer, and stops it while the
 * link is full. One for each upstream connection. It decides nothing about answers.
 */
import { type BodyReceiver, GatewayError, type HeaderList, type Link, type RequestBody } from '#sdk'
import { MessageWriter } from './message-writer.ts'

export interface SenderOwner {
  /** The link takes nothing more for now. */
  full(): void
  /** All of the request is with the link. */
  requestSent(): void
  /** The body will not be whole: what has been sent is no request. */
  requestFailed(error: GatewayError): void
  leftOut(names: readonly string[]): void
}

export class RequestSender implements BodyReceiver {
  readonly #owner: SenderOwner
  readonly #writer: MessageWriter
  /** While it is on its way. */
  #body: RequestBody | undefined

  constructor(link: Link, owner: SenderOwner) {
    this.#owner = owner
    this.#writer = new MessageWriter(link)
    this.#body = undefined
  }

  get active(): boolean {
    return this.#body !== undefined
  }

  /** `head` leaves with the first bytes of the body if they are there. */
  start(head: string, framing: number, body: RequestBody): void {
    this.#writer.begin(head, framing)
    this.#body = body
    body.open(this)
  }

  /** What comes of the body is not wanted any more. */
  stop(): void {
    this.#body = undefined
    this.#writer.drop()
  }

  /** The link has room again. */
  drained(): void {
    this.#writer.full = false
    this.#body?.resume()
  }

  /** For the body, as all that follows. */
  part(bytes: Uint8Array): void {
    const body = this.#body
    if (body === undefined) return
    if (this.#writer.write(bytes)) this.#check(body)
    else this.failed(new GatewayError('internal', 'more bytes of body than were announced'))
  }

  ended(trailers: HeaderList | undefined): void {
    if (this.#body === undefined) return
    const dropped: string[] = []
    if (!this.#writer.finish(trailers, dropped)) {
      this.failed(new GatewayError('internal', 'fewer bytes of body than were announced'))
      return
    }
    this.#body = undefined
    if (dropped.length > 0) this.#owner.leftOut(dropped)
    if (this.#writer.full) this.#owner.full()
    this.#owner.requestSent()
  }

  failed(error: GatewayError): void {
    if (this.#body === undefined) return
    this.stop()
    this.#owner.requestFailed(error)
  }

  flush(): void {
    const body = this.#body
    if (body === undefined) return
    this.#writer.flush()
    this.#check(body)
  }

  #check(body: RequestBody): void {
    if (!this.#writer.full) return
    body.pause()
    this.#owner.full()
  }
}
