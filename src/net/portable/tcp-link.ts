/**
 * A TCP link over one of Node's own handles: no socket object, no stream, no listeners in between, and bytes borrowed
 * from `borrowed.ts`. It opens nothing: `tcp-listener.ts` and `tcp-dial.ts` hand it a connected handle.
 */
import { getSystemErrorName } from 'node:util'
import type { Timer, TimerWheel } from '../../base/timers.ts'
import { type Code, GatewayError } from '../../errors.ts'
import { shownAddress } from '../address.ts'
import type { Link, Receiver } from '../link.ts'
import {
  busyBytes,
  intoOutbox,
  keepOutbox,
  releaseSlab,
  type Slab,
  shared,
  sharedStart,
  slabBytes,
  takeSlab,
} from './borrowed.ts'
import {
  type AddressInto,
  endOfStream,
  type Handles,
  type ShutdownRequest,
  type TcpHandle,
  type WriteRequest,
} from './handles.ts'
import { lingerMs } from './linger.ts'

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

/** What a closing link reads and drops, waiting for the peer's end; a peer that sends more is cut off. */
const maxDiscardedBytes = 1024 * 1024
/** More than this unsent: `send` answers false. */
const highWaterBytes = 128 * 1024
/** A first write of at most so many bytes leaves at once whatever Nagle says, so the option can wait for the second. */
const oneSegmentBytes = 512

// Bits of `#flags`: a session has two links, and each field of each counts.
const opened = 1
const reading = 2
const paused = 4
const peerEnded = 8
const ending = 16
const finished = 32
const owesDrained = 64
const closing = 128
const gone = 256
const hasWritten = 512
const noDelay = 1024

/** The slab whose bytes are in the hands of a receiver just now. */
let lent: Slab | undefined

export class TcpLink implements Link {
  readonly carrier = 'stream'
  readonly #common: TcpShared
  readonly #handle: TcpHandle
  #receiver: Receiver | undefined
  #slab: Slab | undefined
  #flags: number
  #bytesRead: number
  #bytesWritten: number
  #pending: number
  #remote: AddressInto | undefined
  #local: AddressInto | undefined
  #error: GatewayError | undefined
  #linger: Linger | undefined

  /** `remote` and `local` where they are known; else they are asked for, once, while the link lives. */
  constructor(common: TcpShared, handle: TcpHandle, remote: AddressInto | undefined, local: AddressInto | undefined) {
    this.#common = common
    this.#handle = handle
    this.#receiver = undefined
    this.#slab = undefined
    this.#flags = 0
    this.#bytesRead = 0
    this.#bytesWritten = 0
    this.#pending = 0
    this.#remote = remote
    this.#local = local
    this.#error = undefined
    this.#linger = undefined
    handle.holder = this
  }

  get tls(): undefined {
    return undefined
  }

