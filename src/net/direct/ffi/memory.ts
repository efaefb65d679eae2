/**
 * Memory that the kernel reads and writes: outside of V8's heap, so that it never moves, and never given back before the
 * thread ends, so that no address can outlive it. There is a fixed amount of it per thread; see who calls `allocate`.
 */
import { call } from './calls.ts'
import { ffi } from './node-ffi.ts'
import { freeAtEnd } from './thread.ts'

export interface Memory {
  readonly address: bigint
  readonly buffer: ArrayBuffer
}

const page = 4096n

/** `bytes` are rounded up to pages, which take no room before they are touched. Contents are arbitrary. Throws when there are none. */
export function allocate(bytes: number): Memory {
  const size = ((BigInt(bytes) + page - 1n) / page) * page
  const address = call.aligned_alloc(page, size)
  if (address === 0n) throw new Error(`no memory for ${bytes} bytes of buffers`)
  freeAtEnd(address)
  return { address, buffer: ffi.toArrayBuffer(address, Number(size), false) }
}

/** Memory whose places are named by numbers. */
export class Region {
  readonly start: bigint
  /** The same; exact, since no process has addresses of 2^53 and more. */
  readonly address: number
  readonly buffer: ArrayBuffer
  readonly bytes: Uint8Array

  constructor(size: number) {
    const { address, buffer } = allocate(size)
    this.start = address
    this.address = Number(address)
    this.buffer = buffer
    this.bytes = new Uint8Array(buffer)
  }
}
