/**
 * A listening socket on the ring: a few accepts under way at a time. Not one that goes on by itself: it would take all
 * that wait, thousands, before anybody could say that they are too many. Connections that come while it is being stopped wait
 * here for `resume`; they are as few.
 */
import type { AcceptOwner, Acceptor } from '../engine.ts'
import { disown, own } from '../ffi/thread.ts'
import type { Settler, UringContext } from './context.ts'
import { acceptKind, cancelKind, closeKind, pushAccept, pushCancelAll, pushClose, tag } from './operations.ts'
import type { Operator } from './slots.ts'

const ECANCELED = -125
/** Those of the connection, not of the socket: it was gone before it was accepted. */
const passing: readonly number[] = [-4, -11, -71, -103]
/** Under way at once at most: as many connections are taken in a turn. It begins with one, and doubles when all were used. */
export const maxAccepts = 32

export class UringAcceptor implements Acceptor, Operator, Settler {
  readonly #context: UringContext
  readonly #fd: number
  readonly #owner: AcceptOwner
  readonly #key: number
  #wanted: boolean
  #cancelled: boolean
  #closed: boolean
  /** In the context's list. */
  #listed: boolean
  #waiting: number[]
  /** Accepts that there should be, that there are, and that brought a connection in this turn. */
  #aim: number
  #armed: number
  #taken: number
  #closing: number

  constructor(context: UringContext, fd: number, owner: AcceptOwner) {
    this.#context = context
    this.#fd = fd
    this.#owner = owner
    this.#key = context.slots.take(this)
    this.#wanted = false
    this.#cancelled = false
    this.#closed = false
    this.#listed = false
    this.#waiting = []
    this.#aim = 1
    this.#armed = 0
    this.#taken = 0
    this.#closing = 0
    context.turns.hold()
  }

  pause(): void {
    this.#wanted = false
    this.#cancel()
  }

  resume(): void {
    if (this.#closed || this.#wanted) return
    this.#wanted = true
    this.#list()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#wanted = false
    this.#cancel()
    if (this.#waiting.length > 0) this.#list()
    disown(this.#fd)
    pushClose(this.#context.ring, this.#fd, tag(closeKind, 0), this.#key)
    this.#closing = 1
    // The port is free when this returns, as with a close of one's own.
    this.#context.await(this.#key, () => this.#armed === 0 && this.#closing === 0)
    this.#context.slots.free(this.#key)
    this.#context.turns.release()
  }

  completed(kind: number, result: number): void {
    if (kind === closeKind) {
      this.#closing = 0
      return
    }
    this.#armed -= 1
    if (this.#armed === 0) this.#cancelled = false
    if (result >= 0) this.#took(result)
    else if (this.#wanted && result !== ECANCELED && !passing.includes(result)) {
      this.#wanted = false
      this.#cancel()
      this.#owner.acceptFailed(-result)
    }
    if (this.#wanted) this.#list()
  }

  /** For the context: the events at hand have been told. */
  settle(): void {
    this.#listed = false
    while ((this.#wanted || this.#closed) && this.#waiting.length > 0) {
      this.#owner.accepted(this.#waiting.shift() as number, undefined)
    }
    if (this.#taken >= this.#aim) this.#aim = Math.min(this.#aim * 2, maxAccepts)
    this.#taken = 0
    // Those that are being cancelled come first, or they would be counted with the new ones.
    if (!this.#wanted || this.#cancelled) return
    for (; this.#armed < this.#aim; this.#armed += 1) {
      pushAccept(this.#context.ring, this.#fd, tag(acceptKind, 0), this.#key)
    }
    this.#context.turns.kick()
  }

  #took(fd: number): void {
    this.#taken += 1
    own(fd)
    if (this.#wanted || this.#closed) this.#owner.accepted(fd, undefined)
    else this.#waiting.push(fd)
  }

  #list(): void {
    if (this.#listed) return
    this.#listed = true
    this.#context.afterBatch(this)
  }

  #cancel(): void {
    if (this.#armed === 0 || this.#cancelled) return
    this.#cancelled = true
    pushCancelAll(this.#context.ring, tag(acceptKind, 0), this.#key, tag(cancelKind, 0), 0)
    this.#context.turns.kick()
  }
}