  get remoteAddress(): string {
    return shownAddress(this.#peer().address)
  }

  get remotePort(): number {
    return this.#peer().port ?? 0
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
    return this.#bytesWritten
  }

  get pending(): number {
    return this.#pending
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
    const handle = this.#handle
    handle.onread = TcpLink.#onRead
    handle.useUserBuffer(shared)
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
    if (!this.#writable(bytes.length)) return true
    const written = this.#handle.writeBuffer(null, bytes)
    return written === 0 || this.#goesOn(written, bytes, bytes.length)
  }

  forward(bytes: Uint8Array): boolean {
    if (!this.#writable(bytes.length)) return true
    const slab = lent
    if (slab !== undefined && slab.bytes.buffer === bytes.buffer) {
      const written = this.#handle.writeBuffer(null, bytes)
      if (written === 0) return true
      if (typeof written === 'object') slab.writes += 1
      return this.#goesOn(written, slab, bytes.length)
    }
    if (this.#pending > 0) {
      const copy = Buffer.from(bytes)
      return this.#goesOn(this.#handle.writeBuffer(null, copy), copy, copy.length)
    }
    const copy = intoOutbox(bytes)
    const written = this.#handle.writeBuffer(null, copy)
    if (written === 0) return true
    if (typeof written === 'object') keepOutbox()
    return this.#goesOn(written, copy, copy.length)
  }

  end(): void {
    const flags = this.#flags
    if ((flags & (ending | gone)) !== 0) return
    this.#flags = flags | ending
    // The peer has ended and nothing is under way: to close says the same as a shutdown would, in one call less.
    if ((flags & peerEnded) !== 0 && this.#pending === 0) this.#destroy()
    else this.#shutdown()
  }

  close(): void {
    const flags = this.#flags
    if ((flags & (closing | gone)) !== 0) return
    // Bytes that nobody read would make a reset of this close, which throws away what the peer has not read yet.
    const mayLeaveUnread = (flags & (reading | peerEnded)) === 0 && (flags & hasWritten) !== 0
    if (this.#pending === 0 && !mayLeaveUnread) {
      this.#destroy()
      return
    }
    this.#flags = flags | closing
    this.#linger = { timer: this.#common.wheel.start(lingerMs, this), discarded: 0 }
    if ((flags & opened) === 0) this.open(nobody)
    this.resume()
    if ((this.#flags & (ending | gone)) === 0) {
      this.#flags |= ending
      this.#shutdown()
    }
  }

  reset(): void {
    if ((this.#flags & gone) !== 0) return
    this.#leave()
    if (this.#handle.reset(TcpLink.#onClosed) !== 0) this.#handle.close(TcpLink.#onClosed)
  }

  /** For the wheel: what is still unsent after the lingering time is given up. */
  expired(): void {
    if (this.#pending > 0) this.reset()
    else this.#destroy()
  }

  /** Gives the handle up to whoever goes on with it; this link is dead without a further call. */
  take(): TcpHandle {
    this.pause()
    this.#leave()
    this.#handle.holder = undefined
    return this.#handle
  }

  #peer(): AddressInto {
    if (this.#remote === undefined) {
      const address: AddressInto = {}
      if ((this.#flags & gone) !== 0 || this.#handle.getpeername(address) !== 0) return address
      this.#remote = address
    }
    return this.#remote
  }

  #self(): AddressInto {
    if (this.#local === undefined) {
      const address: AddressInto = {}
      if ((this.#flags & gone) !== 0 || this.#handle.getsockname(address) !== 0) return address
      this.#local = address
    }
    return this.#local
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
    if (size === endOfStream) link.#ended()
    else if (size < 0) link.#fail(size, 'read')
    return undefined
  }

  #arrived(size: number): Uint8Array | undefined {
    const flags = this.#flags
    if ((flags & (closing | gone)) !== 0) {
      const linger = this.#linger
      if (linger === undefined) return undefined
      linger.discarded += size
      if (linger.discarded > maxDiscardedBytes) this.#destroy()
      return undefined
    }
    this.#bytesRead += size
    const receiver = this.#receiver as Receiver
    const slab = this.#slab
    if (slab === undefined) {
      receiver.bytes(this, sharedStart(size))
      return size >= busyBytes && (this.#flags & gone) === 0 ? this.#growBusy() : undefined
    }
    lent = slab
    receiver.bytes(this, size === slabBytes ? slab.bytes : slab.bytes.subarray(0, size))
    lent = undefined
    if (this.#slab === slab && slab.writes === 0 && size >= busyBytes) return undefined
    giveBack(slab)
    if (this.#slab === undefined) return undefined
    this.#slab = undefined
    return size < busyBytes ? shared : (this.#growBusy() ?? shared)
  }

  #growBusy(): Uint8Array | undefined {
    this.#slab = takeSlab()
    return this.#slab?.bytes
  }

  #ended(): void {
    this.#flags = (this.#flags | peerEnded) & ~reading
    if ((this.#flags & gone) !== 0) return
    if ((this.#flags & closing) === 0) this.#receiver?.ended(this)
    if ((this.#flags & (finished | gone)) === finished) this.#destroy()
  }

  #writable(size: number): boolean {
    const flags = this.#flags
    if ((flags & (ending | gone)) !== 0) return false
    this.#bytesWritten += size
    if ((flags & noDelay) !== 0) return true
    if ((flags & hasWritten) === 0 && size <= oneSegmentBytes) {
      this.#flags = flags | hasWritten
      return true
    }
    this.#flags = flags | hasWritten | noDelay
    this.#handle.setNoDelay(true)
    return true
  }

  /** A write that was not done at once: it failed, or `memory` has to wait with it. */
  #goesOn(written: number | WriteRequest, memory: unknown, size: number): boolean {
    if (typeof written === 'number') {
      if (written === 0) return true
      this.#fail(written, 'write')
      return false
    }
    written.link = this
    written.memory = memory
    written.size = size
    written.oncomplete = TcpLink.#onWritten
    this.#pending += size
    const { handles } = this.#common
    const error = handles.state[handles.writeError] as number
    const status = error !== 0 ? error : written.writeStatus
    if (status !== null) {
      written.writeStatus = null
      written.oncomplete(status)
    }
    if (this.#pending <= highWaterBytes) return true
    this.#flags |= owesDrained
    return false
  }

  static readonly #onWritten = function (this: WriteRequest, status: number): void {
    const link = this.link as TcpLink
    const slab = this.memory as Slab
    this.memory = undefined
    if (slab.writes !== undefined) {
      slab.writes -= 1
      releaseSlab(slab)
    }
    link.#written(this.size, status)
  }

  #written(size: number, status: number): void {
    this.#pending -= size
    if ((this.#flags & gone) !== 0) return
    if (status < 0) {
      this.#fail(status, 'write')
      return
    }
    if (this.#pending > 0 || (this.#flags & (owesDrained | closing)) !== owesDrained) return
    this.#flags &= ~owesDrained
    this.#receiver?.drained(this)
  }

  #shutdown(): void {
    const request = new this.#common.handles.ShutdownRequest()
    request.link = this
    request.oncomplete = TcpLink.#onShutdown
    const result = this.#handle.shutdown(request)
    if (result === 1) this.#shut()
    else if (result < 0) this.#fail(result, 'shutdown')
  }

  static readonly #onShutdown = function (this: ShutdownRequest, status: number): void {
    const link = this.link as TcpLink
    if ((link.#flags & gone) !== 0) return
    if (status < 0) link.#fail(status, 'shutdown')
    else link.#shut()
  }

  #shut(): void {
    this.#flags |= finished
    if ((this.#flags & peerEnded) !== 0) this.#destroy()
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
    this.#linger?.timer.cancel()
    const slab = this.#slab
    this.#slab = undefined
    // A slab that is lent is given back when the receiver returns: it may still forward out of it.
    if (slab !== undefined && slab !== lent) giveBack(slab)
  }

  static readonly #onClosed = function (this: TcpHandle): void {
    const link = this.holder as TcpLink
    this.holder = undefined
    if ((link.#flags & opened) !== 0) link.#receiver?.closed(link, link.#error)
  }
}

function giveBack(slab: Slab): void {
  slab.read = false
  releaseSlab(slab)
}

/** Receives what is dropped while a link closes that nobody had opened. */
const nobody: Receiver = {
  bytes() {},
  ended() {},
  drained() {},
  closed() {},
}
