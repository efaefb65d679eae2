/**
 * The sending half of a stream: what was taken for sending, in order, one operation under way at most. Each is done when
 * its turn has been submitted; where the socket had no room a poll tells when there is some, so that the kernel never holds
 * on to memory of a peer that does not read. It reads nothing and closes nothing.
 */
import type { BufferRing } from './buffer-ring.ts'
import type { Settler, UringContext } from './context.ts'
import { pushPoll, pushSend, pushSendMessage, sendKind, tag, writableKind } from './operations.ts'
import { maxVectors } from './outbox.ts'

/** What a sender asks of its stream. */
export interface SenderOwner {
  readonly fd: number
  readonly key: number
  /** An operation was written, to be completed later. */
  begun(): void
  /** The same, and it may take until the peer reads. */
  polls(): void
  /** Nothing is pending any more. */
  emptied(): void
  sendingFailed(errno: number): void
}

const EAGAIN = -11
const EINTR = -4
const pollOut = 4
/** Copied for one operation at most. */
const maxCopyBytes = 128 * 1024

export class Sender implements Settler {
  readonly #context: UringContext
  readonly #owner: SenderOwner
  /** The first piece, and those after it. */
  #head: Uint8Array | undefined
  #rest: Uint8Array[] | undefined
  /** How much of the first piece has left. */
  #sent: number
  /** Pieces and bytes of the operation under way; 0: none. */
  #flying: number
  #flyingBytes: number
  /** Waiting for the socket to have room, or for a turn that has room to copy. */
  #waiting: boolean
  #stopped: boolean
  pending: number

  constructor(context: UringContext, owner: SenderOwner) {
    this.#context = context
    this.#owner = owner
    this.#head = undefined
    this.#rest = undefined
    this.#sent = 0
    this.#flying = 0
    this.#flyingBytes = 0
    this.#waiting = false
    this.#stopped = false
    this.pending = 0
  }

  /** Bytes that were given away. */
  send(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#stopped) return
    // Lent bytes are not the caller's to give away: better a copy than memory that changes.
    this.#take(this.#context.owning(bytes) === undefined ? bytes : Buffer.from(bytes))
  }

  /** Bytes of a lent buffer are used where they are, others copied. */
  forward(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#stopped) return
    const pool = this.#context.owning(bytes)
    if (pool === undefined) {
      this.#take(Buffer.from(bytes))
      return
    }
    pool.retain(pool.owning(bytes))
    this.#take(bytes)
  }

