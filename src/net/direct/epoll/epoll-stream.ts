/**
 * A stream socket driven by epoll, edge-triggered: one entry for its whole life, whether it reads, waits to write or is
 * paused. It keeps the order of what it has to send; how much that may be is for its owner to say.
 */
import { gathered as together } from '../../gathered.ts'
import type { Stream, StreamOwner } from '../engine.ts'
import { errnos } from '../ffi/calls.ts'
import { broken, hungUp, peerShut, readable as readableEvent, writable as writableEvent } from '../ffi/epoll.ts'
import { setReset, shutSending } from '../ffi/sockets.ts'
import {
  lastText,
  offered,
  type Piece,
  readInto,
  type Slab,
  sendCopy,
  sendPieces,
  sendTogether,
  slabBytes,
  writeFrom,
} from '../ffi/transfer.ts'
import type { Entry, EntrySet } from './entry.ts'
import { type Reader, slotBytes } from './joint-reads.ts'
import type { Writer } from './joint-writes.ts'

/** A read that brings less is one of a few bytes among many others'. */
const busyBytes = 16 * 1024
/** Reads, or gathered writes, of one link in a turn; then it is the others' turn. */
const maxRounds = 2

// Bits of `#flags`.
const reading = 1
/** There may be something to read, or an error. */
const ripe = 2
/** The peer has ended, or worse: a short read does not mean that all has been read. */
const last = 4
const ended = 8
const closed = 16
const broke = 32
const shutting = 64
const waiting = 128
/** All that is pending is gathered, to be written with what others send. */
const gathered = 256
/** Its last read filled the room that there was: it is better off with a larger one. */
const busy = 512

export class EpollStream implements Stream, Entry, Reader, Writer {
  readonly fd: number
  readonly #set: EntrySet
  readonly #owner: StreamOwner
  #flags: number
  #queue: Piece[] | undefined
  /** How much of the first piece has left. */
  #sent: number
  pending: number
  generation: number

  /** `generation` and `events`: where the descriptor was entered before, and what was heard of it; 0 else. */
  constructor(set: EntrySet, fd: number, owner: StreamOwner, generation: number, events: number) {
    this.fd = fd
    this.#set = set
    this.#owner = owner
    this.#flags = 0
    this.#queue = undefined
    this.#sent = 0
    this.pending = 0
    this.generation = generation
    if (events !== 0) this.happened(events)
  }

  startReading(): void {
    const flags = this.#flags
    this.#flags = flags | reading
    if ((flags & (reading | ended | closed)) !== 0) return
    if (this.generation === 0) this.#enter()
    else if ((flags & ripe) !== 0) this.#goOn()
  }

  stopReading(): void {
    this.#flags &= ~reading
  }

