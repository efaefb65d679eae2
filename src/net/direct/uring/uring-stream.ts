/**
 * A connected socket on the ring: its two halves, and an end that waits for whatever is still under way. The descriptor is
 * closed in order with the operations before it; the slot is given up when the last of them has completed.
 */
import type { Stream, StreamOwner } from '../engine.ts'
import { setReset, shutSending } from '../ffi/sockets.ts'
import { disown } from '../ffi/thread.ts'
import type { UringContext } from './context.ts'
import {
  cancelKind,
  closeKind,
  hasMore,
  pushCancel,
  pushClose,
  receiveKind,
  receiveLargeKind,
  sendKind,
  tag,
  writableKind,
} from './operations.ts'
import { Reader, type ReaderOwner } from './reader.ts'
import { Sender, type SenderOwner } from './sender.ts'
import type { Operator } from './slots.ts'

// Bits of `#flags`.
const shutWanted = 1
const closing = 2
const broken = 4
const polling = 8
const released = 16

export class UringStream implements Stream, Operator, ReaderOwner, SenderOwner {
  readonly fd: number
  readonly key: number
  readonly #context: UringContext
  readonly #owner: StreamOwner
  readonly #reader: Reader
  readonly #sender: Sender
  #flags: number
  /** Operations under way. */
  #outstanding: number

  constructor(context: UringContext, fd: number, owner: StreamOwner) {
    this.fd = fd
    this.key = context.slots.take(this)
    this.#context = context
    this.#owner = owner
    this.#reader = new Reader(context, this)
    this.#sender = new Sender(context, this)
    this.#flags = 0
    this.#outstanding = 0
    context.turns.hold()
  }

  get pending(): number {
    return this.#sender.pending
  }

  startReading(): void {
    if ((this.#flags & (closing | broken)) === 0) this.#reader.start()
  }

  stopReading(): void {
    if ((this.#flags & (closing | broken)) === 0) this.#reader.pause()
  }

  send(bytes: Uint8Array): void {
    this.#sender.send(bytes)
  }

  forward(bytes: Uint8Array): void {
    this.#sender.forward(bytes)
  }

  sendText(text: string, body: Uint8Array | undefined): void {
    this.#sender.sendText(text, body)
  }

  /** Nothing is put off here that the end of the turn does not send. */
  flush(): void {}

  shut(): void {
    if ((this.#flags & (shutWanted | closing | broken)) !== 0) return
    this.#flags |= shutWanted
    if (this.#sender.pending === 0) this.#shutNow()
  }

  close(): void {
    if ((this.#flags & closing) !== 0) return
    this.#flags |= closing
    this.#halt()
    disown(this.fd)
    pushClose(this.#context.ring, this.fd, tag(closeKind, 0), this.key)
    this.begun()
  }

  reset(): void {
    if ((this.#flags & closing) === 0) setReset(this.fd)
    this.close()
  }

  release(): { readonly fd: number; readonly early: Uint8Array | undefined } {
    this.#flags |= closing | released
    this.#reader.pause()
    this.#reader.cancel()
    if ((this.#flags & polling) !== 0) this.#cancelPoll()
    this.#context.await(this.key, () => this.#outstanding === 0 && !this.#sender.isLeaving)
    const early = this.#reader.takeHeld()
    this.#reader.stop()
    this.#sender.stop()
    this.#leave()
    disown(this.fd)
    return { fd: this.fd, early }
  }

  /** For the context. */
  completed(kind: number, result: number, flags: number): void {
    if (kind === sendKind) {
      this.#sender.fall(result)
      return
    }
    if ((flags & hasMore) === 0) this.#outstanding -= 1
    switch (kind) {
      case receiveKind:
      case receiveLargeKind:
        this.#reader.receiveCompleted(kind, result, flags)
        break
      case writableKind:
        this.#flags &= ~polling
        this.#sender.pollCompleted()
        break
    }
    if (this.#outstanding === 0 && (this.#flags & (closing | released)) === closing) {
      this.#leave()
      this.#owner.gone()
    }
  }

  /** For the halves, as those that follow. */
  begun(): void {
    this.#outstanding += 1
    this.#context.turns.kick()
  }

  get awaitsEmptied(): boolean {
    return (this.#flags & shutWanted) !== 0 || this.#owner.awaitsEmptied
  }

  polls(): void {
    this.#flags |= polling
    this.begun()
  }

  arrived(bytes: Uint8Array): void {
    this.#owner.arrived(bytes)
  }

  peerEnded(): void {
    this.#owner.peerEnded()
  }

  emptied(): void {
    if ((this.#flags & (closing | broken)) !== 0) return
    const owesEnd = (this.#flags & shutWanted) !== 0
    this.#owner.emptied()
    if (owesEnd && (this.#flags & (closing | broken)) === 0) this.#shutNow()
  }

  readingFailed(errno: number): void {
    this.#fail(errno, 'read')
  }

  sendingFailed(errno: number): void {
    this.#fail(errno, 'write')
  }

  /** By a call of its own: as an operation it goes to another thread, which looks the descriptor up when it may be another's. */
  #shutNow(): void {
    const result = shutSending(this.fd)
    if (result < 0) this.#fail(-result, 'shutdown')
    else this.#owner.endSent()
  }

  #fail(errno: number, doing: string): void {
    if ((this.#flags & (closing | broken)) !== 0) return
    this.#flags |= broken
    this.#halt()
    this.#owner.failed(errno, doing)
  }

  #halt(): void {
    this.#reader.stop()
    this.#sender.stop()
    if ((this.#flags & polling) !== 0) this.#cancelPoll()
  }

  #cancelPoll(): void {
    this.#flags &= ~polling
    pushCancel(this.#context.ring, tag(writableKind, 0), this.key, tag(cancelKind, 0), 0)
    this.#context.turns.kick()
  }

  #leave(): void {
    this.#context.slots.free(this.key)
    this.#context.turns.release()
  }
}