  /** Drops what has not been handed to the kernel; what has is kept until it is done. */
  stop(): void {
    this.#stopped = true
    if (this.#flying === 0) this.#dropAll()
  }

  sendCompleted(result: number): void {
    const expected = this.#flyingBytes
    this.#flying = 0
    this.#flyingBytes = 0
    if (this.#stopped) {
      this.#dropAll()
      return
    }
    if (result > 0) this.#consume(result)
    if (result < 0 && result !== EAGAIN && result !== EINTR) {
      this.stop()
      this.#owner.sendingFailed(-result)
      return
    }
    if (this.#head === undefined) this.#owner.emptied()
    else if (result === expected || result === EINTR) this.#begin()
    else this.#awaitRoom()
  }

  pollCompleted(): void {
    this.#waiting = false
    if (!this.#stopped && this.#head !== undefined && this.#flying === 0) this.#begin()
  }

  /** For the context: a new turn has room to copy. */
  settle(): void {
    this.pollCompleted()
  }

  #take(bytes: Uint8Array): void {
    this.pending += bytes.length
    if (this.#head === undefined) this.#head = bytes
    else if (this.#rest === undefined) this.#rest = [bytes]
    else this.#rest.push(bytes)
    if (this.#flying > 0) return
    if (!this.#waiting) this.#begin()
    else if (this.#context.isScarce) this.#copyOut()
  }

  #begin(): void {
    const context = this.#context
    const head = this.#head as Uint8Array
    const rest = this.#rest
    const { fd, key } = this.#owner
    if (rest !== undefined && rest.length > 0) {
      this.#beginMany(head, rest)
      return
    }
    const pool = context.owning(head)
    if (pool !== undefined) {
      this.#flyingBytes = head.length - this.#sent
      const low = pool.lowOf(head, this.#sent)
      pushSend(context.ring, fd, low, pool.highOf(head, this.#sent), this.#flyingBytes, tag(sendKind, 0), key)
    } else {
      const { outbox } = context
      this.#flyingBytes = outbox.copy(head, this.#sent, maxCopyBytes)
      if (this.#flyingBytes === 0) {
        this.#awaitTurn()
        return
      }
      pushSend(context.ring, fd, outbox.low, outbox.high, this.#flyingBytes, tag(sendKind, 0), key)
    }
    this.#flying = 1
    this.#owner.begun()
  }

  /** Several pieces in one operation, as far as there is room. */
  #beginMany(head: Uint8Array, rest: readonly Uint8Array[]): void {
    const { outbox, ring } = this.#context
    if (!outbox.beginMessage()) {
      this.#awaitTurn()
      return
    }
    let bytes = 0
    let count = 0
    let complete = true
    const wanted = Math.min(maxVectors, rest.length + 1)
    while (complete && count < wanted) {
      const piece = count === 0 ? head : (rest[count - 1] as Uint8Array)
      const offset = count === 0 ? this.#sent : 0
      const size = this.#addPiece(count, piece, offset)
      if (size === 0) break
      complete = size === piece.length - offset
      bytes += size
      count += 1
    }
    if (count === 0) {
      this.#awaitTurn()
      return
    }
    outbox.endMessage(count)
    this.#flying = count
    this.#flyingBytes = bytes
    pushSendMessage(ring, this.#owner.fd, outbox.low, outbox.high, tag(sendKind, 0), this.#owner.key)
    this.#owner.begun()
  }

  /** How much of it found a place in the message. */
  #addPiece(index: number, piece: Uint8Array, offset: number): number {
    const { outbox } = this.#context
    const pool = this.#context.owning(piece)
    if (pool !== undefined) {
      outbox.addVector(index, pool.lowOf(piece, offset), pool.highOf(piece, offset), piece.length - offset)
      return piece.length - offset
    }
    const size = outbox.copy(piece, offset, maxCopyBytes)
    if (size > 0) outbox.addVector(index, outbox.low, outbox.high, size)
    return size
  }

  #consume(bytes: number): void {
    this.pending -= bytes
    let left = bytes
    let gone = 0
    const rest = this.#rest
    while (this.#head !== undefined) {
      const piece: Uint8Array = this.#head
      const size = piece.length - this.#sent
      if (left < size) {
        this.#sent += left
        break
      }
      left -= size
      this.#sent = 0
      this.#release(piece)
      this.#head = rest === undefined ? undefined : rest[gone]
      gone += 1
      if (this.#head === undefined) this.#rest = undefined
    }
    if (this.#rest !== undefined && gone > 0) this.#rest.splice(0, gone)
  }

  #awaitRoom(): void {
    if (this.#context.isScarce) this.#copyOut()
    this.#waiting = true
    const { fd, key } = this.#owner
    pushPoll(this.#context.ring, fd, pollOut, tag(writableKind, 0), key)
    this.#owner.polls()
  }

  #awaitTurn(): void {
    this.#waiting = true
    this.#context.afterBatch(this)
  }

  /** Lent buffers are too few to wait with this peer. */
  #copyOut(): void {
    const head = this.#head
    if (head !== undefined) this.#head = this.#ownCopy(head)
    const rest = this.#rest
    if (rest === undefined) return
    for (const [index, piece] of rest.entries()) rest[index] = this.#ownCopy(piece)
  }

  #ownCopy(piece: Uint8Array): Uint8Array {
    const pool = this.#context.owning(piece)
    if (pool === undefined) return piece
    const copy = Buffer.from(piece)
    pool.release(pool.owning(piece))
    return copy
  }

  #dropAll(): void {
    if (this.#head !== undefined) this.#release(this.#head)
    for (const piece of this.#rest ?? []) this.#release(piece)
    this.#head = undefined
    this.#rest = undefined
    this.pending = 0
  }

  #release(piece: Uint8Array): void {
    const pool: BufferRing | undefined = this.#context.owning(piece)
    pool?.release(pool.owning(piece))
  }
}
