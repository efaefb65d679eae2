/** The upstream half: joins the two links until both directions have ended. */
import {
  type Attempt,
  type AttemptReceiver,
  type Client,
  type ClientLimits,
  type Link,
  relay,
  type StreamExchange,
} from '#sdk'

export class RelayClient implements Client {
  readonly #link: Link

  constructor(link: Link) {
    this.#link = link
  }

  send(exchange: StreamExchange, _attempt: Attempt, limits: ClientLimits, receiver: AttemptReceiver): void {
    const { idleMs, sendMs, wheel } = limits
    const { head } = exchange
    // An empty head is none: among datagrams even an empty one would be sent.
    const options = { idleMs, sendMs, wheel, lingerMs: 0, ...(head.length === 0 ? {} : { head }) }
    relay(exchange.downstream, this.#link, options, (outcome) => receiver.done(outcome.error))
  }

  close(): void {
    this.#link.close()
  }
}
