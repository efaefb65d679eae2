/**
 * A TCP link over a stream of an engine: what a link promises about opening, ends and closes. The engine moves the bytes;
 * `direct-listener.ts` and `direct-dial.ts` hand it a connected descriptor.
 */

import net from 'node:net'
import { getSystemErrorName } from 'node:util'
import type { Timer, TimerWheel } from '../../base/timers.ts'
import { type Code, GatewayError } from '../../errors.ts'
import type { Link, Receiver } from '../link.ts'
import { lingerMs, maxDiscardedBytes } from '../portable/linger.ts'
import type { Engine, SocketName, Stream, StreamOwner } from './engine.ts'
import { nowhere } from './ffi/socket-address.ts'
import { closeSocket, localName, remoteName, setNoDelay } from './ffi/sockets.ts'
import type { LateProbes } from './late-probes.ts'

/** What all links of one side of a wire have in common. */
export interface LinkSide {
  readonly engine: Engine
  readonly wheel: TimerWheel
  /** For connections that do not have it from their port. */
  readonly probes: LateProbes
  /** What an end out of order is called: whose side this is, the link does not know. */
  readonly resetCode: Code
}

interface Linger {
  readonly timer: Timer
  discarded: number
}

/** More than this unsent: a send answers false. */
const highWaterBytes = 128 * 1024
/** A first write of at most so many bytes leaves at once whatever Nagle says, so the option can wait for the second. */
const oneSegmentBytes = 512

// Bits of `#flags`.
const opened = 1
const paused = 2
const peerHasEnded = 4
const ending = 8
const endIsSent = 16
const closing = 32
const gone = 64
const told = 128
const hasWritten = 256
const noDelay = 512
const owesDrained = 1024
const reads = 2048
/** Out of the engine, and not yet a socket of Node's. */
const detached = 4096
/** It closes as soon as everything is sent. */
const closesEmptied = 8192

export class DirectLink implements Link, StreamOwner {
  readonly carrier = 'stream'
  readonly #side: LinkSide
  readonly #stream: Stream
  readonly #fd: number
  #remote: SocketName | undefined
  #local: SocketName | undefined
  #receiver: Receiver | undefined
  #flags: number
  #bytesRead: number
  #bytesWritten: number
  #error: GatewayError | undefined
  #linger: Linger | undefined

  /**
   * `remote` and `local` where they are known; else they are asked for while the link lives. `sendsAtOnce`: the descriptor has
   * TCP_NODELAY already.
   */
  constructor(
    side: LinkSide,
    fd: number,
    remote: SocketName | undefined,
    local: SocketName | undefined,
    sendsAtOnce: boolean,
  ) {
    this.#side = side
    this.#fd = fd
    this.#remote = remote
    this.#local = local
    this.#receiver = undefined
    this.#flags = sendsAtOnce ? noDelay : 0
    this.#bytesRead = 0
    this.#bytesWritten = 0
    this.#error = undefined
    this.#linger = undefined
    this.#stream = side.engine.stream(fd, this)
  }

  get tls(): undefined {
    return undefined
  }

  get remoteAddress(): string {
    return this.#peer().host
  }

  get remotePort(): number {
    return this.#peer().port
  }

  get localAddress(): string {
    return this.#self().host
  }

  get localPort(): number {
    return this.#self().port
  }

  get bytesRead(): number {
    return this.#bytesRead
  }

  get bytesWritten(): number {
    return this.#bytesWritten
  }

  get pending(): number {
    return this.#stream.pending
  }

