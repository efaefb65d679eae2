/**
 * A listening socket on the ring: a few accepts at a time. Connections that come while they are being stopped wait here for
 * `resume`; there are no more than that.
 */
import type { AcceptOwner, Acceptor } from '../engine.ts'
import { closeSocket } from '../ffi/sockets.ts'
import { disown, own } from '../ffi/thread.ts'
import type { Settler, UringContext } from './context.ts'
import { acceptKind, cancelKind, closeKind, pushAccept, pushCancelAll, pushClose, tag } from './operations.ts'
import type { Operator } from './slots.ts'

/**
 * Accepts under way, and so what a turn can bring. One accept that goes on by itself takes whatever is in the kernel's queue
 * at once: in a burst all descriptors that are left, and then sessions have none for their other side.
 */
const together = 16
const ECANCELED = -125
/** Those of the connection, not of the socket: it was gone before it was accepted. */
const passing: readonly number[] = [-4, -11, -71, -103]

export class UringAcceptor implements Acceptor, Operator, Settler {
  readonly #context: UringContext
  readonly #fd: number
  readonly #owner: AcceptOwner
  readonly #key: number
  #wanted: boolean
  /** Under way. */
  #armed: number
  #cancelled: boolean
  #closed: boolean
  #waiting: number[]
  #outstanding: number

  constructor(context: UringContext, fd: number, owner: AcceptOwner) {
    this.#context = context
    this.#fd = fd
    this.#owner = owner
    this.#key = context.slots.take(this)
    this.#wanted = false
    this.#armed = 0
    this.#cancelled = false
    this.#closed = false
    this.#waiting = []
    this.#outstanding = 0
    context.turns.hold()
  }

  pause(): void {
    this.#wanted = false
    this.#cancel()
  }

  resume(): void {
    if (this.#closed || this.#wanted) return
    this.#wanted = true
    this.#context.afterBatch(this)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#wanted = false
    this.#cancel()
    for (const fd of this.#waiting.splice(0)) closeSocket(fd)
    disown(this.#fd)
    pushClose(this.#context.ring, this.#fd, tag(closeKind, 0), this.#key)
    this.#outstanding += 1
    // The port is free when this returns, as with a close of one's own.
    this.#context.await(this.#key, () => this.#outstanding === 0)
    this.#context.slots.free(this.#key)
    this.#context.turns.release()
  }

  completed(kind: number, result: number): void {
    this.#outstanding -= 1
    if (kind !== acceptKind) return
    this.#armed -= 1
    if (this.#armed === 0) this.#cancelled = false
    if (result >= 0) this.#took(result)
    else if (this.#wanted && result !== ECANCELED && !passing.includes(result)) {
      this.#wanted = false
      this.#owner.acceptFailed(-result)
    }
    this.#arm()
  }

  /** For the context: accepting goes on. */
  settle(): void {
    while (this.#wanted && this.#waiting.length > 0) {
      this.#owner.accepted(this.#waiting.shift() as number, undefined)
    }
    this.#arm()
  }

  #took(fd: number): void {
    if (this.#closed) {
      closeSocket(fd)
      return
    }
    own(fd)
    if (this.#wanted) this.#owner.accepted(fd, undefined)
    else this.#waiting.push(fd)
  }

  #arm(): void {
    if (!this.#wanted || this.#cancelled || this.#armed === together) return
    const { ring, turns } = this.#context
    while (this.#armed < together) {
      this.#armed += 1
      this.#outstanding += 1
      pushAccept(ring, this.#fd, tag(acceptKind, 0), this.#key)
    }
    turns.kick()
  }

  #cancel(): void {
    if (this.#armed === 0 || this.#cancelled) return
    this.#cancelled = true
    pushCancelAll(this.#context.ring, tag(acceptKind, 0), this.#key, tag(cancelKind, 0), 0)
    this.#context.turns.kick()
  }
}
