/**
 * The sending half of a stream: what was taken for sending leaves by one operation when the turn is handed to the kernel,
 * and that is done when the turn has been submitted. Where the socket had no room a poll tells when there is some, so that
 * the kernel never holds on to memory of a peer that does not read. It reads nothing and closes nothing.
 */
import { gathered } from '../../gathered.ts'
import type { UringContext } from './context.ts'
import type { Flight } from './departures.ts'
import { pushPoll, pushSend, pushSendMessage, tag, writableKind } from './operations.ts'
import { maxVectors } from './outbox.ts'
import { noHolder, type Piece, type Pieces } from './pieces.ts'

/** What a sender asks of its stream. */
export interface SenderOwner {
  readonly fd: number
  readonly key: number
  /** Whether somebody waits for `emptied`. */
  readonly awaitsEmptied: boolean
  /** A poll was written, which may take until the peer reads. */
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
/** Less than this is copied out of a lent buffer when something lies before it: few pieces go faster than many. */
const minPieceBytes = 2048

// Bits of `#flags`.
/** In the context's list of those with something to send. */
const listed = 1
/** Handed over, and not known yet how it went. */
const flying = 2
/** The socket has no room: a poll is under way. */
const waiting = 4
const stopped = 8
/** The last operation took less than all: `#result` is how much, or why. */
const fell = 16

export class Sender {
  readonly #context: UringContext
  readonly #owner: SenderOwner
  /** Only while there are any: most links are idle most of the time. */
  #pieces: Pieces | undefined
  #flags: number
  #flyingBytes: number
  #result: number

  constructor(context: UringContext, owner: SenderOwner) {
    this.#context = context
    this.#owner = owner
    this.#pieces = undefined
    this.#flags = 0
    this.#flyingBytes = 0
    this.#result = 0
  }

  get pending(): number {
    return this.#pieces === undefined ? 0 : this.#pieces.total
  }

  /** For the context. */
  get isAwaited(): boolean {
    return this.#owner.awaitsEmptied
  }

