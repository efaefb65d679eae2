/**
 * One connect on the ring. Whoever gives up hears nothing more, and the descriptor is closed when the kernel is done with it.
 */
import type { ConnectOwner, Task } from '../engine.ts'
import { hereBytes } from '../ffi/socket-address.ts'
import { closeSocket } from '../ffi/sockets.ts'
import type { UringContext } from './context.ts'
import { cancelKind, connectKind, pushCancel, pushConnect, tag } from './operations.ts'
import type { Operator } from './slots.ts'

const ENOBUFS = 105

export class UringConnect implements Operator, Task {
  readonly #context: UringContext
  readonly #fd: number
  readonly #owner: ConnectOwner
  readonly #key: number
  #settled: boolean

  constructor(context: UringContext, fd: number, addressBytes: number, owner: ConnectOwner) {
    this.#context = context
    this.#fd = fd
    this.#owner = owner
    this.#key = context.slots.take(this)
    this.#settled = false
    context.turns.hold()
    const { outbox, ring } = context
    const place = outbox.putAddress(hereBytes, addressBytes)
    if (place === -1) {
      context.later(this)
      return
    }
    pushConnect(ring, fd, place, addressBytes, tag(connectKind, 0), this.#key)
    context.turns.kick()
  }

  cancel(): void {
    if (this.#settled) return
    this.#settled = true
    pushCancel(this.#context.ring, tag(connectKind, 0), this.#key, tag(cancelKind, 0), 0)
    this.#context.turns.kick()
  }

  completed(_kind: number, result: number): void {
    this.#context.slots.free(this.#key)
    this.#context.turns.release()
    if (this.#settled || result < 0) closeSocket(this.#fd)
    if (this.#settled) return
    this.#settled = true
    if (result < 0) this.#owner.connectFailed(-result)
    else this.#owner.connected(this.#fd)
  }

  /** More connects were begun in one turn than there is room for. */
  run(): void {
    this.completed(connectKind, -ENOBUFS)
  }
}
