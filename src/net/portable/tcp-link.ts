/**
 * A TCP link over one of Node's own handles: no socket object, no stream, no listeners in between, and bytes borrowed
 * from `borrowed.ts`. It opens nothing: `tcp-listener.ts` and `tcp-dial.ts` hand it a connected handle.
 */
import { getSystemErrorName } from 'node:util'
import type { Timer, TimerWheel } from '../../base/timers.ts'
import { type Code, GatewayError } from '../../errors.ts'
import { shownAddress } from '../address.ts'
import type { Link, Receiver } from '../link.ts'
import { busyBytes, isLent, lend, readDone, type Slab, shared, sharedStart, slabBytes, takeSlab } from './borrowed.ts'
import { type AddressInto, endOfStream, type Handles, type TcpHandle } from './handles.ts'
import { lingerMs, maxDiscardedBytes } from './linger.ts'
import { type SenderOwner, TcpSender } from './tcp-sender.ts'

/** What all links of a wire have in common, so that each need not hold it itself. */
export interface TcpShared {
  readonly handles: Handles
  readonly wheel: TimerWheel
  /** What an end out of order is called: whose side this is, the link does not know. */
  readonly resetCode: Code
}

interface Linger {
  readonly timer: Timer
  discarded: number
}

// Bits of `#flags`: a session has two links, and each field of each counts.
const opened = 1
const reading = 2
const paused = 4
const peerEnded = 8
const endSent = 16
const closing = 32
const gone = 64

export class TcpLink implements Link, SenderOwner {
  readonly carrier = 'stream'
  readonly #common: TcpShared
  readonly #handle: TcpHandle
  readonly #sender: TcpSender
  readonly #remote: AddressInto
  #local: AddressInto | undefined
  #receiver: Receiver | undefined
  #slab: Slab | undefined
  #flags: number
  #bytesRead: number
  #error: GatewayError | undefined
  #linger: Linger | undefined

  /** `local`: where it is known; else it is asked for once, while the link lives. */
  constructor(common: TcpShared, handle: TcpHandle, remote: AddressInto, local: AddressInto | undefined) {
    this.#common = common
    this.#handle = handle
    this.#sender = new TcpSender(common.handles, handle, this)
    this.#remote = remote
    this.#local = local
    this.#receiver = undefined
    this.#slab = undefined
    this.#flags = 0
    this.#bytesRead = 0
    this.#error = undefined
    this.#linger = undefined
    handle.holder = this
  }

  get tls(): undefined {
    return undefined
  }

