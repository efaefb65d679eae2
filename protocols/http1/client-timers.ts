/** What an endpoint may take its time for: to answer, and to take a request. It knows of no bytes. */
import type { HttpClientLimits, Link, Timer, TimerOwner, TimerWheel } from '#sdk'

/** Told when a time is over, once for each. */
export interface TimedClient {
  /** Since it was last awaited. Nobody may wait for it by now. */
  answerTooLate(): void
  /** Nothing of what waits for the endpoint has left. */
  sendStuck(): void
}

export class ClientTimers implements TimerOwner {
  readonly #link: Link
  readonly #owner: TimedClient
  #wheel: TimerWheel | undefined
  #readMs: number
  #sendMs: number
  /** Left running from one request to the next where their limits are the same. */
  #read: Timer | undefined
  #send: Timer | undefined
  /** What waited for the endpoint when the send timer was started. */
  #pending: number

  constructor(link: Link, owner: TimedClient) {
    this.#link = link
    this.#owner = owner
    this.#wheel = undefined
    this.#readMs = 0
    this.#sendMs = 0
    this.#read = undefined
    this.#send = undefined
    this.#pending = 0
  }

  /** A request sets out. */
  begin({ readMs, sendMs, wheel }: HttpClientLimits): void {
    if (readMs !== this.#readMs || wheel !== this.#wheel) {
      this.#read?.cancel()
      this.#read = undefined
    }
    this.#wheel = wheel
    this.#readMs = readMs
    this.#sendMs = sendMs
    this.awaitAnswer()
  }

  /** The time begins, or begins anew: something came of the answer, or all of the request has left. */
  awaitAnswer(): void {
    if (this.#read !== undefined) this.#read.refresh()
    else if (this.#readMs > 0) this.#read = this.#wheel?.start(this.#readMs, this)
  }

  /** The endpoint has to take something before more is sent. */
  awaitDrain(): void {
    if (this.#send !== undefined || this.#sendMs === 0) return
    this.#pending = this.#link.pending
    this.#send = this.#wheel?.start(this.#sendMs, this)
  }

  drained(): void {
    this.#send?.cancel()
    this.#send = undefined
  }

  stop(): void {
    this.drained()
    this.#read?.cancel()
    this.#read = undefined
  }

  expired(timer: Timer): void {
    if (timer === this.#read) {
      this.#read = undefined
      this.#owner.answerTooLate()
    } else if (timer === this.#send) {
      this.#send = undefined
      // It takes something, if slowly.
      if (this.#link.pending < this.#pending) this.awaitDrain()
      else this.#owner.sendStuck()
    }
  }
}
