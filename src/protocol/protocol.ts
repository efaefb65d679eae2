/** What a protocol is to the host: a value that serves links and, where it has an upstream half, clients on them. */
import type { TimerWheel } from '../base/timers.ts'
import type { Failures, GatewayError } from '../errors.ts'
import type { Attempt, HelloInfo, StreamExchange } from '../exchange/exchange.ts'
import type { Link } from '../net/link.ts'

/** What was read of a link before a protocol got it. */
export interface Beginning {
  /** Owned bytes, possibly empty. */
  readonly head: Uint8Array
  readonly hello: HelloInfo | undefined
}

/** Where exchanges go. */
export interface Road {
  accept(exchange: StreamExchange): void
}

/** Hears the end of one attempt on one client, exactly once. `error` undefined: it ended in order. */
export interface AttemptReceiver {
  done(error: GatewayError | undefined): void
}

/** The upstream half of a protocol, on a connected link. */
export interface Client {
  send(exchange: StreamExchange, attempt: Attempt, limits: ClientLimits, receiver: AttemptReceiver): void
  close(): void
}

/** Timeouts of one exchange, ms; 0: none. */
export interface ClientLimits {
  /** No byte in either direction for so long ends the session. */
  readonly idleMs: number
  /** Accepted bytes must leave within so long. */
  readonly sendMs: number
  /** Where these are timed. */
  readonly wheel: TimerWheel
}

/** What a status in a log means for a stream: nginx's numbers. */
export interface StreamWire {
  readonly status: number
}

export interface Protocol {
  /** Its folder: `tcp`. */
  readonly name: string
  readonly carrier: 'stream' | 'datagram'
  readonly failures: Failures<StreamWire>
  /** Owns the link until it is closed. */
  serve(link: Link, beginning: Beginning, road: Road): void
  connect(link: Link): Client
}
