/**
 * Buffers lent to the kernel, which picks one for each receive: a connection that waits holds none. A buffer that came
 * back filled is counted as long as somebody uses it, and lent again after that. The memory is the ring's arena, which
 * outlives every connection.
 */
import { getSystemErrorName } from 'node:util'
import { addressOf } from '../ffi/ring-memory.ts'
import { uringRegister } from '../ffi/uring-calls.ts'
import type { Ring } from './ring.ts'

export interface BufferRingOptions {
  /** What receives name it by; one per ring. */
  readonly group: number
  /** A power of two, at most 32768. Memory is taken as buffers are used for the first time. */
  readonly buffers: number
  readonly bufferBytes: number
  /** How many are lent at once to begin with: few, so that the same memory comes round while it is still in the cache. */
  readonly lent?: number
  /** What comes back is overwritten, so that whoever still looks at it finds out. */
  readonly poisons?: boolean
}

const registerBufferRing = 22
/** In the ring: address (two words), length (one), then number and the ring's own tail, 16 bits each. */
const entryWords = 4
const tailAt = 7
/** Not a power of two apart: the first lines of all buffers would fall into the same few places of the cache. */
const apart = 5 * 64
export const poison = 0xdb

export class BufferRing {
  readonly group: number
  readonly bufferBytes: number
  readonly buffers: number
  /** Where the first one lies in the arena, and how far they are apart. */
  readonly begin: number
  readonly stride: number
  readonly #memory: ArrayBuffer
  readonly #low: number
  readonly #high: number
  readonly #ring: Int32Array
  readonly #ring16: Uint16Array
  readonly #mask: number
  readonly #uses: Uint16Array
  /** Those not lent, last in first out. */
  readonly #spare: Uint16Array
  readonly #views: (Uint8Array | undefined)[]
  readonly #poisons: boolean
  #lentTarget: number
  #spareCount: number
  #lent: number
  #tail: number

  /** Throws when the kernel refuses or there is no memory. */
  constructor({ fd, arena }: Ring, options: BufferRingOptions) {
    const { group, buffers, bufferBytes, lent = buffers, poisons = false } = options
    if ((buffers & (buffers - 1)) !== 0 || buffers > 32_768) throw new RangeError(`${buffers} buffers`)
    const entries = arena.take(buffers * entryWords * 4)
    this.group = group
    this.buffers = buffers
    this.bufferBytes = bufferBytes
    this.stride = bufferBytes + apart
    this.begin = arena.take(buffers * this.stride)
    this.#memory = arena.buffer
    this.#low = arena.low
    this.#high = arena.high
    this.#ring = new Int32Array(arena.buffer, entries, buffers * entryWords).fill(0)
    this.#ring16 = new Uint16Array(arena.buffer, entries, buffers * entryWords * 2)
    this.#mask = buffers - 1
    this.#uses = new Uint16Array(buffers)
    this.#spare = new Uint16Array(buffers)
    this.#views = new Array(buffers).fill(undefined)
    this.#poisons = poisons
    this.#lentTarget = Math.min(lent, buffers)
    this.#spareCount = 0
    this.#lent = 0
    this.#tail = 0
    this.#register(fd, arena.addressAt(entries))
    for (let buffer = buffers - 1; buffer >= 0; buffer -= 1) {
      this.#spare[this.#spareCount] = buffer
      this.#spareCount += 1
    }
    this.refill()
  }

  /** Those in use here, not lent and not spare. */
  get used(): number {
    return this.buffers - this.#spareCount - this.#lent
  }

  /** Those that the kernel may fill now. */
  get lent(): number {
    return this.#lent
  }

  /** Those that may be lent again at once. */
  get spare(): number {
    return this.#spareCount
  }

  /** The kernel has filled it: it has one user. */
  taken(buffer: number): void {
    this.#lent -= 1
    this.#uses[buffer] = 1
  }

  isUsed(buffer: number): boolean {
    return this.#uses[buffer] !== 0
  }

  retain(buffer: number): void {
    this.#uses[buffer] = (this.#uses[buffer] as number) + 1
  }

  release(buffer: number): void {
    const uses = (this.#uses[buffer] as number) - 1
    if (uses < 0) throw new Error(`buffer ${buffer} was released once too often`)
    this.#uses[buffer] = uses
    if (uses > 0) return
    if (this.#poisons) new Uint8Array(this.#memory, this.begin + buffer * this.stride, this.bufferBytes).fill(poison)
    if (this.#lent < this.#lentTarget) {
      this.#lend(buffer)
      return
    }
    this.#spare[this.#spareCount] = buffer
    this.#spareCount += 1
  }

  /** Lends what is spare, up to the number that is to be lent. Once a turn is enough. */
  refill(): void {
    while (this.#lent < this.#lentTarget && this.#spareCount > 0) {
      this.#spareCount -= 1
      this.#lend(this.#spare[this.#spareCount] as number)
    }
  }

  /** A receive found none: more are lent from now on, if there are more. */
  widen(): void {
    this.#lentTarget = Math.min(this.#lentTarget * 2, this.buffers)
  }

  placeOf(buffer: number): number {
    return this.begin + buffer * this.stride
  }

  /** The buffer that lies at a place of the arena; -1 when none of these does. */
  at(place: number): number {
    const buffer = Math.floor((place - this.begin) / this.stride)
    return buffer >= 0 && buffer < this.buffers ? buffer : -1
  }

  /** The first `size` bytes of a buffer. Callers come back with the same few sizes: the last view is kept. */
  view(buffer: number, size: number): Uint8Array {
    let view = this.#views[buffer]
    if (view === undefined || view.length !== size) {
      view = new Uint8Array(this.#memory, this.begin + buffer * this.stride, size)
      this.#views[buffer] = view
    }
    return view
  }

  #lend(buffer: number): void {
    const ring = this.#ring
    const place = this.#tail & this.#mask
    const at = place * entryWords
    ring[at] = (this.#low + this.begin + buffer * this.stride) | 0
    ring[at + 1] = this.#high
    ring[at + 2] = this.bufferBytes
    this.#ring16[at * 2 + 6] = buffer
    this.#lent += 1
    this.#tail = (this.#tail + 1) & 0xffff
    this.#ring16[tailAt] = this.#tail
  }

  #register(ringFd: number, address: bigint): void {
    const argument = new DataView(new ArrayBuffer(128))
    argument.setBigUint64(0, address, true)
    argument.setUint32(8, this.buffers, true)
    argument.setUint16(12, this.group, true)
    const result = uringRegister(ringFd, registerBufferRing, addressOf(argument.buffer), 1)
    if (result < 0) throw new Error(`io_uring_register buffers ${getSystemErrorName(result)}`)
  }
}