  get closed(): boolean {
    return (this.#flags & (closing | gone)) !== 0
  }

  open(receiver: Receiver): void {
    const flags = this.#flags
    this.#receiver = receiver
    if ((flags & opened) !== 0) return
    this.#flags = flags | opened
    if ((flags & told) !== 0) queueMicrotask(() => this.#receiver?.closed(this, this.#error))
    else this.#startReading()
  }

  pause(): void {
    const flags = this.#flags
    this.#flags = (flags | paused) & ~reads
    if ((flags & reads) !== 0) this.#stream.stopReading()
  }

  resume(): void {
    this.#flags &= ~paused
    this.#startReading()
  }

  send(bytes: Uint8Array): boolean {
    if (!this.#accept(bytes.length)) return true
    this.#stream.send(bytes)
    return this.#stream.pending <= highWaterBytes || this.#isFull()
  }

  forward(bytes: Uint8Array): boolean {
    if (!this.#accept(bytes.length)) return true
    this.#stream.forward(bytes)
    return this.#stream.pending <= highWaterBytes || this.#isFull()
  }

  sendText(text: string, body?: Uint8Array): boolean {
    if (!this.#accept(text.length + (body === undefined ? 0 : body.length))) return true
    this.#stream.sendText(text, body)
    return this.#stream.pending <= highWaterBytes || this.#isFull()
  }

  end(): void {
    const flags = this.#flags
    if ((flags & (gone | ending)) !== 0) return
    if (this.#stream.pending > 0) this.#stream.flush()
    // The peer has ended and nothing is under way: to close says the same as a shutdown would, in one call less.
    if ((flags & peerHasEnded) !== 0 && this.#stream.pending === 0) this.#destroy()
    else this.#shut()
  }

  close(peerIsDone: boolean = false): void {
    const flags = this.#flags
    if ((flags & (closing | gone)) !== 0) return
    if (this.#stream.pending > 0) this.#stream.flush()
    // Bytes that nobody read would make a reset of this close, which throws away what the peer has not read yet.
    const mayLeaveUnread = (flags & (reads | peerHasEnded)) === 0 && this.#bytesWritten > 0
    if (this.#stream.pending === 0 && !mayLeaveUnread) {
      this.#destroy()
      return
    }
    this.#flags = flags | closing
    this.#linger = { timer: this.#side.wheel.start(lingerMs, this), discarded: 0 }
    if (peerIsDone && (flags & (reads | ending)) === reads) {
      this.#flags |= closesEmptied
      return
    }
    if ((flags & opened) === 0) this.open(nobody)
    this.resume()
    if ((flags & ending) === 0) this.#shut()
    // Its end was sent before: there is nothing left but to wait for the peer's, unless that came too.
    if ((this.#flags & (endIsSent | peerHasEnded | gone)) === (endIsSent | peerHasEnded)) this.#destroy()
  }

  reset(): void {
    if ((this.#flags & gone) !== 0) return
    this.#leave()
    this.#stream.reset()
  }

  /** For the wheel: what is still unsent after the lingering time is given up. */
  expired(): void {
    if (this.#stream.pending > 0) this.reset()
    else this.#destroy()
  }

  /**
   * Before `takeSocket`: takes the descriptor out of the engine; this link is dead without a further call. Returns bytes that
   * were read already and never delivered: whoever goes on has to be given them. Throws `internal` when it is closed.
   */
  detach(): Uint8Array | undefined {
    if ((this.#flags & gone) !== 0) throw new GatewayError('internal', 'this link is closed')
    this.#side.probes.settle(this.#fd)
    // Whoever goes on is told them by this link, which cannot ask any more.
    this.#peer()
    this.#self()
    this.#leave()
    this.#flags |= told | detached
    return this.#stream.release().early
  }

  /** For `take-socket.ts`. */
  takeSocket(): net.Socket {
    const early = (this.#flags & detached) === 0 ? this.detach() : undefined
    this.#flags &= ~detached
    const socket = socketOf(this.#fd)
    if (early !== undefined) socket.unshift(early)
    return socket
  }

  /** For the engine, as all that follows. */
  get awaitsEmptied(): boolean {
    return (this.#flags & (owesDrained | closesEmptied)) !== 0
  }

  arrived(bytes: Uint8Array): void {
    if ((this.#flags & (closing | gone)) !== 0) {
      this.#discard(bytes.length)
      return
    }
    this.#bytesRead += bytes.length
    this.#receiver?.bytes(this, bytes)
  }

  peerEnded(): void {
    this.#flags = (this.#flags | peerHasEnded) & ~reads
    if ((this.#flags & gone) !== 0) return
    if ((this.#flags & closing) === 0) this.#receiver?.ended(this)
    if ((this.#flags & (endIsSent | gone)) === endIsSent) this.#destroy()
  }

  emptied(): void {
    if ((this.#flags & closesEmptied) !== 0) return this.#destroy()
    if ((this.#flags & owesDrained) === 0) return
    this.#flags &= ~owesDrained
    if ((this.#flags & (closing | gone)) === 0) this.#receiver?.drained(this)
  }

  endSent(): void {
    this.#flags |= endIsSent
    if ((this.#flags & (peerHasEnded | gone)) === peerHasEnded) this.#destroy()
  }

  failed(errno: number, doing: string): void {
    if ((this.#flags & gone) !== 0) return
    if ((this.#flags & closing) === 0) {
      this.#error = new GatewayError(this.#side.resetCode, `${doing} ${getSystemErrorName(-errno)}`)
    }
    this.#destroy()
  }

  gone(): void {
    this.#flags |= told
    if ((this.#flags & opened) !== 0) this.#receiver?.closed(this, this.#error)
  }

  #peer(): SocketName {
    if (this.#remote === undefined) {
      if ((this.#flags & gone) !== 0) return nowhere
      this.#remote = remoteName(this.#fd)
    }
    return this.#remote
  }

  #self(): SocketName {
    if (this.#local === undefined) {
      if ((this.#flags & gone) !== 0) return nowhere
      this.#local = localName(this.#fd)
    }
    return this.#local
  }

  #startReading(): void {
    if ((this.#flags & (opened | paused | peerHasEnded | gone | reads)) !== opened) return
    this.#flags |= reads
    this.#stream.startReading()
  }

  #accept(size: number): boolean {
    const flags = this.#flags
    if ((flags & (ending | closing | gone)) !== 0) return false
    this.#bytesWritten += size
    if ((flags & noDelay) !== 0) return true
    if ((flags & hasWritten) === 0 && size <= oneSegmentBytes) {
      this.#flags = flags | hasWritten
      return true
    }
    this.#flags = flags | hasWritten | noDelay
    setNoDelay(this.#fd)
    return true
  }

  #isFull(): false {
    this.#flags |= owesDrained
    return false
  }

  #shut(): void {
    this.#flags |= ending
    this.#stream.shut()
  }

  #discard(size: number): void {
    const linger = this.#linger
    if (linger === undefined || (this.#flags & gone) !== 0) return
    linger.discarded += size
    if (linger.discarded > maxDiscardedBytes) this.#destroy()
  }

  #destroy(): void {
    if ((this.#flags & gone) !== 0) return
    this.#leave()
    this.#stream.close()
  }

  #leave(): void {
    this.#flags |= gone
    this.#side.probes.forget(this.#fd)
    this.#linger?.timer.cancel()
  }
}

/** A paused socket of Node's; the descriptor is closed if there can be none. */
function socketOf(fd: number): net.Socket {
  // `manualStart` and `pauseOnCreate` are what `node:net` itself starts sockets with that shall not read yet.
  const options = { fd, allowHalfOpen: true, readable: true, writable: true, manualStart: true, pauseOnCreate: true }
  try {
    return new net.Socket(options).setNoDelay(true)
  } catch (error) {
    closeSocket(fd)
    throw GatewayError.from(error)
  }
}

/** Receives what is dropped while a link closes that nobody had opened. */
const nobody: Receiver = {
  bytes() {},
  ended() {},
  drained() {},
  closed() {},
}
