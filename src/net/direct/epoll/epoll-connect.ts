/** A connect under way: an entry until the kernel tells how it went, which a stream then takes the place of. */
import type { ConnectOwner } from '../engine.ts'
import { errnos } from '../ffi/calls.ts'
import { broken, hungUp } from '../ffi/epoll.ts'
import { here } from '../ffi/socket-address.ts'
import { connectSocket, takeError } from '../ffi/sockets.ts'
import type { Entry, EntrySet } from './entry.ts'

export class EpollConnect implements Entry {
  readonly fd: number
  readonly #set: EntrySet
  readonly #owner: ConnectOwner
  #settled: boolean
  generation: number
  /** The events that told the outcome: they are not told again. */
  events: number

  constructor(set: EntrySet, fd: number, owner: ConnectOwner) {
    this.fd = fd
    this.#set = set
    this.#owner = owner
    this.#settled = false
    this.generation = 0
    this.events = 0
  }

  start(addressBytes: number): void {
    let result = connectSocket(this.fd, here, addressBytes)
    if (result === -errnos.EINPROGRESS || result === -errnos.EINTR) {
      result = this.#set.enter(this)
      if (result === 0) return
    }
    this.#set.later({ run: () => this.#settle(-result) })
  }

  cancel(): void {
    if (this.#settled) return
    this.#settled = true
    this.#set.forget(this)
  }

  joins(): boolean {
    return false
  }

  happened(events: number): void {
    if (this.#settled) return
    this.events |= events
    // A connect that failed is an error of the socket's, and told as such.
    this.#settle((events & (broken | hungUp)) === 0 ? 0 : takeError(this.fd))
  }

  #settle(errno: number): void {
    if (this.#settled) return
    this.#settled = true
    if (errno !== 0) {
      this.#set.forget(this)
      this.#owner.connectFailed(errno)
      return
    }
    this.#set.handOver()
    this.#owner.connected(this.fd)
  }
}
