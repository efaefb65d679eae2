/**
 * A link over a socket of `node:net` by its public API alone: what TCP falls back to where Node's own handles are not as
 * `handles.ts` needs them. It copies what it is told to forward.
 */
import type { Socket } from 'node:net'
import type { Timer, TimerWheel } from '../../base/timers.ts'
import { type Code, GatewayError } from '../../errors.ts'
import { shownAddress } from '../address.ts'
import { gathered } from '../gathered.ts'
import type { Link, Receiver } from '../link.ts'
import { lingerMs } from './linger.ts'

const linkKey = Symbol('link')
interface LinkedSocket extends Socket {
  [linkKey]?: SocketLink
}

export interface SocketLinkOptions {
  /** What an end out of order is called: whose side this is, the link does not know. */
  readonly resetCode: Code
  readonly wheel: TimerWheel
  /** Both ends of a Unix socket, which Node does not tell. */
  readonly unix?: { readonly local: string; readonly remote: string } | undefined
}

export class SocketLink implements Link {
  readonly carrier = 'stream'
  /** Read at once: of a socket that is closed Node does not know them any more, though it does know the peer's. */
  readonly localAddress: string
  readonly localPort: number
  readonly #unixRemote: string | undefined
  #socket: LinkedSocket
  #receiver: Receiver | undefined
  #error: GatewayError | undefined
  #linger: Timer | undefined
  #bytesRead: number
  #bytesWritten: number
  #closed: boolean
  #paused: boolean
  readonly #resetCode: Code
  readonly #wheel: TimerWheel

  /** The socket must be paused, allow half-open, and have emitted nothing that a link needs to know. */
  constructor(socket: Socket, options: SocketLinkOptions) {
    this.localAddress = options.unix?.local ?? shownAddress(socket.localAddress)
    this.localPort = socket.localPort ?? 0
    this.#unixRemote = options.unix?.remote
    this.#socket = socket
    this.#receiver = undefined
    this.#error = undefined
    this.#linger = undefined
    this.#bytesRead = 0
    this.#bytesWritten = 0
    this.#closed = false
    this.#paused = false
    this.#resetCode = options.resetCode
    this.#wheel = options.wheel
    this.#socket[linkKey] = this
    socket.on('error', onError)
    socket.on('close', onClose)
  }

  get tls(): undefined {
    return undefined
  }

  get remoteAddress(): string {
    return this.#unixRemote ?? shownAddress(this.#socket.remoteAddress)
  }

  get remotePort(): number {
    return this.#socket.remotePort ?? 0
  }

  get bytesRead(): number {
    return this.#bytesRead
  }

  get bytesWritten(): number {
    return this.#bytesWritten
  }

  get pending(): number {
    return this.#closed ? 0 : this.#socket.writableLength
  }

  get closed(): boolean {
    return this.#closed || this.#linger !== undefined
  }

  open(receiver: Receiver): void {
    const first = this.#receiver === undefined
    this.#receiver = receiver
    if (!first) return
    const socket = this.#socket
    if (socket.closed) {
      queueMicrotask(() => this.#receiver?.closed(this, this.#error))
      return
    }
    socket.on('data', onData)
    socket.on('end', onEnd)
    socket.on('drain', onDrain)
    if (!this.#paused) socket.resume()
  }

  pause(): void {
    this.#paused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#paused = false
    if (this.#receiver !== undefined && !this.#closed) this.#socket.resume()
  }

  send(bytes: Uint8Array): boolean {
    if (this.#closed || this.#linger !== undefined || !this.#socket.writable) return true
    this.#bytesWritten += bytes.length
    return this.#socket.write(bytes)
  }

  forward(bytes: Uint8Array): boolean {
    return this.send(Buffer.from(bytes))
  }

  sendText(text: string, body?: Uint8Array): boolean {
    return this.send(gathered(text, body))
  }

  end(): void {
    if (!this.#closed) this.#socket.end()
  }

  close(): void {
    if (this.#closed || this.#linger !== undefined) return
    const socket = this.#socket
    if (socket.writableLength === 0) {
      this.#closed = true
      socket.destroySoon()
      return
    }
    this.#linger = this.#wheel.start(lingerMs, this)
    // What still comes is dropped unseen: bytes left unread would turn the close into a reset.
    socket.resume()
    socket.destroySoon()
  }

  reset(): void {
    const socket = this.#socket
    if (socket.destroyed) return
    this.#closed = true
    // A Unix socket knows no reset. The system refuses one while a shutdown is on its way, and Node would then never tell that the
    // socket is closed.
    if (this.#unixRemote !== undefined || (socket.writableEnded && !socket.writableFinished)) socket.destroy()
    else socket.resetAndDestroy()
  }

  /** For the wheel: what is still unsent after the lingering time is given up. */
  expired(): void {
    this.#closed = true
    this.#socket.destroy()
  }

  /** Gives the socket up to whoever goes on with it; this link is dead without a further call. The socket is paused. */
  take(): Socket {
    const socket = this.#socket
    socket.pause()
    this.#closed = true
    delete socket[linkKey]
    socket.off('data', onData).off('end', onEnd).off('drain', onDrain).off('error', onError).off('close', onClose)
    return socket
  }

  /** For the socket's listeners only, as the next four. */
  arrived(bytes: Uint8Array): void {
    if (this.#closed || this.#linger !== undefined) return
    this.#bytesRead += bytes.length
    this.#receiver?.bytes(this, bytes)
  }

  peerEnded(): void {
    if (!this.#closed && this.#linger === undefined) this.#receiver?.ended(this)
  }

  emptied(): void {
    if (!this.#closed && this.#linger === undefined) this.#receiver?.drained(this)
  }

  failed(error: Error): void {
    if (!this.#closed) this.#error = new GatewayError(this.#resetCode, error.message, error)
  }

  gone(): void {
    this.#closed = true
    this.#linger?.cancel()
    this.#receiver?.closed(this, this.#error)
  }
}

function onData(this: LinkedSocket, bytes: Uint8Array): void {
  this[linkKey]?.arrived(bytes)
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