  get remoteAddress(): string {
    return shownAddress(this.#remote.address)
  }

  get remotePort(): number {
    return this.#remote.port ?? 0
  }

  get localAddress(): string {
    return shownAddress(this.#self().address)
  }

  get localPort(): number {
    return this.#self().port ?? 0
  }

  get bytesRead(): number {
    return this.#bytesRead
  }

  get bytesWritten(): number {
    return this.#sender.accepted
  }

  get pending(): number {
    return this.#sender.pending
  }

  get closed(): boolean {
    return (this.#flags & (closing | gone)) !== 0
  }

  open(receiver: Receiver): void {
    const flags = this.#flags
    this.#receiver = receiver
    if ((flags & opened) !== 0) return
    this.#flags = flags | opened
    if ((flags & gone) !== 0) {
      queueMicrotask(() => this.#receiver?.closed(this, this.#error))
      return
    }
    this.#lendBuffer()
    if ((flags & paused) === 0) this.#startReading()
  }

  pause(): void {
    this.#flags |= paused
    if ((this.#flags & (reading | gone)) !== reading) return
    this.#flags &= ~reading
    this.#handle.readStop()
  }

  resume(): void {
    this.#flags &= ~paused
    this.#startReading()
  }

  send(bytes: Uint8Array): boolean {
    return this.#sender.send(bytes)
  }

  forward(bytes: Uint8Array): boolean {
    return this.#sender.forward(bytes)
  }

  sendText(text: string, body?: Uint8Array): boolean {
    return this.#sender.sendText(text, body)
  }

  end(): void {
    if ((this.#flags & gone) !== 0 || this.#sender.isEnding) return
    // The peer has ended and nothing is under way: to close says the same as a shutdown would, in one call less.
    if ((this.#flags & peerEnded) !== 0 && this.#sender.pending === 0) this.#destroy()
    else this.#sender.end()
  }

  close(): void {
    const flags = this.#flags
    if ((flags & (closing | gone)) !== 0) return
    // Bytes that nobody read would make a reset of this close, which throws away what the peer has not read yet.
    const mayLeaveUnread = (flags & (reading | peerEnded)) === 0 && this.#sender.accepted > 0
    if (this.#sender.pending === 0 && !mayLeaveUnread) {
      this.#destroy()
      return
    }
    this.#flags = flags | closing
    this.#linger = { timer: this.#common.wheel.start(lingerMs, this), discarded: 0 }
    if ((flags & opened) === 0) this.open(nobody)
    this.resume()
    this.#sender.end()
    // Its end was sent before: there is nothing left but to wait for the peer's, unless that came too.
    if ((this.#flags & (endSent | peerEnded | gone)) === (endSent | peerEnded)) this.#destroy()
  }

  reset(): void {
    if ((this.#flags & gone) !== 0) return
    this.#leave()
    // The system refuses a reset while a shutdown is on its way.
    if (this.#handle.reset(TcpLink.#onClosed) !== 0) this.#handle.close(TcpLink.#onClosed)
  }

  /** For the wheel: what is still unsent after the lingering time is given up. */
  expired(): void {
    if (this.#sender.pending > 0) this.reset()
    else this.#destroy()
  }

  /** Gives the handle up to whoever goes on with it; this link is dead without a further call. */
  take(): TcpHandle {
    this.pause()
    this.#leave()
    this.#handle.holder = undefined
    return this.#handle
  }

  /** For the sender, as the next two. */
  emptied(): void {
    if ((this.#flags & (closing | gone)) === 0) this.#receiver?.drained(this)
  }

  ended(): void {
    this.#flags |= endSent
    if ((this.#flags & peerEnded) !== 0) this.#destroy()
  }

  sendingFailed(errno: number, doing: string): void {
    this.#fail(errno, doing)
  }

  #self(): AddressInto {
    if (this.#local === undefined) {
      const address: AddressInto = {}
      if ((this.#flags & gone) !== 0 || this.#handle.getsockname(address) !== 0) return address
      this.#local = address
    }
    return this.#local
  }

  #lendBuffer(): void {
    this.#handle.onread = TcpLink.#onRead
    this.#handle.useUserBuffer(shared)
  }

  #startReading(): void {
    if ((this.#flags & (opened | reading | paused | peerEnded | gone)) !== opened) return
    this.#flags |= reading
    const error = this.#handle.readStart()
    if (error < 0) this.#fail(error, 'read')
  }

  static readonly #onRead = function (this: TcpHandle): Uint8Array | undefined {
    const link = this.holder as TcpLink | undefined
    if (link === undefined) return undefined
    const { handles } = link.#common
    const size = handles.state[handles.readSize] as number
    if (size > 0) return link.#arrived(size)
    if (size === endOfStream) link.#endArrived()
    else if (size < 0) link.#fail(size, 'read')
    return undefined
  }

  /** Hands the bytes on; returns where the next ones go, if that is elsewhere. */
  #arrived(size: number): Uint8Array | undefined {
    if ((this.#flags & (closing | gone)) !== 0) {
      this.#discard(size)
      return undefined
    }
    this.#bytesRead += size
    const receiver = this.#receiver as Receiver
    const slab = this.#slab
    if (slab === undefined) {
      receiver.bytes(this, sharedStart(size))
      return size >= busyBytes && (this.#flags & gone) === 0 ? this.#growBusy() : undefined
    }
    lend(slab)
    receiver.bytes(this, size === slabBytes ? slab.bytes : slab.bytes.subarray(0, size))
    lend(undefined)
    if (this.#slab === slab && slab.writes === 0 && size >= busyBytes) return undefined
    readDone(slab)
    if (this.#slab === undefined) return undefined
    this.#slab = undefined
    return size < busyBytes ? shared : (this.#growBusy() ?? shared)
  }

  #growBusy(): Uint8Array | undefined {
    this.#slab = takeSlab()
    return this.#slab?.bytes
  }

  #discard(size: number): void {
    const linger = this.#linger
    if (linger === undefined) return
    linger.discarded += size
    if (linger.discarded > maxDiscardedBytes) this.#destroy()
  }

  #endArrived(): void {
    this.#flags = (this.#flags | peerEnded) & ~reading
    if ((this.#flags & gone) !== 0) return
    if ((this.#flags & closing) === 0) this.#receiver?.ended(this)
    if ((this.#flags & (endSent | gone)) === endSent) this.#destroy()
  }

  #fail(errno: number, doing: string): void {
    if ((this.#flags & gone) !== 0) return
    const wasClosing = (this.#flags & closing) !== 0
    if (!wasClosing) this.#error = new GatewayError(this.#common.resetCode, `${doing} ${getSystemErrorName(errno)}`)
    this.#destroy()
  }

  #destroy(): void {
    if ((this.#flags & gone) !== 0) return
    this.#leave()
    this.#handle.close(TcpLink.#onClosed)
  }

  #leave(): void {
    this.#flags |= gone
    this.#sender.stop()
    this.#linger?.timer.cancel()
    const slab = this.#slab
    this.#slab = undefined
    // A slab that is lent is given back when the receiver returns: it may still forward out of it.
    if (slab !== undefined && !isLent(slab)) readDone(slab)
  }

  static readonly #onClosed = function (this: TcpHandle): void {
    const link = this.holder as TcpLink
    this.holder = undefined
    if ((link.#flags & opened) !== 0) link.#receiver?.closed(link, link.#error)
  }
}

/** Receives what is dropped while a link closes that nobody had opened. */
const nobody: Receiver = {
  bytes() {},
  ended() {},
  drained() {},
  closed() {},
}
