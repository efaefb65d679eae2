/**
 * A socket of datagrams that its owner reads: a poll, asked for again after each call.
 */
import type { Watch, Watcher } from '../engine.ts'
import { disown } from '../ffi/thread.ts'
import type { Settler, UringContext } from './context.ts'
import { cancelKind, closeKind, pushCancel, pushClose, pushPoll, readableKind, tag } from './operations.ts'
import type { Operator } from './slots.ts'

const pollIn = 1

export class UringWatch implements Watch, Operator, Settler {
  readonly #context: UringContext
  readonly #fd: number
  readonly #watcher: Watcher
  readonly #key: number
  #closed: boolean
  #outstanding: number

  constructor(context: UringContext, fd: number, watcher: Watcher) {
    this.#context = context
    this.#fd = fd
    this.#watcher = watcher
    this.#key = context.slots.take(this)
    this.#closed = false
    this.#outstanding = 0
    context.turns.hold()
    this.#arm()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    const { ring } = this.#context
    if (this.#outstanding > 0) pushCancel(ring, tag(readableKind, 0), this.#key, tag(cancelKind, 0), 0)
    disown(this.#fd)
    pushClose(ring, this.#fd, tag(closeKind, 0), this.#key)
    this.#outstanding += 1
    this.#context.turns.kick()
  }

  completed(kind: number): void {
    this.#outstanding -= 1
    if (this.#closed) {
      if (this.#outstanding > 0) return
      this.#context.slots.free(this.#key)
      this.#context.turns.release()
      return
    }
    if (kind === readableKind) this.#watcher.readable()
    if (!this.#closed) this.#context.afterBatch(this)
  }

  /** For the context. */
  settle(): void {
    if (!this.#closed) this.#arm()
  }

  #arm(): void {
    pushPoll(this.#context.ring, this.#fd, pollIn, tag(readableKind, 0), this.#key)
    this.#outstanding += 1
    this.#context.turns.kick()
  }
}
