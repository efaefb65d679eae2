/**
 * What a stream has still to send, in order: pieces of lent buffers, of the outbox, or of JavaScript's own memory. It sends
 * nothing; `sender.ts` does.
 */
import type { Arena } from '../ffi/ring-memory.ts'
import type { LentBuffers } from './lent-buffers.ts'

/** No lent buffer: the piece lies in the outbox, or (`bytes`) not in the arena at all. */
export const noHolder = -1

export interface Piece {
  /** In the arena, or from the begin of `bytes`. */
  readonly place: number
  readonly size: number
  /** The lent buffer that it keeps. */
  readonly holder: number
  readonly bytes: Uint8Array | undefined
}

/** The first piece is spread over the fields: most often there is no other. */
export class Pieces implements Piece {
  readonly #arena: Arena
  readonly #lent: LentBuffers
  place: number
  /** 0: there is nothing. */
  size: number
  holder: number
  bytes: Uint8Array | undefined
  #rest: Piece[] | undefined
  /** Bytes, all together. */
  total: number

  constructor(arena: Arena, lent: LentBuffers) {
    this.#arena = arena
    this.#lent = lent
    this.place = 0
    this.size = 0
    this.holder = noHolder
    this.bytes = undefined
    this.#rest = undefined
    this.total = 0
  }

  /** Those after the first. */
  get rest(): readonly Piece[] | undefined {
    return this.#rest
  }

  add(place: number, size: number, holder: number, bytes: Uint8Array | undefined): void {
    this.total += size
    if (this.size === 0) {
      this.place = place
      this.size = size
      this.holder = holder
      this.bytes = bytes
    } else if (this.#rest === undefined) this.#rest = [{ place, size, holder, bytes }]
    else this.#rest.push({ place, size, holder, bytes })
  }

  /** Adds what lies in the outbox to the last piece, if that ends where this begins; else as a piece of its own. */
  append(place: number, size: number): void {
    const rest = this.#rest
    if (rest === undefined) {
      if (this.size === 0 || !endsAt(this, place)) this.add(place, size, noHolder, undefined)
      else {
        this.size += size
        this.total += size
      }
      return
    }
    const last = rest[rest.length - 1] as Piece
    if (!endsAt(last, place)) this.add(place, size, noHolder, undefined)
    else {
      rest[rest.length - 1] = { place: last.place, size: last.size + size, holder: noHolder, bytes: undefined }
      this.total += size
    }
  }

  /** So many bytes have left. */
  consume(bytes: number): void {
    this.total -= bytes
    let left = bytes
    while (left >= this.size) {
      left -= this.size
      if (this.holder !== noHolder) this.#lent.release(this.holder)
      if (!this.#advance()) return
    }
    this.place += left
    this.size -= left
  }

  /** The outbox is about to be used anew: what lies there moves. */
  leaveOutbox(): void {
    if (this.size > 0 && this.holder === noHolder && this.bytes === undefined) {
      this.bytes = this.#copy(this)
      this.place = 0
    }
    const rest = this.#rest
    if (rest === undefined) return
    for (const [index, piece] of rest.entries()) {
      if (piece.holder === noHolder && piece.bytes === undefined) rest[index] = this.#copied(piece)
    }
  }

  /** Gives lent buffers back. */
  leaveBuffers(): void {
    if (this.size > 0 && this.holder !== noHolder) {
      const { holder } = this
      this.bytes = this.#copy(this)
      this.place = 0
      this.holder = noHolder
      this.#lent.release(holder)
    }
    const rest = this.#rest
    if (rest === undefined) return
    for (const [index, piece] of rest.entries()) {
      if (piece.holder === noHolder) continue
      rest[index] = this.#copied(piece)
      this.#lent.release(piece.holder)
    }
  }

  drop(): void {
    if (this.holder !== noHolder) this.#lent.release(this.holder)
    for (const { holder } of this.#rest ?? []) if (holder !== noHolder) this.#lent.release(holder)
    this.#rest = undefined
    this.size = 0
    this.holder = noHolder
    this.bytes = undefined
    this.total = 0
  }

  /** The next piece becomes the first; false: there is none. */
  #advance(): boolean {
    const next = this.#rest?.shift()
    if (this.#rest?.length === 0) this.#rest = undefined
    this.place = next === undefined ? 0 : next.place
    this.size = next === undefined ? 0 : next.size
    this.holder = next === undefined ? noHolder : next.holder
    this.bytes = next?.bytes
    return next !== undefined
  }

  #copied(piece: Piece): Piece {
    return { place: 0, size: piece.size, holder: noHolder, bytes: this.#copy(piece) }
  }

  #copy({ place, size }: Piece): Uint8Array {
    return this.#arena.bytes.slice(place, place + size)
  }
}

/** Whether it is a piece of the outbox up to there. */
function endsAt(piece: Piece, place: number): boolean {
  return piece.holder === noHolder && piece.bytes === undefined && piece.place + piece.size === place
}
