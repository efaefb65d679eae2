/**
 * Memory of the kernel's that is mapped for as long as the thread lives, for queues that the kernel does not take ours for.
 *
 * What runs when a worker is terminated can call functions of one argument, and munmap(2) has two. catclose(3) has one: the
 * catalogue of messages that it closes tells it what to unmap. How glibc lays that out in memory is no public matter, though
 * it never changed, so whether it does what it should is tried before it is relied on.
 */
import { call, errno } from './calls.ts'
import { ffi } from './node-ffi.ts'
import { callAtEnd } from './thread.ts'

const page = 4096n
const readWrite = 3
const shared = 0x1 | 0x8000
const anonymous = 0x2 | 0x20

/** Words of 64 bits: what kind it is (0: mapped), sizes and tables of it, where it is mapped, and how many bytes. */
const catalogueWords = 16
const mappedAt = 5
const mappedBytes = 6

const library = ffi.dlopen(null, {
  mmap: { arguments: ['pointer', 'u64', 'i32', 'i32', 'i32', 'i64'], return: 'i64' },
  munmap: { arguments: ['pointer', 'u64'], return: 'i32' },
  msync: { arguments: ['pointer', 'u64', 'i32'], return: 'i32' },
  catclose: { arguments: ['pointer'], return: 'i32' },
})
/** Exported so that the handle, and with it the functions, stays reachable. */
export const mappingLibrary: typeof library = library
const { mmap, munmap, msync, catclose } = library.functions

/** Maps what `fd` shows from `offset` on, until the thread ends: the memory, or a negative errno. */
export function mapUntilEnd(fd: number, offset: number, bytes: number): ArrayBuffer | number {
  const size = BigInt(bytes)
  const address = mmap(0n, size, readWrite, shared, fd, BigInt(offset))
  if (address === -1n) return -(errno[0] as number)
  callAtEnd(ffi.dlsym(library.lib, 'catclose'), catalogue(address, size))
  return ffi.toArrayBuffer(address, bytes, false)
}

/** Whether `mapUntilEnd` keeps its word here. */
export function canUnmapAtEnd(): boolean {
  // Other systems' libraries have other catalogues, and what they would do with ours is better not tried.
  if (!isGlibc()) return false
  const address = mmap(0n, page, readWrite, anonymous, -1, 0n)
  if (address === -1n) return false
  catclose(catalogue(address, page))
  // Of what is not mapped there is nothing to write back. Another thread may have got the same place meanwhile: that is a no.
  const isGone = msync(address, page, 1) < 0
  if (!isGone) munmap(address, page)
  return isGone
}

/** A catalogue that closing gives back together with what it says is mapped. */
function catalogue(address: bigint, size: bigint): bigint {
  const bytes = catalogueWords * 8
  const place = call.aligned_alloc(page, page)
  if (place === 0n) throw new Error('no memory for a catalogue')
  const words = new BigUint64Array(ffi.toArrayBuffer(place, bytes, false)).fill(0n)
  words[mappedAt] = address
  words[mappedBytes] = size
  return place
}

function isGlibc(): boolean {
  try {
    return ffi.dlsym(library.lib, 'gnu_get_libc_version') !== 0n
  } catch {
    return false
  }
}
