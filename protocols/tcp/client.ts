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
    const options = { idleMs, sendMs, wheel, head: exchange.head, lingerMs: 0 }
    relay(exchange.downstream, this.#link, options, (outcome) => receiver.done(outcome.error))
  }

  close(): void {
    this.#link.close()
  }
}
