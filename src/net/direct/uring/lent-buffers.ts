/**
 * The buffers that a ring's receives fill, of several sizes, and what is shown of them: bytes that are borrowed until a
 * receiver returns, or until what was forwarded of them has left. It keeps no queue; see `sender.ts`.
 */
import { BufferRing } from './buffer-ring.ts'
import { receiveDatagramKind, receiveLargeKind } from './operations.ts'
import type { Ring } from './ring.ts'

/** For quiet streams: a read takes one, however little it brings. */
const small = { group: 0, buffers: 1024, bufferBytes: 16 * 1024, lent: 128 }
/**
 * For streams that bring much at once. Messages of 1 MB cost 0.37 to 0.40 times nginx's time with these, 0.53 with 64 KB; fewer
 * than 16 cost more calls, and more of them only memory. They bound what a turn reads of all such streams together.
 */
const large = { group: 1, buffers: 64, bufferBytes: 256 * 1024, lent: 16 }
/** Each has room for any datagram, and most of them are touched at their first page only. */
const datagrams = { group: 2, buffers: 256, bufferBytes: 64 * 1024, lent: 64 }
/** The number of a buffer among all: that of its pool above these bits. */
const poolShift = 16
const bufferMask = 0xffff

/** Whom a buffer is shown to. */
export interface BufferViewer {
  arrived(bytes: Uint8Array): void
}

export class LentBuffers {
  readonly small: BufferRing
  readonly large: BufferRing
  readonly datagrams: BufferRing
  /** By their groups. */
  readonly #pools: readonly [BufferRing, BufferRing, BufferRing]
  readonly #ring: Ring
  readonly #checks: boolean
  /** What a receiver looks at just now, where that lies in the arena, and in which buffer. */
  #shown: Uint8Array | undefined
  #shownPlace: number
  #shownHolder: number

  /**
   * `checks`: a receiver is shown a copy, which is taken from it when it returns, and buffers are overwritten when they
   * come back. Whoever uses bytes after their time finds none, or others, and throws when it forwards them.
   */
  constructor(ring: Ring, checks: boolean) {
    this.small = new BufferRing(ring, { ...small, poisons: checks })
    this.large = new BufferRing(ring, { ...large, poisons: checks })
    this.datagrams = new BufferRing(ring, { ...datagrams, poisons: checks })
    this.#pools = [this.small, this.large, this.datagrams]
    this.#ring = ring
    this.#checks = checks
    this.#shown = undefined
    this.#shownPlace = -1
    this.#shownHolder = -1
  }

  /** Half of the buffers are held by somebody who waits: those who can do without should. */
  get isScarce(): boolean {
    return this.small.used > this.small.buffers / 2 || this.large.used > this.large.buffers / 2
  }

  refill(): void {
    this.small.refill()
    this.large.refill()
    this.datagrams.refill()
  }

  /** The pool that a receive of this kind fills. */
  poolOf(kind: number): BufferRing {
    if (kind === receiveLargeKind) return this.large
    return kind === receiveDatagramKind ? this.datagrams : this.small
  }

  /** Shows the first bytes of a buffer that was filled, and takes it back. */
  show(pool: BufferRing, buffer: number, size: number, viewer: BufferViewer): void {
    const bytes = this.#checks ? pool.view(buffer, size).slice() : pool.view(buffer, size)
    this.#shown = bytes
    this.#shownPlace = pool.placeOf(buffer)
    this.#shownHolder = (pool.group << poolShift) | buffer
    viewer.arrived(bytes)
    this.#shown = undefined
    if (this.#checks) (bytes.buffer as ArrayBuffer).transfer(0)
    pool.release(buffer)
  }

  /** Where these bytes lie in the arena, if in a buffer that is in use; -1: elsewhere, they have to be copied. */
  placeOf(bytes: Uint8Array): number {
    if (bytes === this.#shown) return this.#shownPlace
    if (this.#checks) return this.#checkedPlaceOf(bytes)
    if (bytes.buffer !== this.#ring.arena.buffer) return -1
    const place = bytes.byteOffset
    const holder = this.holderOf(place)
    return holder !== -1 && this.#isUsed(holder) ? place : -1
  }

  /** The number of the buffer at a place; -1: there is none. */
  holderOf(place: number): number {
    if (place === this.#shownPlace && this.#shown !== undefined) return this.#shownHolder
    for (const pool of this.#pools) {
      const buffer = pool.at(place)
      if (buffer !== -1) return (pool.group << poolShift) | buffer
    }
    return -1
  }

  retain(holder: number): void {
    this.#poolAt(holder).retain(holder & bufferMask)
  }

  release(holder: number): void {
    this.#poolAt(holder).release(holder & bufferMask)
  }

  #isUsed(holder: number): boolean {
    return this.#poolAt(holder).isUsed(holder & bufferMask)
  }

  #poolAt(holder: number): BufferRing {
    return this.#pools[holder >>> poolShift] as BufferRing
  }

  #checkedPlaceOf(bytes: Uint8Array): number {
    const { buffer } = bytes
    if (buffer instanceof ArrayBuffer && buffer.detached) throw new Error('borrowed bytes are used after their time')
    return buffer === this.#shown?.buffer ? this.#shownPlace + bytes.byteOffset : -1
  }
}
