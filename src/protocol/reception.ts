/**
 * What happens to an accepted link before a protocol serves it: admission, reading a ClientHello where routes ask for its
 * SNI, and the decision between passing TLS through and terminating it. It knows listeners, not routes: those are behind the gate.
 */
import type { TimerWheel } from '../base/timers.ts'
import { GatewayError } from '../errors.ts'
import type { HelloInfo } from '../exchange/exchange.ts'
import type { Link } from '../net/link.ts'
import { alert, alerts } from '../net/tls/alert.ts'
import { type HelloResult, readHello } from '../net/tls/hello-reader.ts'
import type { DialReceiver, TlsTermination, Wire } from '../net/wire.ts'
import type { Beginning } from './protocol.ts'

/** What the configuration in force says of links that come in. */
export interface Gate {
  /** Whether one more link may be taken; false: it is closed at once. */
  admit(): boolean
  /** Links that were admitted and of which no exchange was made yet. Kept by the reception. */
  pending: number
  /** Some route of this port depends on the SNI of connections that are not terminated here. */
  needsHello(port: number): boolean
  /** A route of this port wants this TLS connection undecrypted. */
  passesThrough(link: Link, hello: HelloInfo): boolean
  /** How to terminate TLS for this server name; undefined: there is no certificate for it. */
  termination(serverName: string | undefined): TlsTermination | undefined
  /** A link was turned away before any exchange began. Called once for it; it is closed already. */
  refused(link: Link, error: GatewayError): void
}

export interface ReceptionOptions {
  readonly wire: Wire
  readonly wheel: TimerWheel
  /** What becomes of a link that was let in. */
  readonly serve: (link: Link, beginning: Beginning) => void
  readonly gate: Gate
  /** What is offered to clients that negotiate a protocol in their TLS handshake. */
  readonly alpn: readonly string[]
  readonly tls: boolean
  /** Waiting for a ClientHello on a TLS listener, and on a plain one where routes have SNIs, ms. */
  readonly handshakeMs: number
  readonly helloMs: number
}

const maxHelloBytes = 64 * 1024
const nothing = new Uint8Array(0)
const plain = { head: nothing, hello: undefined }

export class Reception {
  readonly #options: ReceptionOptions

  constructor(options: ReceptionOptions) {
    this.#options = options
  }

  /** Takes one link that has not read anything yet. */
  accept(link: Link): void {
    const { gate, serve, tls } = this.#options
    // Asked for at once: a link that is closed no longer knows it. Without an address nobody could tell whether this client may
    // come in, and there is nobody any more to be served.
    if (link.remoteAddress === '') {
      link.reset()
      return gate.refused(link, new GatewayError('client_gone', 'reset before it was accepted'))
    }
    if (!gate.admit()) {
      link.reset()
      return gate.refused(link, new GatewayError('too_many_links', 'the limit of connections is reached'))
    }
    if (link.carrier === 'datagram' || (!tls && !gate.needsHello(link.localPort))) {
      return serve(link, plain)
    }
    const { wheel, handshakeMs, helloMs } = this.#options
    const timeoutMs = tls ? handshakeMs : helloMs
    gate.pending++
    readHello(link, { timeoutMs, maxBytes: maxHelloBytes, wheel }, (result) => this.#read(link, result))
  }

  #read(link: Link, result: HelloResult): void {
    const { gate, serve, tls } = this.#options
    const { head, hello } = result
    gate.pending--
    if (!tls) {
      // Server-first protocols say nothing until spoken to: silence is an answer here, not a fault.
      if (result.error !== undefined && result.error.code !== 'client_timeout') return this.#refuse(link, result.error)
      return serve(link, { head, hello })
    }
    if (result.error !== undefined) {
      if (result.alert !== undefined) link.send(alert(result.alert))
      return this.#refuse(link, result.error)
    }
    if (hello === undefined)
      return this.#refuse(link, new GatewayError('bad_tls', 'the first bytes are no TLS ClientHello'))
    if (gate.passesThrough(link, hello)) return serve(link, { head, hello })
    this.#terminate(link, head, hello.serverName)
  }

  #terminate(link: Link, head: Uint8Array, serverName: string | undefined): void {
    const { gate, wire, alpn } = this.#options
    let termination: TlsTermination | undefined
    try {
      termination = gate.termination(serverName)
    } catch (thrown) {
      link.send(alert(alerts.internalError))
      return this.#refuse(link, GatewayError.from(thrown))
    }
    if (termination === undefined) {
      link.send(alert(alerts.unrecognizedName))
      const name = serverName === undefined ? 'a connection without SNI' : serverName
      return this.#refuse(link, new GatewayError('no_certificate', `no certificate for ${name}`))
    }
    gate.pending++
    if (alpn.length > 0) termination = { ...termination, alpn }
    wire.terminate(link, head, termination, new Handshake(this.#options, link))
  }

  #refuse(link: Link, error: GatewayError): void {
    link.close()
    this.#options.gate.refused(link, error)
  }
}

/** Waits for one handshake. */
class Handshake implements DialReceiver {
  readonly #options: ReceptionOptions
  readonly #raw: Link

  constructor(options: ReceptionOptions, raw: Link) {
    this.#options = options
    this.#raw = raw
  }

  connected(link: Link): void {
    this.#options.gate.pending--
    this.#options.serve(link, plain)
  }

  failed(error: GatewayError): void {
    this.#options.gate.pending--
    this.#options.gate.refused(this.#raw, error)
  }
}
