/**
 * Addresses as the words of a ring take them. The memory itself is that of `memory.ts`.
 */
import ffi from 'node:ffi'

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
