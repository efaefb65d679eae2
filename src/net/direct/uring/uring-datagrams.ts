/**
 * A connected socket of datagrams on the ring: a receive that goes on by itself, and a send for each datagram, which are all
 * handed over with the turn. It queues nothing: what the socket does not take at once is dropped.
 */
import type { DatagramOwner, Datagrams } from '../engine.ts'
import { sendDatagram } from '../ffi/single-datagram.ts'
import { disown } from '../ffi/thread.ts'
import type { Settler, UringContext } from './context.ts'
import {
  bufferOf,
  cancelKind,
  closeKind,
  hasBuffer,
  hasMore,
  pushCancel,
  pushClose,
  pushReceiveMany,
  pushSend,
  receiveDatagramKind,
  sendDatagramKind,
  tag,
} from './operations.ts'
import type { Operator } from './slots.ts'

const ECANCELED = -125
const ENOBUFS = -105
const EAGAIN = -11
const EINTR = -4
const nothing = new Uint8Array(0)

export class UringDatagrams implements Datagrams, Operator, Settler {
  readonly #context: UringContext
  readonly #fd: number
  readonly #owner: DatagramOwner
  readonly #key: number
  #reads: boolean
  #closed: boolean
  /** Operations under way, sends apart. */
  #outstanding: number

  constructor(context: UringContext, fd: number, owner: DatagramOwner) {
    this.#context = context
    this.#fd = fd
    this.#owner = owner
    this.#key = context.slots.take(this)
    this.#reads = false
    this.#closed = false
    this.#outstanding = 0
    context.turns.hold()
  }

  startReading(): void {
    if (this.#reads || this.#closed) return
    this.#reads = true
    this.#receive()
  }

  send(bytes: Uint8Array): void {
    const size = bytes.length
    const { outbox, ring, turns } = this.#context
    if (this.#closed) return
    if (size === 0 || size > outbox.room) {
      this.#sendAlone(bytes)
      return
    }
    const place = outbox.at
    outbox.put(bytes, 0, size)
    pushSend(ring, this.#fd, place, size, tag(sendDatagramKind, 0), this.#key)
    turns.kick()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    const { ring, turns } = this.#context
    if (this.#outstanding > 0) pushCancel(ring, tag(receiveDatagramKind, 0), this.#key, tag(cancelKind, 0), 0)
    disown(this.#fd)
    pushClose(ring, this.#fd, tag(closeKind, 0), this.#key)
    this.#outstanding += 1
    turns.kick()
  }

  completed(kind: number, result: number, flags: number): void {
    if (kind === sendDatagramKind) {
      this.#failed(result, 'send')
      return
    }
    if ((flags & hasMore) === 0) this.#outstanding -= 1
    if ((flags & hasBuffer) !== 0) this.#filled(bufferOf(flags), result)
    else if (result === 0 && kind === receiveDatagramKind && !this.#closed) this.#owner.arrived(nothing)
    if (this.#closed) {
      if (this.#outstanding > 0) return
      this.#context.slots.free(this.#key)
      this.#context.turns.release()
    } else if (result === ENOBUFS) this.#context.whenBuffered(this, kind)
    else {
      this.#failed(result, 'recv')
      if ((flags & hasMore) === 0 && !this.#closed) this.#receive()
    }
  }

  /** For the context: there are buffers again. */
  settle(): void {
    if (!this.#closed) this.#receive()
  }

  #receive(): void {
    const { ring, lent, turns } = this.#context
    pushReceiveMany(ring, this.#fd, lent.datagrams.group, tag(receiveDatagramKind, 0), this.#key)
    this.#outstanding += 1
    turns.kick()
  }

  #filled(buffer: number, size: number): void {
    const { lent } = this.#context
    lent.datagrams.taken(buffer)
    if (size < 0 || this.#closed) lent.datagrams.release(buffer)
    else lent.show(lent.datagrams, buffer, size, this.#owner)
  }

  /** By a call of its own: an empty one, since a send of nothing has no place, or more than the turn has room for. */
  #sendAlone(bytes: Uint8Array): void {
    const result = sendDatagram(this.#fd, bytes)
    if (result < 0) this.#context.later({ run: () => this.#failed(result, 'send') })
  }

  #failed(result: number, doing: string): void {
    if (result >= 0 || this.#closed || result === EAGAIN || result === EINTR || result === ECANCELED) return
    this.#owner.failed(-result, doing)
  }
}