  /** There is something that leaves, or fails, with the turn. */
  get isLeaving(): boolean {
    return (this.#flags & (listed | flying)) !== 0
  }

  /** Bytes that were given away. */
  send(bytes: Uint8Array): void {
    const size = bytes.length
    if (size === 0 || (this.#flags & stopped) !== 0) return
    if (this.#fitsOutbox(size)) this.#copy(bytes)
    // Lent bytes are not the caller's to give away: better a copy than memory that changes.
    else this.#add(0, size, noHolder, this.#context.lent.placeOf(bytes) === -1 ? bytes : bytes.slice())
  }

  /** Bytes of a lent buffer are used where they are, others copied. */
  forward(bytes: Uint8Array): void {
    const { lent } = this.#context
    const size = bytes.length
    const place = lent.placeOf(bytes)
    if (size === 0 || (this.#flags & stopped) !== 0) return
    if (place !== -1 && (this.#pieces === undefined || size >= minPieceBytes)) {
      const holder = lent.holderOf(place)
      lent.retain(holder)
      this.#add(place, size, holder, undefined)
    } else if (this.#fitsOutbox(size)) this.#copy(bytes)
    else this.#add(0, size, noHolder, bytes.slice())
  }

  /** Text of latin1, and bytes that are only read until this returns. */
  sendText(text: string, body: Uint8Array | undefined): void {
    const size = text.length + (body === undefined ? 0 : body.length)
    if (size === 0 || (this.#flags & stopped) !== 0) return
    if (!this.#fitsOutbox(size)) {
      this.#add(0, size, noHolder, gathered(text, body))
      return
    }
    const { outbox } = this.#context
    const place = outbox.at
    outbox.putText(text)
    if (body !== undefined) outbox.put(body, 0, body.length)
    this.#append(place, size)
  }

  /** Drops what has not been handed to the kernel; what has is kept until it is known how it went. */
  stop(): void {
    this.#flags |= stopped
    if ((this.#flags & flying) === 0) this.#drop()
  }

  /** The socket has room again. */
  pollCompleted(): void {
    this.#flags &= ~waiting
    if (this.#pieces !== undefined) this.#list()
  }

  /** For the context, as all that follows: writes the operation for what there is to send. */
  fly(flight: number): Flight {
    // While completions are held back it is not known how far the one before came.
    if ((this.#flags & flying) !== 0) return 'later'
    const pieces = this.#pieces
    this.#flags &= ~listed
    if (pieces === undefined || (this.#flags & (waiting | stopped)) !== 0) return 'nothing'
    const { rest } = pieces
    const bytes = rest === undefined ? this.#flyOne(pieces, flight) : this.#flyMany(pieces, rest, flight)
    this.#flags |= bytes === 0 ? listed : flying
    this.#flyingBytes = bytes
    return bytes > 0 ? 'flown' : 'later'
  }

  /** Before `land`: the operation took less than all. */
  fall(result: number): void {
    this.#flags |= fell
    this.#result = result
  }

  land(): boolean {
    const flags = this.#flags
    this.#flags = flags & ~flying
    if ((flags & stopped) !== 0) {
      this.#drop()
      return false
    }
    const pieces = this.#pieces as Pieces
    if ((flags & fell) !== 0) return this.#fallen(pieces, this.#result)
    pieces.consume(this.#flyingBytes)
    if (pieces.size === 0) {
      this.#pieces = undefined
      this.#context.spare(pieces)
      return this.#owner.awaitsEmptied
    }
    // There was more than fits one operation.
    pieces.leaveOutbox()
    this.#list()
    return false
  }

  tell(): void {
    if ((this.#flags & stopped) !== 0) return
    if ((this.#flags & fell) !== 0) {
      this.stop()
      this.#owner.sendingFailed(-this.#result)
    } else if (this.#pieces === undefined) this.#owner.emptied()
  }

  /** The outbox is about to be used anew. */
  leaveOutbox(): void {
    this.#pieces?.leaveOutbox()
  }

  /** Whether so much more is copied to the outbox now, rather than kept until its turn comes. */
  #fitsOutbox(size: number): boolean {
    return (this.#flags & (waiting | flying)) === 0 && size <= maxCopyBytes && size <= this.#context.outbox.room
  }

  #copy(bytes: Uint8Array): void {
    const { outbox } = this.#context
    const place = outbox.at
    outbox.put(bytes, 0, bytes.length)
    this.#append(place, bytes.length)
  }

  #append(place: number, size: number): void {
    this.#pieces ??= this.#context.takePieces()
    this.#pieces.append(place, size)
    this.#list()
  }

  #add(place: number, size: number, holder: number, bytes: Uint8Array | undefined): void {
    const pieces = this.#pieces ?? this.#context.takePieces()
    this.#pieces = pieces
    pieces.add(place, size, holder, bytes)
    if ((this.#flags & waiting) === 0) this.#list()
    else if (this.#context.lent.isScarce) pieces.leaveBuffers()
  }

  #drop(): void {
    const pieces = this.#pieces
    if (pieces === undefined) return
    pieces.drop()
    this.#pieces = undefined
    this.#context.spare(pieces)
  }

  #list(): void {
    if ((this.#flags & listed) !== 0) return
    this.#flags |= listed
    this.#context.willSend(this)
  }

  #flyOne(pieces: Pieces, flight: number): number {
    const { ring, outbox } = this.#context
    const { bytes } = pieces
    let { place, size } = pieces
    if (bytes !== undefined) {
      size = Math.min(size, maxCopyBytes, outbox.room)
      if (size === 0) return 0
      outbox.put(bytes, place, size)
      place = outbox.at - size
    }
    pushSend(ring, this.#owner.fd, place, size, flight, this.#owner.key)
    return size
  }

  /** Several pieces in one operation, as far as there is room. */
  #flyMany(pieces: Pieces, rest: readonly Piece[], flight: number): number {
    const { outbox, ring } = this.#context
    const header = outbox.beginMessage(Math.min(maxVectors, rest.length + 1))
    if (header === -1) return 0
    let total = 0
    let count = 0
    while (count < maxVectors && count <= rest.length) {
      const { place, size, bytes } = count === 0 ? pieces : (rest[count - 1] as Piece)
      const taken = bytes === undefined ? size : Math.min(size, maxCopyBytes, outbox.room)
      if (bytes !== undefined) outbox.put(bytes, place, taken)
      outbox.setVector(header, count, bytes === undefined ? place : outbox.at - taken, taken)
      total += taken
      count += 1
      if (taken < size) break
    }
    if (total === 0) return 0
    outbox.endMessage(header, count)
    pushSendMessage(ring, this.#owner.fd, header, flight, this.#owner.key)
    return total
  }

  #fallen(pieces: Pieces, result: number): boolean {
    if (result < 0 && result !== EAGAIN && result !== EINTR) return true
    this.#flags &= ~fell
    if (result > 0) pieces.consume(result)
    pieces.leaveOutbox()
    if (result === EINTR) this.#list()
    else this.#awaitRoom(pieces)
    return false
  }

  #awaitRoom(pieces: Pieces): void {
    if (this.#context.lent.isScarce) pieces.leaveBuffers()
    this.#flags |= waiting
    const { fd, key } = this.#owner
    pushPoll(this.#context.ring, fd, pollOut, tag(writableKind, 0), key)
    this.#owner.polls()
  }
}
