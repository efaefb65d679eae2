/**
 * The memory that a ring and its thread share: one stretch of addresses for its queues, its buffers and whatever its
 * operations name. It knows nothing of what lies in it.
 */
import { call } from './calls.ts'
import { ffi } from './node-ffi.ts'
import { freeAtEnd, freeNow } from './thread.ts'

const page = 4096
const hugePage = 2 * 1024 * 1024
const adviceHugePage = 14
/**
 * From 32 MB on malloc(3) always maps a block of its own, and free(3) unmaps it with all that was mapped over it (mallopt(3),
 * M_MMAP_THRESHOLD). That matters since Node's clean-up, which is all that runs when a worker is terminated, can call free
 * but not munmap(2): the kernel goes on writing to the queues of a ring for a while after that, and whoever had got the same
 * memory from malloc would find it there. Of what is not touched the system gives no memory.
 */
const arenaBytes = 64 * 1024 * 1024

const library = ffi.dlopen(null, {
  madvise: { arguments: ['pointer', 'u64', 'i32'], return: 'i32' },
})
/** Exported so that the handle, and with it the function, stays reachable. */
export const ringMemoryLibrary: unknown = library
const { madvise: callMadvise } = library.functions

/** Places in it are numbers, counted in bytes from its begin. It is given back with the thread, or by `free`. */
export class Arena {
  readonly buffer: ArrayBuffer
  readonly bytes: Uint8Array
  /** Halves of the address of its begin, as words of 32 bits take them; the upper one is that of all its places. */
  readonly low: number
  readonly high: number
  readonly #address: bigint
  #taken: number

  /** Throws when there is no room for one. */
  constructor() {
    this.#address = block()
    this.low = lowHalf(this.#address)
    this.high = highHalf(this.#address)
    this.buffer = ffi.toArrayBuffer(this.#address, arenaBytes, false)
    this.bytes = new Uint8Array(this.buffer)
    this.#taken = 0
  }

  /** Whole pages of arbitrary contents, for as long as there is the arena: where they begin. Throws when it is used up. */
  take(size: number): number {
    const at = this.#taken
    this.#taken += Math.ceil(size / page) * page
    if (this.#taken > arenaBytes) throw new Error(`no room for ${size} bytes beside the ring`)
    return at
  }

  /** The same out of one huge page, if the system has any to give; at most as much as that is. */
  takeHuge(size: number): number {
    if (size > hugePage) throw new RangeError(`${size} bytes of a huge page`)
    const aligned = BigInt.asUintN(64, -this.addressAt(this.#taken)) % BigInt(hugePage)
    const at = this.take(Number(aligned) + hugePage) + Number(aligned)
    callMadvise(this.addressAt(at), BigInt(hugePage), adviceHugePage)
    return at
  }

  addressAt(place: number): bigint {
    return this.#address + BigInt(place)
  }

  /** Neither the kernel nor anybody here may touch it any more. */
  free(): void {
    freeNow(this.#address)
  }
}

/** One that does not lie across two values of the upper half of an address. */
function block(): bigint {
  const unfit: bigint[] = []
  try {
    for (;;) {
      const address = call.aligned_alloc(BigInt(page), BigInt(arenaBytes))
      if (address === 0n) throw new Error(`no room for ${arenaBytes} bytes beside a ring`)
      if (highHalf(address) === highHalf(address + BigInt(arenaBytes - 1))) {
        freeAtEnd(address)
        return address
      }
      unfit.push(address)
      freeAtEnd(address)
    }
  } finally {
    for (const address of unfit) freeNow(address)
  }
}

/** The halves of an address, as typed arrays of 32 bits take them. */
export function lowHalf(address: bigint): number {
  return Number(BigInt.asIntN(32, address))
}

export function highHalf(address: bigint): number {
  return Number(BigInt.asIntN(32, address >> 32n))
}

/** Where the bytes of `buffer` are: of a buffer of 128 bytes or more only, since smaller ones may move. */
export function addressOf(buffer: ArrayBuffer): bigint {
  if (buffer.byteLength < 128) throw new RangeError(`a buffer of ${buffer.byteLength} bytes may move`)
  return ffi.getRawPointer(buffer)
}
