/**
 * Memory that a ring writes to, and addresses as its words take them.
 */
import { call } from './calls.ts'
import type { Memory } from './memory.ts'
import { ffi } from './node-ffi.ts'

const page = 4096n

/**
 * Zeroed pages that are never given back, not even when the thread ends: the kernel goes on writing to the queues of a ring for a
 * while after it was closed, and whoever had the pages next would find that in them. Throws when there are none.
 */
export function allocateForEver(bytes: number): Memory {
  const size = ((BigInt(bytes) + page - 1n) / page) * page
  const address = call.aligned_alloc(page, size)
  if (address === 0n) throw new Error(`no memory for ${bytes} bytes of queues`)
  const buffer = ffi.toArrayBuffer(address, Number(size), false)
  new Uint8Array(buffer).fill(0)
  return { address, buffer }
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
