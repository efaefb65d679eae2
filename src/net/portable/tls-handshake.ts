/**
 * The handshakes of the portable wire: terminating TLS on an accepted link, and beginning it on a dialled one. A link comes
 * out of it only when the peer is who it must be.
 */

import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { checkServerIdentity, type TLSSocket } from 'node:tls'
import type { Timer, TimerWheel } from '../../base/timers.ts'
import { type Code, GatewayError } from '../../errors.ts'
import type { Link } from '../link.ts'
import { sessionId } from '../tls/certificate.ts'
import { intermediatesOf } from '../tls/peer-chain.ts'
import type { DialReceiver, TlsOrigination, TlsTermination } from '../wire.ts'
import { takeSocket } from './take-socket.ts'
import { type LinkNames, namesOf, reasonOf, received, TlsLink, tlsInfo } from './tls-link.ts'
import { startClient, verifyError, wrapSocket } from './tls-socket.ts'

/** As `Wire.terminate`. */
export function terminateTls(
  link: Link,
  head: Uint8Array,
  tls: TlsTermination,
  wheel: TimerWheel,
  receiver: DialReceiver,
): () => void {
  const requested = tls.requireClient || tls.requestClient === true
  const names = namesOf(link)
  scopeSessions(tls)
  const socket = wrapSocket(takeSocket(link), {
    isServer: true,
    context: tls.context,
    requestCert: requested,
    insist: tls.requireClient,
    alpn: tls.alpn,
    head,
    received,
  })
  const handshake = new Handshake(socket, receiver, wheel, tls.timeoutMs, {
    names,
    failed: 'bad_tls',
    gone: 'client_gone',
    late: 'client_timeout',
    reset: 'client_gone',
    check: () => (requested ? checkClient(socket, tls) : undefined),
  })
  return () => handshake.cancel()
}

/**
 * Begins TLS on a link that was just dialled and on which nothing was sent or read. `timeoutMs` is what is left of the
 * dial's. Exactly one call of the receiver follows, after this returned; none after the returned function was called.
 */
export function originateTls(
  link: Link,
  tls: TlsOrigination,
  timeoutMs: number,
  wheel: TimerWheel,
  receiver: DialReceiver,
): () => void {
  const names = namesOf(link)
  const socket = wrapSocket(takeSocket(link), {
    isServer: false,
    context: tls.context,
    requestCert: true,
    insist: false,
    alpn: tls.alpn,
    head: undefined,
    received,
  })
  const handshake = new Handshake(socket, receiver, wheel, timeoutMs, {
    names,
    failed: 'upstream_tls',
    gone: 'upstream_tls',
    late: 'connect_timeout',
    reset: 'upstream_reset',
    check: () => (tls.verify ? checkServer(socket, tls.serverName) : undefined),
  })
  // RFC 6066 3: an address is no server name.
  startClient(socket, isIP(tls.serverName) === 0 ? tls.serverName : '')
  return () => handshake.cancel()
}

interface Side {
  /** Of the connection. */
  readonly names: LinkNames
  /** What failures of each sort are called on this side. */
  readonly failed: Code
  readonly gone: Code
  readonly late: Code
  readonly reset: Code
  /** Looks at the peer's certificate: an error refuses it, a certificate is shown in `tls.peer`. */
  readonly check: () => GatewayError | X509Certificate | undefined
}

class Handshake {
  readonly #socket: TLSSocket
  readonly #receiver: DialReceiver
  readonly #wheel: TimerWheel
  readonly #timeoutMs: number
  readonly #side: Side
  readonly #timer: Timer
  #settled: boolean

