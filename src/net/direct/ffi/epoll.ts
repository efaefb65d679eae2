/**
 * epoll(7) as typed arrays. An entry carries the descriptor and a number of the caller's, its generation: a descriptor's
 * number comes back after it was closed, and an event may still be meant for the socket that had it before.
 */
import { call, errno, errnos, insist } from './calls.ts'
import { allocate, type Memory } from './memory.ts'
import { own } from './thread.ts'

export const readable = 0x1
export const writable = 0x4
export const broken = 0x8
export const hungUp = 0x10
export const peerShut = 0x2000
export const edgeTriggered = -0x80000000

const add = 1
const remove = 2
const change = 3
const closeOnExec = 0o2000000
/** `struct epoll_event` is packed on x64 only. In words of 32 bits: its size, and where the descriptor is. */
const isPacked = process.arch === 'x64'
const eventWords = isPacked ? 3 : 4
const dataAt = isPacked ? 1 : 2

/** Why there can be no set here; undefined when there can. Makes one to find out. */
export function epollRefusal(): string | undefined {
  const fd = call.epoll_create1(closeOnExec)
  if (fd < 0) return `epoll_create1 failed with errno ${errno[0]}`
  call.close(fd)
  return undefined
}

export class Epoll {
  readonly #fd: number
  readonly #maxEvents: number
  readonly #events: Memory
  readonly #words: Int32Array
  readonly #one: Memory
  readonly #oneWords: Int32Array

  constructor(maxEvents: number) {
    this.#fd = insist(call.epoll_create1(closeOnExec), 'epoll_create1')
    own(this.#fd)
    this.#maxEvents = maxEvents
    this.#events = allocate(maxEvents * eventWords * 4)
    this.#words = new Int32Array(this.#events.buffer)
    this.#one = allocate(64)
    this.#oneWords = new Int32Array(this.#one.buffer)
  }

  /** Closing the descriptor takes it out again, if it has no duplicate. Returns 0 or a negative errno: memory may run out. */
  add(fd: number, events: number, generation: number): number {
    return this.#control(add, fd, events, generation)
  }

  change(fd: number, events: number, generation: number): number {
    return this.#control(change, fd, events, generation)
  }

  remove(fd: number): void {
    this.#control(remove, fd, 0, 0)
  }

  /** Waits up to `timeoutMs` for events; how many there are. They stay readable until the next call. */
  wait(timeoutMs: number): number {
    const count = call.epoll_wait(this.#fd, this.#events.address, this.#maxEvents, timeoutMs)
    if (count >= 0) return count
    if (errno[0] === errnos.EINTR) return 0
    return insist(count, 'epoll_wait')
  }

  eventsOf(index: number): number {
    return this.#words[index * eventWords] as number
  }

  descriptorOf(index: number): number {
    return this.#words[index * eventWords + dataAt] as number
  }

  generationOf(index: number): number {
    return this.#words[index * eventWords + dataAt + 1] as number
  }

  #control(operation: number, fd: number, events: number, generation: number): number {
    const one = this.#oneWords
    one[0] = events
    one[dataAt] = fd
    one[dataAt + 1] = generation
    return call.epoll_ctl(this.#fd, operation, fd, this.#one.address) < 0 ? -(errno[0] as number) : 0
  }
}
