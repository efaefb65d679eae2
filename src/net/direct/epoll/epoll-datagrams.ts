/**
 * A connected socket of datagrams in the set, level-triggered: what one read leaves is told again. It reads and writes with
 * others where many have something at the same moment, and a batch of its own where it is alone.
 */
import type { DatagramOwner, Datagrams } from '../engine.ts'
import { errnos } from '../ffi/calls.ts'
import { readable } from '../ffi/epoll.ts'
import { inbox } from '../ffi/inbox.ts'
import { maxDatagramBytes } from '../ffi/messages.ts'
import { sendDatagram } from '../ffi/single-datagram.ts'
import type { Entry, EntrySet } from './entry.ts'
import type { Reader } from './joint-reads.ts'
import type { Writer } from './joint-writes.ts'

/** Something to read so many times in a row, and there is most likely more than one datagram of it. */
const flowRounds = 3
const patience = 16

export class EpollDatagrams implements Datagrams, Entry, Reader, Writer {
  readonly fd: number
  readonly #set: EntrySet
  readonly #owner: DatagramOwner
  #closed: boolean
  /** The round in which it last had something, and in how many before it without a gap. */
  #round: number
  #streak: number
  generation: number

  constructor(set: EntrySet, fd: number, owner: DatagramOwner) {
    this.fd = fd
    this.#set = set
    this.#owner = owner
    this.#closed = false
    this.#round = 0
    this.#streak = 0
    this.generation = 0
  }

  startReading(): void {
    if (this.#closed || this.generation !== 0) return
    const error = this.#set.enterFor(this, readable)
    if (error < 0) this.#failLater(-error, 'epoll_ctl')
  }

  send(bytes: Uint8Array): void {
    const { buffer, byteOffset, length } = bytes
    if (this.#closed || length > maxDatagramBytes) return
    const { reads, writes } = this.#set
    // To a write, nothing is nothing, not an empty datagram.
    if (length > 0) {
      if (buffer === inbox.region.buffer) {
        if (writes.take(this, inbox.region, byteOffset, length)) return
      } else if (buffer === reads.memory.buffer) {
        if (writes.take(this, reads.memory, byteOffset, length)) return
      } else if (writes.takeCopy(this, bytes)) return
    }
    const error = sendDatagram(this.fd, bytes)
    if (error < 0) this.#failLater(-error, 'send')
  }

  close(): void {
    if (this.#closed) return
    // What was sent before leaves before.
    this.#set.writes.flush()
    this.#closed = true
    this.#set.forget(this)
  }

  joins(): boolean {
    const { reads, round } = this.#set
    this.#streak = round === this.#round + 1 ? this.#streak + 1 : Math.min(0, this.#streak)
    this.#round = round
    if (this.#streak >= flowRounds) return false
    reads.add(this)
    return true
  }

  happened(): void {
    this.readAlone()
  }

  readAlone(): void {
    if (this.#closed) return
    // They may lie in what is received into.
    this.#set.writes.flush()
    const count = inbox.receive(this.fd)
    for (let index = 0; index < count && !this.#closed; index += 1) {
      const bytes = inbox.datagram(index)
      if (bytes !== undefined) this.#owner.arrived(bytes)
    }
    if (count < 0) this.#failed(-count)
    // It was no flow: it takes longer to look like one again.
    if (count < 2) this.#streak = -patience
    this.#set.batchDone()
  }

  readJointly(size: number, slot: number): void {
    if (this.#closed) return
    if (size >= 0) this.#owner.arrived(this.#set.reads.bytesOf(slot, size))
    else this.#failed(-size)
  }

  wroteJointly(result: number): void {
    if (result < 0 && !this.#closed) this.#failLater(-result, 'send')
  }

  #failed(errno: number): void {
    if (errno !== errnos.EAGAIN && errno !== errnos.EINTR) this.#owner.failed(errno, 'recv')
  }

  /** Whoever sends may not expect to be called from there. */
  #failLater(errno: number, doing: string): void {
    if (errno === errnos.EAGAIN) return
    const run = (): void => {
      if (!this.#closed) this.#owner.failed(errno, doing)
    }
    this.#set.later({ run })
  }
}
