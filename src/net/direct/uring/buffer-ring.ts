/**
 * Buffers lent to the kernel, which picks one for each receive: a connection that waits holds none. A buffer that came
 * back filled is counted as long as somebody uses it, and lent again after that. The memory lives as
 * long as the thread, longer than any connection and longer than the ring.
 */
import { getSystemErrorName } from 'node:util'
import { allocate } from '../ffi/memory.ts'
import { addressOf, allocateForEver, highHalf, lowHalf } from '../ffi/ring-memory.ts'
import { uringRegister } from '../ffi/uring-calls.ts'

export interface BufferRingOptions {
  /** What receives name it by; one per ring. */
  readonly group: number
  /** A power of two, at most 32768. Memory is taken as buffers are used for the first time. */
  readonly buffers: number
  readonly bufferBytes: number
  /** How many are lent at once at most: few, so that the same memory comes round while it is still in the cache. */
  readonly lent?: number
}

const registerBufferRing = 22
/** In the ring: address (two words), length (one), then number and the ring's own tail, 16 bits each. */
const entryWords = 4
const tailAt = 7

export class BufferRing {
  readonly group: number
  readonly bufferBytes: number
  readonly buffers: number
  readonly #addressLow: Int32Array
  readonly #addressHigh: Int32Array
  /** What all of them are parts of. */
  readonly memory: ArrayBuffer
  readonly #baseLow: number
  readonly #baseHigh: number
  readonly #ring: Int32Array
  readonly #ring16: Uint16Array
  readonly #mask: number
  readonly #uses: Uint16Array
  /** Those not lent, last in first out. */
  readonly #spare: Uint16Array
  readonly #lentTarget: number
  readonly #views: (Uint8Array | undefined)[]
  #spareCount: number
  #lent: number
  #tail: number

  /** Throws when the kernel refuses or there is no memory. */
  constructor(ringFd: number, options: BufferRingOptions) {
    const { group, buffers, bufferBytes, lent = buffers } = options
    if ((buffers & (buffers - 1)) !== 0 || buffers > 32_768) throw new RangeError(`${buffers} buffers`)
    const ring = allocateForEver(buffers * entryWords * 4)
    const memory = allocate(buffers * bufferBytes)
    this.group = group
    this.buffers = buffers
    this.bufferBytes = bufferBytes
    this.#addressLow = new Int32Array(buffers)
    this.#addressHigh = new Int32Array(buffers)
    this.memory = memory.buffer
    this.#baseLow = lowHalf(memory.address) >>> 0
    this.#baseHigh = highHalf(memory.address)
    this.#ring = new Int32Array(ring.buffer)
    this.#ring16 = new Uint16Array(ring.buffer)
    this.#mask = buffers - 1
    this.#uses = new Uint16Array(buffers)
    this.#spare = new Uint16Array(buffers)
    this.#lentTarget = Math.min(lent, buffers)
    this.#views = new Array(buffers).fill(undefined)
    this.#spareCount = 0
    this.#lent = 0
    this.#tail = 0
    this.#register(ringFd, ring.address)
    for (let buffer = buffers - 1; buffer >= 0; buffer -= 1) {
      const address = memory.address + BigInt(buffer * bufferBytes)
      this.#addressLow[buffer] = lowHalf(address)
      this.#addressHigh[buffer] = highHalf(address)
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

  retain(buffer: number): void {
    this.#uses[buffer] = (this.#uses[buffer] as number) + 1
  }

  release(buffer: number): void {
    const uses = (this.#uses[buffer] as number) - 1
    if (uses < 0) throw new Error(`buffer ${buffer} was released once too often`)
    this.#uses[buffer] = uses
    if (uses > 0) return
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

  /** The first `size` bytes of a buffer. Callers come back with the same few sizes: the last view is kept. */
  view(buffer: number, size: number): Uint8Array {
    let view = this.#views[buffer]
    if (view === undefined || view.length !== size) {
      view = Buffer.from(this.memory, buffer * this.bufferBytes, size)
      this.#views[buffer] = view
    }
    return view
  }

  /** Where bytes of a buffer are, as seen from `owning`: the two halves of their address. */
  lowOf(bytes: Uint8Array, offset: number): number {
    return (this.#baseLow + bytes.byteOffset + offset) | 0
  }

  highOf(bytes: Uint8Array, offset: number): number {
    const low = this.#baseLow + bytes.byteOffset + offset
    return low < 2 ** 32 ? this.#baseHigh : this.#baseHigh + 1
  }

  /** Any part of a buffer. */
  slice(buffer: number, offset: number, size: number): Uint8Array {
    return Buffer.from(this.memory, buffer * this.bufferBytes + offset, size)
  }

  /** The buffer that these bytes lie in; -1 when they lie elsewhere. */
  owning(bytes: Uint8Array): number {
    if (bytes.buffer !== this.memory) return -1
    return Math.floor(bytes.byteOffset / this.bufferBytes)
  }

  #lend(buffer: number): void {
    const ring = this.#ring
    const place = this.#tail & this.#mask
    const at = place * entryWords
    ring[at] = this.#addressLow[buffer] as number
    ring[at + 1] = this.#addressHigh[buffer] as number
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
