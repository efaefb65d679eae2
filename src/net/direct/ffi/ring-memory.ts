/**
 * Memory outside of V8's heap, by mmap: it never moves, and it stays until it is released. What the kernel reads or
 * writes on its own time belongs here, never into a typed array.
 */
import ffi from 'node:ffi'

const library = ffi.dlopen(null, {
  mmap: { arguments: ['pointer', 'u64', 'i32', 'i32', 'i32', 'i64'], return: 'pointer' },
  munmap: { arguments: ['pointer', 'u64'], return: 'i32' },
})
/** Exported so that the handle stays reachable for as long as this module does. */
export const memoryLibrary: unknown = library
const { mmap, munmap } = library.functions

const readWrite = 3
const shared = 0x01
const privately = 0x02
const anonymous = 0x20
const populate = 0x8000
const mapFailed = 0xffff_ffff_ffff_ffffn

export class MappedMemory {
  readonly address: bigint
  readonly bytes: number
  readonly buffer: ArrayBuffer

  constructor(address: bigint, bytes: number) {
    this.address = address
    this.bytes = bytes
    this.buffer = ffi.toArrayBuffer(address, bytes, false)
  }

  /**
   * Gives the pages back. No view of `buffer` may be touched afterwards, and no operation of the kernel may be under way
   * in it: either would end the process.
   */
  release(): void {
    munmap(this.address, BigInt(this.bytes))
  }
}

/** Zeroed pages that take no memory before they are touched. Undefined when the system has none to give. */
export function mapAnonymous(bytes: number): MappedMemory | undefined {
  return mapped(mmap(0n, BigInt(bytes), readWrite, privately | anonymous, -1, 0n), bytes)
}

/** A part of a ring, by its descriptor. Undefined when the system refuses. */
export function mapDescriptor(fd: number, bytes: number, offset: number): MappedMemory | undefined {
  return mapped(mmap(0n, BigInt(bytes), readWrite, shared | populate, fd, BigInt(offset)), bytes)
}

function mapped(address: bigint, bytes: number): MappedMemory | undefined {
  return BigInt.asUintN(64, address) === mapFailed ? undefined : new MappedMemory(address, bytes)
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
