/** A socket of datagrams in the set, level-triggered: whoever reads it need not empty it. */
import type { Watch, Watcher } from '../engine.ts'
import { insist } from '../ffi/calls.ts'
import { readable } from '../ffi/epoll.ts'
import type { Entry, EntrySet } from './entry.ts'

export class EpollWatch implements Watch, Entry {
  readonly fd: number
  readonly #set: EntrySet
  readonly #watcher: Watcher
  #closed: boolean
  generation: number

  /** Throws when the set has no room for it; the descriptor is still the caller's then. */
  constructor(set: EntrySet, fd: number, watcher: Watcher) {
    this.fd = fd
    this.#set = set
    this.#watcher = watcher
    this.#closed = false
    this.generation = 0
    insist(set.enterFor(this, readable), 'epoll_ctl')
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
    if (this.#closed) return
    // What it receives may go where they lie.
    this.#set.writes.flush()
    this.#watcher.readable()
    this.#set.batchDone()
  }
}