  constructor(socket: TLSSocket, receiver: DialReceiver, wheel: TimerWheel, timeoutMs: number, side: Side) {
    this.#socket = socket
    this.#receiver = receiver
    this.#wheel = wheel
    this.#timeoutMs = timeoutMs
    this.#side = side
    this.#settled = false
    this.#timer = wheel.start(timeoutMs, this)
    socket.on('secure', this.#onSecure).on('error', this.#onError).on('end', this.#onEnd).on('close', this.#onClose)
  }

  cancel(): void {
    if (!this.#settled) this.#settle()
    else return
    this.#socket.destroy()
  }

  expired(): void {
    this.#fail(new GatewayError(this.#side.late, `no TLS within ${this.#timeoutMs} ms`))
  }

  readonly #onSecure = (): void => {
    if (this.#settled) return
    const checked = this.#side.check()
    if (checked instanceof GatewayError) {
      // In this very turn: the session tickets that a server has ready by now must not leave for a refused client.
      this.#fail(checked)
      return
    }
    this.#settle()
    const { reset, names } = this.#side
    const tls = tlsInfo(this.#socket, checked)
    this.#receiver.connected(new TlsLink(this.#socket, { tls, resetCode: reset, wheel: this.#wheel, names }))
  }

  readonly #onError = (error: Error): void => {
    const reason = reasonOf(error)
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ECONNRESET' || code === 'EPIPE') {
      this.#fail(new GatewayError(this.#side.gone, `${reason} during the TLS handshake`, error))
    } else if (/did not return a certificate/.test(reason)) {
      this.#fail(new GatewayError('client_certificate', 'the client shows no certificate', error))
    } else this.#fail(new GatewayError(this.#side.failed, reason, error))
  }

  readonly #onEnd = (): void => {
    this.#fail(new GatewayError(this.#side.gone, 'the peer ended during the TLS handshake'))
  }

  readonly #onClose = (): void => {
    this.#fail(new GatewayError(this.#side.gone, 'the connection closed during the TLS handshake'))
  }

  #fail(error: GatewayError): void {
    if (this.#settled) return
    this.#settle()
    this.#socket.destroy()
    this.#receiver.failed(error)
  }

  #settle(): void {
    const socket = this.#socket
    this.#settled = true
    this.#timer.cancel()
    socket.off('secure', this.#onSecure).off('error', this.#onError).off('end', this.#onEnd).off('close', this.#onClose)
    // Until a link listens: what a destroyed socket still has to say interests nobody.
    socket.on('error', ignore)
  }
}

function ignore(): void {}

function checkClient(socket: TLSSocket, tls: TlsTermination): GatewayError | X509Certificate | undefined {
  const peer = socket.getPeerX509Certificate()
  const wrong = peer === undefined ? 'the client shows no certificate' : verifyError(socket)
  if (peer === undefined || wrong !== undefined) {
    return tls.requireClient ? new GatewayError('client_certificate', wrong) : undefined
  }
  // A resumed session was checked when it was made, in the same scope; the chain is not shown again.
  if (tls.clientDepth === undefined || socket.isSessionReused()) return peer
  const intermediates = intermediatesOf(socket.getPeerCertificate(true))
  if (intermediates !== undefined && intermediates <= tls.clientDepth) return peer
  // Even where no certificate is insisted on: the ticket of this session would not tell that the chain was too long.
  const found = intermediates === undefined ? 'cannot be followed' : `has ${intermediates} intermediate authorities`
  return new GatewayError('client_certificate', `the client's chain ${found}, ${tls.clientDepth} are allowed`)
}

function checkServer(socket: TLSSocket, serverName: string): GatewayError | undefined {
  const wrong = verifyError(socket)
  if (wrong !== undefined) return new GatewayError('upstream_tls', wrong)
  const error = checkServerIdentity(serverName, socket.getPeerCertificate())
  return error === undefined ? undefined : new GatewayError('upstream_tls', error.message, error)
}

/** The scope that each context was last used with. */
const scopes = new WeakMap<object, string>()

/** OpenSSL copies a context's session id context into each connection that is made from it: it is set before. */
function scopeSessions(tls: TlsTermination): void {
  if (scopes.get(tls.context) === tls.sessionScope) return
  scopes.set(tls.context, tls.sessionScope)
  const native = tls.context.context as { setSessionIdContext(id: string): void }
  native.setSessionIdContext(sessionId(tls.sessionScope))
}
