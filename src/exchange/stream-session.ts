/**
 * The exchange of every protocol that is one session: a TCP connection, a UDP session. It carries what happened;
 * the road and the protocol write into it.
 */
import type { GatewayError } from '../errors.ts'
import type { Link } from '../net/link.ts'
import type { Attempt, HelloInfo, RouteInfo, StreamExchange } from './exchange.ts'
import { streamVariable } from './stream-variables.ts'

const nothing = new Uint8Array(0)

export class StreamSession implements StreamExchange {
  readonly kind = 'stream'
  readonly protocol: string
  readonly downstream: Link
  readonly head: Uint8Array
  readonly hello: HelloInfo | undefined
  readonly startedAt: number
  attempts: Attempt[] = []
  upstream: Link | undefined = undefined
  route: RouteInfo | undefined = undefined
  error: GatewayError | undefined = undefined
  status = 0
  endedAt = 0
  /** The listener it came in by, as configured: `0.0.0.0:9100`. */
  listener = ''
  /** What metrics call its route by. */
  shownBy: 'id' | 'name' = 'id'

  constructor(protocol: string, downstream: Link, head: Uint8Array = nothing, hello?: HelloInfo) {
    this.protocol = protocol
    this.downstream = downstream
    this.head = head
    this.hello = hello
    this.startedAt = performance.now()
  }

  get begun(): boolean {
    return this.downstream.bytesWritten > 0
  }

  variable(name: string): string | undefined {
    return streamVariable(this, name)
  }

  value(name: string): string | undefined {
    return streamVariable(this, name)
  }

  /** Closes towards the client: silently, or with a reset when an answer broke off half way. */
  fail(error: GatewayError): void {
    if (this.error !== undefined || this.endedAt !== 0) return
    this.error = error
    if (this.begun && error.origin === 'upstream') this.downstream.reset()
    else this.downstream.close()
  }
}
