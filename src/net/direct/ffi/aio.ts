/**
 * Reads and writes of many sockets in one system call, by Linux's native AIO: io_submit(2) tries them in order, those of
 * sockets that do not block are over when it returns, and the kernel leaves the results in memory that is read without
 * another call. It decides nothing; where AIO is not to be had, calls are made one by one.
 */
import { errnos } from './calls.ts'
import { allocate } from './memory.ts'
import { ffi } from './node-ffi.ts'
import { uncover } from './uncover.ts'

/** Sockets in one call at most. */
export const aioRoom = 32

const isX64 = process.arch === 'x64'
const sysSetup = isX64 ? 206n : 0n
const sysDestroy = isX64 ? 207n : 1n
const sysSubmit = isX64 ? 209n : 2n

/** Exported so that the handle stays reachable. All three take an address or a number in each place. */
export const aioLibrary = ffi.dlopen(null, {
  syscall: { arguments: ['i64', 'u64', 'i64', 'pointer'], return: 'i32' },
})
const { syscall } = uncover(aioLibrary.functions)

/** Of `struct aio_ring`, which is in user space so that it can be read there. Others than Linux leave no such mark. */
const ringMagic = 0xa10a10a1
const ringHeadBytes = 32
const eventWords = 8
const countAt = 1
const headAt = 2
const tailAt = 3
const magicAt = 4

const place = allocate(64)
const placeWords = new BigUint64Array(place.buffer)

/** A queue of the kernel's, which outlives the thread that does not close it. */
export class AioContext {
  readonly id: bigint
  readonly #ring: Int32Array
  readonly #count: number

  private constructor(id: bigint, ring: Int32Array) {
    this.id = id
    this.#ring = ring
    this.#count = ring[countAt] as number
  }

  /** Undefined where the system has none, or none left (fs.aio-max-nr). */
  static open(): AioContext | undefined {
    placeWords[0] = 0n
    if (syscall(sysSetup, BigInt(aioRoom), place.address, 0n) < 0) return undefined
    const id = placeWords[0] as bigint
    const head = new Int32Array(ffi.toArrayBuffer(id, ringHeadBytes, false))
    if ((head[magicAt] as number) >>> 0 === ringMagic) {
      const bytes = ringHeadBytes + (head[countAt] as number) * eventWords * 4
      return new AioContext(id, new Int32Array(ffi.toArrayBuffer(id, bytes, false)))
    }
    syscall(sysDestroy, id, 0n, 0n)
    return undefined
  }

  close(): void {
    syscall(sysDestroy, this.id, 0n, 0n)
  }

  /** Moves what is over to `results`, by the number that each was given. */
  reap(results: Int32Array): void {
    const ring = this.#ring
    const tail = ring[tailAt] as number
    let head = ring[headAt] as number
    while (head !== tail) {
      const event = ringHeadBytes / 4 + head * eventWords
      results[ring[event] as number] = ring[event + 4] as number
      head += 1
      if (head === this.#count) head = 0
    }
    ring[headAt] = head
  }
}

const controlWords = 16
/** Numbers as the call takes them. */
const counts = Array.from({ length: aioRoom + 1 }, (_, count) => BigInt(count))
const notTried = -errnos.EINTR

/** One call of reads, or of writes, of `aioRoom` sockets at most. */
export class AioCall {
  /** By number: how many bytes, or a negative errno as of read(2) and write(2). EINTR also stands for what was not even tried. */
  readonly results: Int32Array
  readonly #words: Int32Array
  readonly #list: bigint

  constructor(kind: 'read' | 'write') {
    this.results = new Int32Array(aioRoom)
    const controls = allocate(aioRoom * (controlWords * 4 + 8))
    this.#words = new Int32Array(controls.buffer)
    this.#words.fill(0)
    const pointers = new BigUint64Array(controls.buffer, aioRoom * controlWords * 4)
    this.#list = controls.address + BigInt(pointers.byteOffset)
    for (let index = 0; index < aioRoom; index += 1) {
      const at = index * controlWords
      pointers[index] = controls.address + BigInt(at * 4)
      this.#words[at] = index
      this.#words[at + 4] = kind === 'read' ? 0 : 1
    }
  }

  /** `address` is below 2^53, as all are that a process has. */
  put(index: number, fd: number, address: number, size: number): void {
    const words = this.#words
    const at = index * controlWords
    words[at + 5] = fd
    // A typed array takes the lower half of a number that is too large for it.
    words[at + 6] = address
    words[at + 7] = address / 0x1_0000_0000
    words[at + 8] = size
    this.results[index] = notTried
  }

  /** Of those numbered from 0 on. */
  submit(context: AioContext, count: number): void {
    let at = 0
    while (at < count) {
      const list = at === 0 ? this.#list : this.#list + BigInt(at * 8)
      const taken = syscall(sysSubmit, context.id, counts[count - at] as bigint, list)
      // The first of them is refused: a call of its own will tell why.
      at += taken > 0 ? taken : 1
    }
    context.reap(this.results)
  }
}
