/**
 * Bytes in and out of stream sockets. The memory is this thread's own: slabs that reads land in, from which what was read can
 * leave again uncopied, and an outbox that all other bytes are copied to first, since typed arrays of JavaScript may move.
 * Lengths and places are those of typed arrays over the same memory, so none can lie outside of it.
 */
import { call, errno } from './calls.ts'
import { allocate, Region } from './memory.ts'

/** Few large calls cost a third less than many of 64 KB; of what is not touched the system gives no memory. */
export const slabBytes = 256 * 1024
/** MSG_NOSIGNAL: a peer that is gone is an error, not a signal. For write(2) it is one since Node ignores SIGPIPE. */
const noSignal = 0x4000
/** Pieces of one gathered write at most. */
const maxPieces = 16

/** What a read lands in. */
export class Slab {
  readonly region: Region
  /** Unfinished writes out of it, and the receiver that looks at it. */
  holds: number
  /** Its first bytes, as they were last looked at. */
  start: Uint8Array

  constructor() {
    this.region = new Region(slabBytes)
    this.holds = 0
    this.start = this.region.bytes
  }
}

/** A part of what a stream still has to send. */
export interface Piece {
  readonly bytes: Uint8Array
  /** The slab that the bytes lie in; without one they are copied when their turn comes. */
  readonly slab: Slab | undefined
}

/** Reads into the slab: how much, 0 at the end, or a negative errno. */
export function readInto(fd: number, slab: Slab): number {
  const size = call.read(fd, slab.region.start, slabBytes)
  return size < 0 ? -(errno[0] as number) : size
}

/** Writes `size` bytes from `at` on: how much was taken, or a negative errno. */
export function writeFrom(fd: number, from: Region, at: number, size: number): number {
  const address = at === 0 ? from.start : from.start + BigInt(at)
  const taken = call.write(fd, address, size)
  return taken < 0 ? -(errno[0] as number) : taken
}

const outbox = new Region(slabBytes)
const outboxText = Buffer.from(outbox.buffer)

/** Sends up to `slabBytes` of any bytes, from `at` on: how much was taken, or a negative errno. */
export function sendCopy(fd: number, bytes: Uint8Array, at: number): number {
  const length = Math.min(bytes.length - at, slabBytes)
  outbox.bytes.set(length === bytes.length ? bytes : bytes.subarray(at, at + length))
  return writeFrom(fd, outbox, 0, length)
}

/**
 * Sends text, each of whose characters is a byte, and the bytes after it, `slabBytes` in all at most: how much was taken, or a
 * negative errno. Until the next call of this module `lastText` gives what was not.
 */
export function sendTogether(fd: number, text: string, body: Uint8Array | undefined): number {
  outboxText.write(text, 0, text.length, 'latin1')
  if (body === undefined) return writeFrom(fd, outbox, 0, text.length)
  outbox.bytes.set(body, text.length)
  return writeFrom(fd, outbox, 0, text.length + body.length)
}

/** A copy of what `sendTogether` has put in its place. */
export function lastText(from: number, to: number): Uint8Array {
  return outbox.bytes.slice(from, to)
}

/** `struct iovec[16]`, then `struct msghdr` with nothing but these. */
const vectors = allocate(maxPieces * 16 + 64)
const vectorWords = new BigUint64Array(vectors.buffer)
const headerAt = maxPieces * 2
const header = vectors.address + BigInt(maxPieces * 16)
vectorWords.fill(0n)
vectorWords[headerAt + 2] = vectors.address

/** How much the last `sendPieces` offered. */
export let offered = 0

/** Sends as many pieces as fit in one call, the first one from `at` on: how much was taken, or a negative errno. */
export function sendPieces(fd: number, pieces: readonly Piece[], at: number): number {
  let count = 0
  let copied = 0
  let from = at
  offered = 0
  for (const { bytes, slab } of pieces) {
    if (count === maxPieces) break
    let address: bigint
    let length = bytes.length - from
    if (slab === undefined) {
      length = Math.min(length, slabBytes - copied)
      if (length === 0) break
      outbox.bytes.set(bytes.subarray(from, from + length), copied)
      address = outbox.start + BigInt(copied)
      copied += length
    } else {
      address = slab.region.start + BigInt(bytes.byteOffset + from)
    }
    vectorWords[count * 2] = address
    vectorWords[count * 2 + 1] = BigInt(length)
    count += 1
    offered += length
    if (from + length < bytes.length) break
    from = 0
  }
  vectorWords[headerAt + 3] = BigInt(count)
  const size = call.sendmsg(fd, header, noSignal)
  return size < 0 ? -(errno[0] as number) : size
}