  send(bytes: Uint8Array): void {
    if (bytes.length === 0 || (this.#flags & (closed | broke)) !== 0) return
    this.flush()
    let at = 0
    if (this.pending === 0) {
      if (this.#set.writes.takeCopy(this, bytes)) {
        this.#gather(bytes.length)
        return
      }
      while (at < bytes.length) {
        const size = sendCopy(this.fd, bytes, at)
        if (size < 0 && !this.#mayWait(size)) return
        if (size <= 0) break
        at += size
      }
    }
    if (at < bytes.length) this.#wait(at === 0 ? bytes : bytes.subarray(at))
  }

  forward(bytes: Uint8Array): void {
    const { reads, slabs, writes } = this.#set
    const slab = slabs.lent
    if (slab === undefined || bytes.buffer !== slab.region.buffer) {
      const isJoint = bytes.buffer === reads.memory.buffer && bytes.length > 0
      if (isJoint && (this.#flags & (closed | broke)) === 0) {
        this.flush()
        if (this.pending === 0 && writes.take(this, reads.memory, bytes.byteOffset, bytes.length)) {
          this.#gather(bytes.length)
          return
        }
      }
      // Not `slice`: that of a Buffer would be the same memory.
      this.send(new Uint8Array(bytes))
      return
    }
    if (bytes.length === 0 || (this.#flags & (closed | broke)) !== 0) return
    this.flush()
    let rest = bytes
    if (this.pending === 0) {
      const size = writeFrom(this.fd, slab.region, bytes.byteOffset, bytes.length)
      if (size === bytes.length) return
      if (size < 0 && !this.#mayWait(size)) return
      if (size > 0) rest = bytes.subarray(size)
    }
    if (slabs.keep(slab, rest.length)) this.#wait(rest, slab)
    else this.#wait(rest.slice())
  }

  sendText(text: string, body: Uint8Array | undefined): void {
    const size = text.length + (body === undefined ? 0 : body.length)
    if (size === 0 || (this.#flags & (closed | broke)) !== 0) return
    this.flush()
    if (this.pending > 0 || size > slabBytes) {
      this.send(together(text, body))
      return
    }
    if (this.#set.writes.takeText(this, text, body)) {
      this.#gather(size)
      return
    }
    const sent = sendTogether(this.fd, text, body)
    if (sent === size || (sent < 0 && !this.#mayWait(sent))) return
    this.#wait(lastText(Math.max(0, sent), size))
  }

  /** What is gathered leaves now: something else comes after it. */
  flush(): void {
    if ((this.#flags & gathered) !== 0) this.#set.writes.flush()
  }

  shut(): void {
    if ((this.#flags & (shutting | closed | broke)) !== 0) return
    this.flush()
    this.#flags |= shutting
    if (this.pending === 0) this.#sendEnd()
  }

  close(): void {
    if ((this.#flags & closed) !== 0) return
    this.flush()
    this.#leave()
    this.#set.forget(this)
    this.#set.later(this)
  }

  reset(): void {
    if ((this.#flags & closed) !== 0) return
    setReset(this.fd)
    this.close()
  }

  release(): { readonly fd: number; readonly early: Uint8Array | undefined } {
    this.flush()
    this.#leave()
    const early = this.#set.reads.takeBack(this)
    this.#set.giveUp(this)
    return { fd: this.fd, early }
  }

  /** For the set: after `close`. */
  run(): void {
    this.#owner.gone()
  }

  /** For the set: events of this socket. */
  happened(events: number): void {
    if ((events & (broken | hungUp | peerShut)) !== 0) this.#flags |= ripe | last
    else if ((events & readableEvent) !== 0) this.#flags |= ripe
    if ((events & (writableEvent | broken | hungUp)) !== 0 && this.pending > 0) this.#sendQueue()
    if ((this.#flags & (reading | ripe | ended | closed | broke)) === (reading | ripe)) this.#read()
  }

  joins(events: number): boolean {
    if ((events & (broken | hungUp | peerShut)) !== 0) this.#flags |= ripe | last
    else if ((events & readableEvent) !== 0) this.#flags |= ripe
    const isWritable = (events & (writableEvent | broken | hungUp)) !== 0
    if (this.pending > 0 && isWritable) return false
    if ((this.#flags & (reading | ripe | ended | closed | broke | busy)) !== (reading | ripe)) return false
    this.#set.reads.add(this)
    return true
  }

  readAlone(): void {
    this.happened(0)
  }

  readJointly(size: number, slot: number): void {
    if ((this.#flags & (closed | broke)) !== 0) return
    if (size === slotBytes) this.#flags |= busy
    // Short of the room that there was: that was all, for now. What comes next is a new event.
    else if (size > 0 && (this.#flags & last) === 0) this.#flags &= ~ripe
    if (size > 0) this.#owner.arrived(this.#set.reads.bytesOf(slot, size))
    // It was paused meanwhile: an end can be read again.
    else if (size === 0 && (this.#flags & reading) === 0) return
    else if (size !== -errnos.EINTR) this.#noBytes(size)
    if ((this.#flags & (reading | ripe | ended | closed | broke)) === (reading | ripe)) this.#read()
  }

  wroteJointly(result: number, from: Uint8Array, at: number, size: number): void {
    this.#flags &= ~gathered
    this.pending = 0
    if (result === size || (this.#flags & (closed | broke)) !== 0) return
    if (result < 0 && result !== -errnos.EAGAIN && result !== -errnos.ENOBUFS && result !== -errnos.EINTR) {
      this.#failLater(-result, 'write')
      return
    }
    this.#wait(from.slice(at + Math.max(0, result), at + size))
    if (result < 0) this.#mayWait(result)
  }

  /** For the set: it is this stream's turn again. */
  goOn(): void {
    this.#flags &= ~waiting
    this.happened(this.pending > 0 ? writableEvent : 0)
  }

  #goOn(): void {
    if ((this.#flags & waiting) !== 0) return
    this.#flags |= waiting
    this.#set.again(this)
  }

  #enter(): void {
    const error = this.#set.enter(this)
    if (error < 0) this.#failLater(-error, 'epoll_ctl')
  }

  #read(): void {
    const { slabs } = this.#set
    for (let round = 0; round < maxRounds; round += 1) {
      const slab = slabs.current
      const size = readInto(this.fd, slab)
      if (size <= 0) {
        if (size !== -errnos.EINTR) {
          this.#noBytes(size)
          return
        }
      } else {
        this.#owner.arrived(slabs.lend(slab, size))
        slabs.takeBack(slab)
        // Short of the room that there was: that was all, for now. What comes next is a new event.
        if (size < slabBytes && (this.#flags & last) === 0) this.#flags &= ~ripe
        if (size < busyBytes) this.#flags &= ~busy
        if ((this.#flags & (reading | ripe | closed | broke)) !== (reading | ripe)) return
        if (size === slabBytes) break
      }
    }
    this.#goOn()
  }

  #noBytes(size: number): void {
    this.#flags &= ~ripe
    if (size === 0) {
      this.#flags = (this.#flags | ended) & ~reading
      this.#owner.peerEnded()
    } else if (size !== -errnos.EAGAIN) this.#fail(-size, 'read')
  }

  /** True when a send that took nothing has to be tried again; the socket failed otherwise. */
  #mayWait(size: number): boolean {
    if (size === -errnos.EAGAIN) return true
    if (size === -errnos.ENOBUFS || size === -errnos.EINTR) {
      // No event will tell that it is worth another try.
      this.#goOn()
      return true
    }
    this.#fail(-size, 'write')
    return false
  }

  #gather(size: number): void {
    this.pending = size
    this.#flags |= gathered
  }

  #wait(bytes: Uint8Array, slab?: Slab): void {
    this.#queue ??= []
    this.#queue.push({ bytes, slab })
    this.pending += bytes.length
    // A socket that nobody reads from yet: its entry tells as well when it can be written to.
    if (this.generation === 0) this.#enter()
  }

  #sendQueue(): void {
    this.flush()
    const queue = this.#queue
    if (queue === undefined) return
    for (let round = 0; round < maxRounds; round += 1) {
      const size = sendPieces(this.fd, queue, this.#sent)
      if (size < 0) {
        this.#mayWait(size)
        return
      }
      this.#took(size)
      if (this.pending === 0) {
        this.#emptied()
        return
      }
      // Less than was offered: the socket is full, and an event tells when it is not.
      if (size < offered) return
    }
    this.#goOn()
  }

  #took(size: number): void {
    const queue = this.#queue as Piece[]
    this.pending -= size
    let left = size + this.#sent
    let count = 0
    for (const { bytes, slab } of queue) {
      if (left < bytes.length) break
      left -= bytes.length
      count += 1
      if (slab !== undefined) this.#set.slabs.release(slab)
    }
    queue.splice(0, count)
    this.#sent = left
  }

  #emptied(): void {
    this.#queue = undefined
    if ((this.#flags & shutting) !== 0) this.#sendEnd()
    else this.#owner.emptied()
  }

  #sendEnd(): void {
    const error = shutSending(this.fd)
    if (error < 0) this.#fail(-error, 'shutdown')
    else this.#owner.endSent()
  }

  #failLater(errno: number, doing: string): void {
    this.#set.later({ run: () => this.#fail(errno, doing) })
  }

  #fail(errno: number, doing: string): void {
    if ((this.#flags & (broke | closed)) !== 0) return
    this.#flags |= broke
    this.#owner.failed(errno, doing)
  }

  #leave(): void {
    this.#flags |= closed
    this.pending = 0
    for (const { slab } of this.#queue ?? []) if (slab !== undefined) this.#set.slabs.release(slab)
    this.#queue = undefined
  }
}
