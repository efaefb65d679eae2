/**
 * The reading half of a stream: one receive under way at most. A quiet stream has one that goes on by itself; the first
 * reads, and those of a busy stream, are asked for one by one, so that to pause costs nothing there. What the kernel had
 * read already when it was paused is held, in order: copied, since nobody knows for how long.
 */
import type { Settler, UringContext } from './context.ts'
import {
  bufferOf,
  cancelKind,
  hasBuffer,
  hasMore,
  pushCancel,
  pushReceive,
  pushReceiveMany,
  receiveKind,
  receiveLargeKind,
  tag,
} from './operations.ts'

/** What a reader asks of its stream. */
export interface ReaderOwner {
  readonly fd: number
  readonly key: number
  begun(): void
  arrived(bytes: Uint8Array): void
  peerEnded(): void
  readingFailed(errno: number): void
}

const ECANCELED = -125
const ENOBUFS = -105
const EAGAIN = -11
const EINTR = -4
/** So many reads are asked for one by one: whoever only looks at the first bytes finds the rest in the socket. */
const singleReads = 2
/** What fills less than this twice running is not busy any more. */
const quietBytes = 8 * 1024

// Bits of `#flags`.
const wanted = 1
/** A receive is under way. */
const armed = 2
/** It goes on by itself. */
const goesOn = 4
const cancelled = 8
const busy = 16
const slack = 32
const ended = 64
/** The end came while it was paused. */
const endHeld = 128
const stopped = 256
/** In a list of the context's. */
const listed = 512

export class Reader implements Settler {
  readonly #context: UringContext
  readonly #owner: ReaderOwner
  #flags: number
  #reads: number
  #held: Uint8Array[] | undefined

  constructor(context: UringContext, owner: ReaderOwner) {
    this.#context = context
    this.#owner = owner
    this.#flags = 0
    this.#reads = 0
    this.#held = undefined
  }

  get isArmed(): boolean {
    return (this.#flags & armed) !== 0
  }

  start(): void {
    this.#flags |= wanted
    if (this.#held === undefined && (this.#flags & endHeld) === 0) this.#arm()
    else this.#list()
  }

  pause(): void {
    this.#flags &= ~wanted
    this.cancel()
  }

  /** Nothing is told any more; a receive under way is cancelled. */
  stop(): void {
    this.#flags = (this.#flags | stopped) & ~wanted
    this.cancel()
    this.#held = undefined
  }

  /** Cancels a receive under way; what it has brought is still told, or held. */
  cancel(): void {
    if ((this.#flags & (armed | cancelled)) !== armed) return
    this.#flags |= cancelled
    const kind = (this.#flags & (goesOn | busy)) === busy ? receiveLargeKind : receiveKind
    pushCancel(this.#context.ring, tag(kind, 0), this.#owner.key, tag(cancelKind, 0), 0)
    this.#context.turns.kick()
  }

  /** What is held, for whoever goes on with the descriptor. After `stop` there is nothing. */
  takeHeld(): Uint8Array | undefined {
    const held = this.#held
    this.#held = undefined
    return held === undefined ? undefined : Buffer.concat(held)
  }

  receiveCompleted(kind: number, result: number, flags: number): void {
    if ((flags & hasMore) === 0) this.#flags &= ~(armed | goesOn | cancelled)
    if ((flags & hasBuffer) !== 0) this.#filled(kind, bufferOf(flags), result)
    if ((this.#flags & stopped) !== 0) return
    if (result === 0) this.#endArrived()
    else if (result === ENOBUFS) {
      this.#flags |= listed
      this.#context.whenBuffered(this, kind)
    } else if (result < 0 && result !== ECANCELED && result !== EAGAIN && result !== EINTR) {
      this.stop()
      this.#owner.readingFailed(-result)
    } else this.#arm()
  }

  /** For the context: there are buffers again, or what was held is to be told. */
  settle(): void {
    this.#flags &= ~listed
    while (this.#held !== undefined && (this.#flags & (wanted | stopped)) === wanted) this.#tellHeld(this.#held)
    if ((this.#flags & (wanted | stopped | endHeld)) === (wanted | endHeld)) {
      this.#flags &= ~endHeld
      this.#owner.peerEnded()
    }
    this.#arm()
  }

  #arm(): void {
    if ((this.#flags & (wanted | armed | ended | stopped | listed)) !== wanted) return
    const { fd, key } = this.#owner
    const { ring, lent } = this.#context
    this.#flags |= armed
    if ((this.#flags & busy) !== 0) pushReceive(ring, fd, lent.large.group, tag(receiveLargeKind, 0), key)
    else if (this.#reads < singleReads) pushReceive(ring, fd, lent.small.group, tag(receiveKind, 0), key)
    else {
      this.#flags |= goesOn
      pushReceiveMany(ring, fd, lent.small.group, tag(receiveKind, 0), key)
    }
    this.#owner.begun()
  }

  #filled(kind: number, buffer: number, size: number): void {
    const { lent } = this.#context
    const pool = lent.poolOf(kind)
    pool.taken(buffer)
    if (size <= 0 || (this.#flags & stopped) !== 0) {
      pool.release(buffer)
      return
    }
    this.#reads += 1
    this.#adapt(kind, size, pool.bufferBytes)
    if ((this.#flags & wanted) === 0 || this.#held !== undefined) {
      this.#held ??= []
      this.#held.push(pool.view(buffer, size).slice())
      pool.release(buffer)
      return
    }
    lent.show(pool, buffer, size, this.#owner)
  }

  #adapt(kind: number, size: number, room: number): void {
    if (kind === receiveKind) {
      if (size < room) return
      this.#flags = (this.#flags | busy) & ~slack
      if ((this.#flags & goesOn) !== 0) this.cancel()
    } else if (size >= quietBytes) this.#flags &= ~slack
    else if ((this.#flags & slack) === 0) this.#flags |= slack
    else this.#flags &= ~(busy | slack)
  }

  #tellHeld(held: Uint8Array[]): void {
    const bytes = held.shift() as Uint8Array
    if (held.length === 0) this.#held = undefined
    this.#owner.arrived(bytes)
  }

  #endArrived(): void {
    if ((this.#flags & ended) !== 0) return
    this.#flags |= ended
    if ((this.#flags & wanted) !== 0 && this.#held === undefined) this.#owner.peerEnded()
    else this.#flags |= endHeld
  }

  #list(): void {
    if ((this.#flags & listed) !== 0) return
    this.#flags |= listed
    this.#context.afterBatch(this)
  }
}
