/**
 * A link inside TLS, over a TLS socket whose handshake is done. It neither shakes hands (`tls-handshake.ts`) nor reaches
 * into Node (`tls-socket.ts`). A half-close is a close_notify; a connection cut without one looks the same to the receiver,
 * because Node does not tell them apart.
 */
import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { Timer, TimerWheel } from '../../base/timers.ts'
import { type Code, GatewayError } from '../../errors.ts'
import { gathered } from '../gathered.ts'
import type { Link, Receiver, TlsInfo } from '../link.ts'
import { outboxBytes, textIntoOutbox } from './borrowed.ts'
import { lingerMs } from './linger.ts'
import { release, resetTls } from './tls-socket.ts'

const linkKey = Symbol('link')
interface LinkedSocket extends TLSSocket {
  [linkKey]?: TlsLink
}

export interface TlsLinkOptions {
  readonly tls: TlsInfo
  /** What an end out of order is called: whose side this is, the link does not know. */
  readonly resetCode: Code
  readonly wheel: TimerWheel
  /** Of the connection below, which knew them before a reset could take them away. */
  readonly names: LinkNames
}

export type LinkNames = Pick<Link, 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort'>

/** Of a link that is about to be taken over. */
export function namesOf({ remoteAddress, remotePort, localAddress, localPort }: Link): LinkNames {
  return { remoteAddress, remotePort, localAddress, localPort }
}

/** Where a socket's reads go; for `wrapSocket`. Before the link is made there is nothing to read. */
export function received(this: TLSSocket, length: number, buffer: Uint8Array): boolean {
  const link = (this as LinkedSocket)[linkKey]
  return link === undefined || link.arrived(buffer.subarray(0, length))
}

export class TlsLink implements Link {
  readonly carrier = 'stream'
  readonly tls: TlsInfo
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  readonly #socket: LinkedSocket
  readonly #options: TlsLinkOptions
  #receiver: Receiver | undefined
  /** What was decrypted before the link was opened, or in the turn in which it was paused. */
  #early: Uint8Array[]
  #linger: Timer | undefined
  #error: GatewayError | undefined
  #bytesRead: number
  #bytesWritten: number
  #paused: boolean
  #peerEnded: boolean
  #ending: boolean
  #closing: boolean
  #gone: boolean
  #told: boolean
  #flushing: boolean

  /** Takes the socket over, whose other listeners must be gone, in the turn of its handshake's end. */
  constructor(socket: TLSSocket, options: TlsLinkOptions) {
    this.tls = options.tls
    const { names } = options
    this.remoteAddress = names.remoteAddress
    this.remotePort = names.remotePort
    this.localAddress = names.localAddress
    this.localPort = names.localPort
    this.#socket = socket
    this.#options = options
    this.#receiver = undefined
    this.#early = []
    this.#linger = undefined
    this.#error = undefined
    this.#bytesRead = 0
    this.#bytesWritten = 0
    this.#paused = false
    this.#peerEnded = false
    this.#ending = false
    this.#closing = false
    this.#gone = false
    this.#told = false
    this.#flushing = false
    this.#socket[linkKey] = this
    release(socket)
    socket.on('end', onEnd).on('drain', onDrain).on('error', onError).on('close', onClose)
  }

  get bytesRead(): number {
    return this.#bytesRead
  }

  get bytesWritten(): number {
    return this.#bytesWritten
  }

  get pending(): number {
    return this.#gone ? 0 : this.#socket.writableLength
  }

  get closed(): boolean {
    return this.#closing || this.#gone
  }

  open(receiver: Receiver): void {
    const first = this.#receiver === undefined
    this.#receiver = receiver
    if (!first) return
    // Not at once: nothing may be delivered before `open` has returned.
    this.#flushSoon()
  }

