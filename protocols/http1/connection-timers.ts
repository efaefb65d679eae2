/** What a client may take its time for: the head, the next request, its body, the answer. It knows of no bytes. */
import type { HttpSettings, Link, Timer, TimerOwner } from '#sdk'

/** Told when a time is over, once for each. */
export interface TimedConnection {
  /** Since the first byte of the head, or since the connection began. */
  headTooLate(): void
  /** Between two requests. It may have gone on with one since. */
  idleTooLong(): void
  /** Nothing of the body that somebody waits for. */
  bodyTooSlow(): void
  /** Nothing of what waits for the client has left. */
  sendStuck(): void
}

export class ConnectionTimers implements TimerOwner {
  readonly #settings: HttpSettings
  readonly #link: Link
  readonly #owner: TimedConnection
  #head: Timer | undefined
  /** Left running while requests come and go: to refresh it costs less than to start another. */
  #idle: Timer | undefined
  #body: Timer | undefined
  #send: Timer | undefined
  /** What waited for the client when the send timer was started. */
  #pending: number

  constructor(settings: HttpSettings, link: Link, owner: TimedConnection) {
    this.#settings = settings
    this.#link = link
    this.#owner = owner
    this.#head = undefined
    this.#idle = undefined
    this.#body = undefined
    this.#send = undefined
    this.#pending = 0
  }

  /** A head is due. It is not started again by its bytes: who sends them one by one gets no more time. */
  awaitHead(): void {
    const { wheel, headerMs } = this.#settings
    if (this.#head === undefined && headerMs > 0) this.#head = wheel.start(headerMs, this)
  }

  headCame(): void {
    if (this.#head === undefined) return
    this.#head.cancel()
    this.#head = undefined
  }

  /** An answer is out, and nothing of the next request has come. */
  idle(): void {
    const { wheel, idleMs } = this.#settings
    if (this.#idle !== undefined) this.#idle.refresh()
    else if (idleMs > 0) this.#idle = wheel.start(idleMs, this)
  }

  /** More of a body is due. */
  awaitBody(): void {
    const { wheel, bodyMs } = this.#settings
    if (this.#body !== undefined) this.#body.refresh()
    else if (bodyMs > 0) this.#body = wheel.start(bodyMs, this)
  }

  bodyCame(): void {
    if (this.#body === undefined) return
    this.#body.cancel()
    this.#body = undefined
  }

  /** The client has to take something before more is sent. */
  awaitDrain(): void {
    const { wheel, sendMs } = this.#settings
    if (this.#send !== undefined || sendMs === 0) return
    this.#pending = this.#link.pending
    this.#send = wheel.start(sendMs, this)
  }

  drained(): void {
    if (this.#send === undefined) return
    this.#send.cancel()
    this.#send = undefined
  }

  stop(): void {
    this.headCame()
    this.bodyCame()
    this.drained()
    this.#idle?.cancel()
    this.#idle = undefined
  }

  expired(timer: Timer): void {
    if (timer === this.#head) {
      this.#head = undefined
      this.#owner.headTooLate()
    } else if (timer === this.#idle) {
      this.#idle = undefined
      this.#owner.idleTooLong()
    } else if (timer === this.#body) {
      this.#body = undefined
      this.#owner.bodyTooSlow()
    } else if (timer === this.#send) {
      this.#send = undefined
      // It takes something, if slowly.
      if (this.#link.pending < this.#pending) this.awaitDrain()
      else this.#owner.sendStuck()
    }
  }
}
