/**
 * The slabs of a thread. All reads land in the current one; a piece of it that could not be sent at once keeps it, and the
 * next read goes elsewhere. When too many are kept, pieces are copied instead.
 */
import { Slab } from '../ffi/transfer.ts'

/** 32 MB. What waits beyond that is copied to JavaScript's own memory, which the limits of links bound. */
const maxSlabs = 128
/** Less than this is copied rather than to keep a whole slab for it. */
const minKeptBytes = 16 * 1024
const poison = 0xdb

export class Slabs {
  /** Where the next read lands. */
  current: Slab
  /** The slab whose bytes are with a receiver just now. */
  lent: Slab | undefined
  readonly #spare: Slab[]
  #made: number
  readonly #poisons: boolean

  /** `poisons`: what a receiver was lent is overwritten when it returns, so that whoever kept it finds out. */
  constructor(poisons: boolean) {
    this.current = new Slab()
    this.lent = undefined
    this.#spare = []
    this.#made = 1
    this.#poisons = poisons
  }

  /** The first bytes of a slab that was read into. */
  lend(slab: Slab, size: number): Uint8Array {
    slab.holds += 1
    this.lent = slab
    // Callers come back with the same few sizes.
    if (slab.start.length !== size) slab.start = new Uint8Array(slab.region.buffer, 0, size)
    return slab.start
  }

  /** The receiver has returned. */
  takeBack(slab: Slab): void {
    this.lent = undefined
    slab.holds -= 1
    if (slab.holds > 0) this.current = this.#spare.pop() ?? this.#make()
    else if (this.#poisons) slab.region.bytes.fill(poison)
  }

  /** Whether `size` bytes of the slab that is lent may stay there; if so they have to be released. */
  keep(slab: Slab, size: number): boolean {
    if (size < minKeptBytes) return false
    // A slab that is kept already costs nothing more; another one needs a successor.
    if (slab.holds === 1 && this.#spare.length === 0 && this.#made >= maxSlabs) return false
    slab.holds += 1
    return true
  }

  release(slab: Slab): void {
    slab.holds -= 1
    if (slab.holds > 0 || slab === this.current) return
    if (this.#poisons) slab.region.bytes.fill(poison)
    this.#spare.push(slab)
  }

  #make(): Slab {
    this.#made += 1
    return new Slab()
  }
}