  pause(): void {
    this.#paused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#paused = false
    if (this.#receiver === undefined) return
    if (this.#early.length > 0 || this.#peerEnded) this.#flushSoon()
    else if (!this.#gone) this.#socket.resume()
  }

  send(bytes: Uint8Array): boolean {
    if (this.#ending || this.#gone) return true
    this.#bytesWritten += bytes.length
    return this.#socket.write(bytes)
  }

  forward(bytes: Uint8Array): boolean {
    // With no other write under way Node encrypts at once, or copies what it cannot encrypt yet; else the stream would queue.
    return this.send(this.#socket.writableLength === 0 ? bytes : Buffer.from(bytes))
  }

  sendText(text: string, body?: Uint8Array): boolean {
    const size = text.length + (body === undefined ? 0 : body.length)
    // As in `forward`: the place is free again when the write returns.
    const isFree = this.#socket.writableLength === 0 && size <= outboxBytes
    return this.send(isFree ? textIntoOutbox(text, body) : gathered(text, body))
  }

  end(): void {
    if (this.#ending || this.#gone) return
    this.#ending = true
    this.#socket.end()
  }

  close(): void {
    if (this.#closing || this.#gone) return
    this.#closing = true
    this.#ending = true
    this.#linger = this.#options.wheel.start(lingerMs, this)
    // What still comes is dropped unseen: bytes left unread would turn the close into a reset.
    this.#socket.resume()
    this.#socket.destroySoon()
  }

  reset(): void {
    if (this.#gone || this.#socket.destroyed) return
    this.#closing = true
    this.#ending = true
    resetTls(this.#socket)
  }

  /** For the wheel: what is still unsent after the lingering time is given up. */
  expired(): void {
    this.#socket.destroy()
  }

  /** For the socket's listeners only, as the next four. False: stop reading. */
  arrived(bytes: Uint8Array): boolean {
    if (this.#closing) return true
    this.#bytesRead += bytes.length
    if (this.#receiver === undefined || this.#paused || this.#early.length > 0) {
      this.#early.push(Buffer.from(bytes))
      return false
    }
    this.#receiver.bytes(this, bytes)
    return !this.#paused
  }

  peerEnded(): void {
    if (this.#closing) return
    this.#peerEnded = true
    this.#flushSoon()
  }

  emptied(): void {
    if (!this.#closing) this.#receiver?.drained(this)
  }

  failed(error: Error): void {
    if (!this.#closing && this.#error === undefined) {
      this.#error = new GatewayError(this.#options.resetCode, reasonOf(error), error)
    }
    if (!this.#socket.destroyed) this.#socket.destroy()
  }

  gone(): void {
    this.#gone = true
    this.#linger?.cancel()
    this.#early = []
    this.#tell()
  }

  #flushSoon(): void {
    if (this.#flushing || this.#receiver === undefined) return
    this.#flushing = true
    queueMicrotask(() => this.#flush())
  }

  #flush(): void {
    this.#flushing = false
    const receiver = this.#receiver
    if (receiver === undefined) return
    while (this.#early.length > 0) {
      if (this.#paused || this.#closing) return
      this.#receiver?.bytes(this, this.#early.shift() as Uint8Array)
    }
    if (this.#gone) {
      this.#tell()
      return
    }
    if (this.#closing || this.#paused) return
    if (!this.#peerEnded) this.#socket.resume()
    else this.#tellEnd()
  }

  #tellEnd(): void {
    if (this.#told) return
    this.#told = true
    this.#receiver?.ended(this)
  }

  #tell(): void {
    const receiver = this.#receiver
    if (receiver === undefined) return
    this.#told = true
    receiver.closed(this, this.#error)
  }
}

/** What OpenSSL says in a few words where it says anything: 'no shared cipher', 'tlsv1 alert unknown ca'. */
export function reasonOf(error: Error): string {
  const { reason } = error as Error & { reason?: unknown }
  return typeof reason === 'string' ? reason : error.message
}

/** What is known when the handshake is done; the client's certificate is only read when somebody asks. */
export function tlsInfo(socket: TLSSocket, peer: X509Certificate | undefined): TlsInfo {
  return new SocketTlsInfo(socket, peer)
}

class SocketTlsInfo implements TlsInfo {
  readonly serverName: string | undefined
  readonly alpn: string | undefined
  readonly protocol: string | undefined
  readonly cipher: string | undefined
  readonly resumed: boolean
  readonly #certificate: X509Certificate | undefined
  #peer: TlsInfo['peer']

  constructor(socket: TLSSocket, certificate: X509Certificate | undefined) {
    const { servername, alpnProtocol } = socket as {
      servername?: string | false | null
      alpnProtocol?: string | false | null
    }
    this.serverName = servername ? servername : undefined
    this.alpn = alpnProtocol ? alpnProtocol : undefined
    this.protocol = socket.getProtocol() ?? undefined
    this.cipher = socket.getCipher()?.name
    this.resumed = socket.isSessionReused()
    this.#certificate = certificate
    this.#peer = undefined
  }

  /** The subject as RFC 4514 writes it; serial and fingerprint as nginx does: upper and lower case hexadecimal digits. */
  get peer(): TlsInfo['peer'] {
    const certificate = this.#certificate
    if (certificate === undefined) return undefined
    this.#peer ??= {
      subject: certificate.subject.split('\n').reverse().join(','),
      serial: certificate.serialNumber,
      fingerprint: certificate.fingerprint.replaceAll(':', '').toLowerCase(),
    }
    return this.#peer
  }
}

function onEnd(this: LinkedSocket): void {
  this[linkKey]?.peerEnded()
}

function onDrain(this: LinkedSocket): void {
  this[linkKey]?.emptied()
}

function onError(this: LinkedSocket, error: Error): void {
  this[linkKey]?.failed(error)
}

function onClose(this: LinkedSocket): void {
  this[linkKey]?.gone()
}
