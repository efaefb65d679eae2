/**
 * The sending half of a TCP link over one of Node's own handles: writes that may go on after they returned, what is still
 * pending, and the end. It reads nothing and closes nothing.
 */
import { gathered } from '../gathered.ts'
import { intoOutbox, keepOutbox, lentFrom, outboxBytes, type Slab, textIntoOutbox, writeDone } from './borrowed.ts'
import type { Handles, ShutdownRequest, TcpHandle, WriteRequest } from './handles.ts'

export interface SenderOwner {
  /** After a send answered false: nothing is pending any more. */
  emptied(): void
  /** The end has been sent, after all that was sent before. */
  ended(): void
  /** `errno` is negative, `doing` the system call. The sender takes nothing any more. */
  sendingFailed(errno: number, doing: string): void
}

/** More than this unsent: a send answers false. */
const highWaterBytes = 128 * 1024
/** A first write of at most so many bytes leaves at once whatever Nagle says, so the option can wait for the second. */
const oneSegmentBytes = 512

// Bits of `#flags`.
const hasWritten = 1
const noDelay = 2
const owesEmptied = 4
const ending = 8
const stopped = 16

export class TcpSender {
  readonly #handles: Handles
  readonly #handle: TcpHandle
  readonly #owner: SenderOwner
  #flags: number
  #pending: number
  #accepted: number

  constructor(handles: Handles, handle: TcpHandle, owner: SenderOwner) {
    this.#handles = handles
    this.#handle = handle
    this.#owner = owner
    this.#flags = 0
    this.#pending = 0
    this.#accepted = 0
  }

  /** Bytes that the kernel has not taken yet. */
  get pending(): number {
    return this.#pending
  }

  /** Bytes accepted so far. */
  get accepted(): number {
    return this.#accepted
  }

  get isEnding(): boolean {
    return (this.#flags & ending) !== 0
  }

  /** As `Link.send`. */
  send(bytes: Uint8Array): boolean {
    if (!this.#accept(bytes.length)) return true
    return this.#writeOwn(bytes)
  }

  /** As `Link.forward`. */
  forward(bytes: Uint8Array): boolean {
    if (!this.#accept(bytes.length)) return true
    const slab = lentFrom(bytes)
    if (slab !== undefined) {
      const written = this.#handle.writeBuffer(null, bytes)
      if (written === 0) return true
      if (typeof written === 'object') slab.writes += 1
      return this.#goesOn(written, slab, bytes.length)
    }
    return this.#pending > 0 ? this.#writeOwn(Buffer.from(bytes)) : this.#writeOutbox(intoOutbox(bytes))
  }

  /** As `Link.sendText`. */
  sendText(text: string, body: Uint8Array | undefined): boolean {
    const size = text.length + (body === undefined ? 0 : body.length)
    if (!this.#accept(size)) return true
    if (this.#pending > 0 || size > outboxBytes) return this.#writeOwn(gathered(text, body))
    return this.#writeOutbox(textIntoOutbox(text, body))
  }

  /** Nothing is accepted any more; after what was, the end is sent. Idempotent. */
  end(): void {
    if ((this.#flags & (ending | stopped)) !== 0) return
    this.#flags |= ending
    const request = new this.#handles.ShutdownRequest()
    request.link = this
    request.oncomplete = TcpSender.#onShutdown
    const result = this.#handle.shutdown(request)
    if (result === 1) this.#owner.ended()
    else if (result < 0) this.#fail(result, 'shutdown')
  }

  /** The handle is about to close: what goes on ends unheard. */
  stop(): void {
    this.#flags |= stopped
  }

  #writeOwn(bytes: Uint8Array): boolean {
    const written = this.#handle.writeBuffer(null, bytes)
    return written === 0 || this.#goesOn(written, bytes, bytes.length)
  }

  /** `bytes` are those that were last put into the outbox. */
  #writeOutbox(bytes: Uint8Array): boolean {
    const written = this.#handle.writeBuffer(null, bytes)
    if (written === 0) return true
    if (typeof written === 'object') keepOutbox()
    return this.#goesOn(written, bytes, bytes.length)
  }

  #accept(size: number): boolean {
    const flags = this.#flags
    if ((flags & (ending | stopped)) !== 0) return false
    this.#accepted += size
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
  #goesOn(written: number | WriteRequest, memory: Slab | Uint8Array, size: number): boolean {
    if (typeof written === 'number') {
      if (written === 0) return true
      this.#fail(written, 'write')
      return false
    }
    written.link = this
    written.memory = memory
    written.size = size
    written.oncomplete = TcpSender.#onWritten
    this.#pending += size
    const error = this.#handles.state[this.#handles.writeError] as number
    const status = error !== 0 ? error : written.writeStatus
    if (status !== null) {
      written.writeStatus = null
      written.oncomplete(status)
    }
    if (this.#pending <= highWaterBytes) return true
    this.#flags |= owesEmptied
    return false
  }

  static readonly #onWritten = function (this: WriteRequest, status: number): void {
    const { memory } = this
    this.memory = undefined
    if (!(memory instanceof Uint8Array)) writeDone(memory as Slab)
    const sender = this.link as TcpSender
    sender.#written(this.size, status)
  }

  #written(size: number, status: number): void {
    this.#pending -= size
    if ((this.#flags & stopped) !== 0) return
    if (status < 0) {
      this.#fail(status, 'write')
      return
    }
    if (this.#pending > 0 || (this.#flags & owesEmptied) === 0) return
    this.#flags &= ~owesEmptied
    this.#owner.emptied()
  }

  static readonly #onShutdown = function (this: ShutdownRequest, status: number): void {
    const sender = this.link as TcpSender
    if ((sender.#flags & stopped) !== 0) return
    if (status < 0) sender.#fail(status, 'shutdown')
    else sender.#owner.ended()
  }

  #fail(errno: number, doing: string): void {
    this.#flags |= stopped
    this.#owner.sendingFailed(errno, doing)
  }
}
