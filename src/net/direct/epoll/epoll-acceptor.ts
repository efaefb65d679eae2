/**
 * Accepting by epoll, level-triggered: what is left in the queue after a batch is told again, and connections that are not
 * accepted stay in it.
 */
import type { AcceptOwner, Acceptor } from '../engine.ts'
import { errnos } from '../ffi/calls.ts'
import { readable } from '../ffi/epoll.ts'
import { readAddress } from '../ffi/socket-address.ts'
import { acceptSocket } from '../ffi/sockets.ts'
import type { Entry, EntrySet } from './entry.ts'

/** Connections taken at a time; then it is the turn of those that there are. */
const maxBatch = 32

/** Concern the connection that was to be accepted, not the socket that it came by: accept(2). */
const transient: ReadonlySet<number> = new Set([errnos.ECONNABORTED, errnos.EPROTO, errnos.EINTR])

export class EpollAcceptor implements Acceptor, Entry {
  readonly fd: number
  readonly #set: EntrySet
  readonly #owner: AcceptOwner
  #paused: boolean
  #closed: boolean
  generation: number

  constructor(set: EntrySet, fd: number, owner: AcceptOwner) {
    this.fd = fd
    this.#set = set
    this.#owner = owner
    this.#paused = true
    this.#closed = false
    this.generation = 0
  }

  pause(): void {
    if (this.#paused || this.#closed) return
    this.#paused = true
    this.#set.changeFor(this, 0)
  }

  resume(): void {
    if (!this.#paused || this.#closed) return
    this.#paused = false
    if (this.generation !== 0) this.#set.changeFor(this, readable)
    else this.#enter()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#set.forget(this)
  }

  joins(): boolean {
    return false
  }

  happened(): void {
    for (let count = 0; count < maxBatch; count += 1) {
      if (this.#paused || this.#closed) return
      const fd = acceptSocket(this.fd)
      if (fd >= 0) this.#owner.accepted(fd, readAddress())
      else if (fd === -errnos.EAGAIN) return
      else if (!transient.has(-fd)) {
        this.#fail(-fd)
        return
      }
    }
  }

  #enter(): void {
    const error = this.#set.enterFor(this, readable)
    if (error < 0) this.#set.later({ run: () => this.#fail(-error) })
  }

  #fail(errno: number): void {
    if (this.#closed) return
    this.pause()
    this.#owner.acceptFailed(errno)
  }
}
