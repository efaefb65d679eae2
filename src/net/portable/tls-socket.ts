/**
 * TLS over a connected socket whose reads land in one buffer of the whole thread. The one file of TLS that leans on what
 * Node does not document: `node:tls` offers such reads only for sockets that it dials itself. Where the parts are not as
 * they are needed, it falls back on plain 'data' events. It knows no links and decides nothing about certificates.
 */
import type { Socket } from 'node:net'
import { type SecureContext, TLSSocket, type TLSSocketOptions } from 'node:tls'

export interface TlsSocketOptions {
  readonly isServer: boolean
  readonly context: SecureContext
  /** Ask the peer for a certificate; with `insist` a server breaks off the handshake without one. */
  readonly requestCert: boolean
  readonly insist: boolean
  readonly alpn: readonly string[]
  /** What was read from the socket already. */
  readonly head: Uint8Array | undefined
  /** Called with the TLS socket as `this` for what was decrypted: borrowed bytes. False: stop reading. */
  readonly received: (this: TLSSocket, length: number, buffer: Uint8Array) => boolean
}

/** What exists of a TLS socket beyond its documented face. */
interface Handle {
  receive(bytes: Uint8Array): void
  start(): void
  setServername(name: string): void
  verifyError(): NodeJS.ErrnoException | null | undefined
  close(done: () => void): void
  reset?: (done: () => void) => number
  useUserBuffer?: (buffer: Uint8Array) => void
  readonly _parent?: { reset?: (done: () => void) => number }
}

interface Insides {
  _handle: Handle | null
  _tlsOptions: { rawHandle: unknown }
  _wrapHandle(wrap: null, handle: unknown, busy: boolean): unknown
  _releaseControl(): boolean
  connecting: boolean
  resetAndClosing: boolean
}

const insides = (socket: object): Insides => socket as Insides

/** A record holds no more, and Node decrypts into chunks of this size. */
const readBytes = 16_384
/** One for all sockets of the thread: bytes are handled before the next read, and whoever forwards them copies or encrypts. */
const readBuffer = Buffer.allocUnsafeSlow(readBytes)

/** True while TLS reads are borrowed, false on 'data' events. Tests switch it to run both ways. */
export const borrowing = { on: typeof insides(TLSSocket.prototype)._wrapHandle === 'function' }

/**
 * Takes the handle of the given socket over instead of wrapping the socket: the only way to be given `onread` for an accepted
 * connection, and one JavaScript socket less to keep in memory. Inheritance, because the constructor calls this method.
 */
class TakingTlsSocket extends TLSSocket {
  _wrapHandle(): unknown {
    const original = insides(TLSSocket.prototype)._wrapHandle
    return original.call(this as unknown as Insides, null, insides(this)._tlsOptions.rawHandle, false)
  }
}

/**
 * Begins TLS on a paused, connected socket, which must not be used afterwards. Nothing is read or emitted before this turn
 * is over. The handshake of a client starts with `startClient`.
 */
export function wrapSocket(socket: Socket, options: TlsSocketOptions): TLSSocket {
  const { isServer, context, requestCert, insist, alpn, head } = options
  const settings: TLSSocketOptions & { allowHalfOpen: boolean } = {
    isServer,
    secureContext: context,
    requestCert,
    rejectUnauthorized: insist,
    allowHalfOpen: true,
    ...(alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
  }
  const raw = insides(socket)
  if (!borrowing.on || raw._handle === null || typeof raw._handle !== 'object')
    return wrapPlainly(socket, settings, options)
  const rawHandle = raw._handle
  const onread = { buffer: readBuffer, callback: options.received }
  const tls = new TakingTlsSocket(
    undefined as unknown as Socket,
    { ...settings, onread, rawHandle } as TLSSocketOptions,
  )
  // The first wrapper must neither read nor close what is no longer its own; destroying it settles its server's count.
  raw._handle = null
  socket.destroy()
  // Without a socket Node takes this one for one that still has to be dialled.
  insides(tls).connecting = false
  if (head !== undefined && head.length > 0) process.nextTick(refeed, tls, head)
  return tls
}

function refeed(tls: TLSSocket, head: Uint8Array): void {
  insides(tls)._handle?.receive(head)
}

function wrapPlainly(socket: Socket, settings: TLSSocketOptions, options: TlsSocketOptions): TLSSocket {
  if (options.head !== undefined && options.head.length > 0) socket.unshift(options.head)
  const tls = new TLSSocket(socket, settings)
  tls.once('secure', () => {
    tls.on('data', (bytes: Buffer) => {
      if (!options.received.call(tls, bytes.length, bytes)) tls.pause()
    })
  })
  return tls
}

/** Sends the ClientHello. An empty name asks for none. */
export function startClient(tls: TLSSocket, serverName: string): void {
  const handle = insides(tls)._handle
  if (handle === null) return
  if (serverName !== '') handle.setServername(serverName)
  handle.start()
}

/** From now on errors are emitted as 'error', as they are once `node:tls` has handed a socket to its user. */
export function release(tls: TLSSocket): void {
  insides(tls)._releaseControl()
}

/** Why OpenSSL does not trust the peer's chain; undefined: it does, or there is none to judge. */
export function verifyError(tls: TLSSocket): string | undefined {
  const error = insides(tls)._handle?.verifyError()
  return error === null || error === undefined ? undefined : `${error.message} (${error.code})`
}

/** Closes with a reset of the TCP connection, where Node allows it. */
export function resetTls(tls: TLSSocket): void {
  const handle = insides(tls)._handle
  const parent = handle?._parent
  if (handle && typeof parent?.reset === 'function' && tls instanceof TakingTlsSocket) {
    // What `net.Socket` does for plain TCP: its destroy calls `reset` in place of `close` when so told.
    handle.reset = (done) => parent.reset?.(done) ?? 0
    insides(tls).resetAndClosing = true
  }
  tls.destroy()
}
