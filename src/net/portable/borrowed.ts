/**
 * The memory that reads land in. Quiet links share one buffer per thread; a link that reads much at once gets a slab of
 * its own while it goes on like that. It knows no sockets.
 *
 * Why two: a handle is told at the end of one read where the next goes, which may be hours later. So whatever quiet
 * handles point to can be overwritten at any time, and bytes in it are copied before they may outlive the callback.
 * A slab has one reader: bytes in it can stay where they are while a write goes on, and the reader takes another slab.
 */

/** What a read of a quiet link takes at most. */
const sharedBytes = 64 * 1024
/** What a read of a busy link takes at most. */
export const slabBytes = 128 * 1024
/** Slabs of a thread that are in use at once, by readers and unfinished writes; further busy links share and copy. */
const maxSlabs = 256
/** Slabs kept for the next busy link. */
const maxSpare = 16
/** A read that brings so much makes a link busy, one that brings less makes it quiet: to copy less than this costs little. */
export const busyBytes = 4 * 1024

export interface Slab {
  readonly bytes: Buffer
  /** Unfinished writes out of it. */
  writes: number
  /** A link reads into it. */
  read: boolean
}

export const shared: Buffer = Buffer.allocUnsafeSlow(sharedBytes)
const spare: Slab[] = []
let inUse = 0
let outbox: Buffer = Buffer.allocUnsafeSlow(sharedBytes)

/** A slab to read into, or undefined when enough are in use. */
export function takeSlab(): Slab | undefined {
  if (inUse >= maxSlabs) return undefined
  inUse += 1
  const slab = spare.pop()
  if (slab === undefined) return { bytes: Buffer.allocUnsafeSlow(slabBytes), writes: 0, read: true }
  slab.read = true
  return slab
}

/** A write out of the slab is done. */
export function writeDone(slab: Slab): void {
  slab.writes -= 1
  if (!slab.read && slab.writes === 0) free(slab)
}

/** Its reader does not read into the slab any more. */
export function readDone(slab: Slab): void {
  slab.read = false
  if (slab.writes === 0) free(slab)
}

function free(slab: Slab): void {
  inUse -= 1
  if (spare.length < maxSpare) spare.push(slab)
}

/** The slab whose bytes are in the hands of a receiver just now. */
let lent: Slab | undefined

/** Before and after a receiver is called with bytes of a slab; undefined after. */
export function lend(slab: Slab | undefined): void {
  lent = slab
}

export function isLent(slab: Slab): boolean {
  return slab === lent
}

/** The slab that these bytes lie in, if they are lent. */
export function lentFrom(bytes: Uint8Array): Slab | undefined {
  return lent !== undefined && lent.bytes.buffer === bytes.buffer ? lent : undefined
}

let sharedView: Buffer = shared
/** The first `size` bytes of the shared buffer. Callers come back with the same few sizes: the last view is kept. */
export function sharedStart(size: number): Buffer {
  if (sharedView.length !== size) sharedView = shared.subarray(0, size)
  return sharedView
}

let outboxView: Buffer = outbox
/** A copy of `bytes`, which is overwritten by the next call unless `keepOutbox` comes before it. */
export function intoOutbox(bytes: Uint8Array): Uint8Array {
  if (bytes.length > outbox.length) return Buffer.from(bytes)
  if (outboxView.length !== bytes.length) outboxView = outbox.subarray(0, bytes.length)
  outboxView.set(bytes)
  return outboxView
}

/** What fits into the outbox. */
export const outboxBytes: number = sharedBytes

/** As `intoOutbox`, of text, each of whose characters is a byte, and the bytes after it; `outboxBytes` in all at most. */
export function textIntoOutbox(text: string, body: Uint8Array | undefined): Uint8Array {
  const size = text.length + (body === undefined ? 0 : body.length)
  if (outboxView.length !== size) outboxView = outbox.subarray(0, size)
  outbox.write(text, 0, text.length, 'latin1')
  if (body !== undefined) outbox.set(body, text.length)
  return outboxView
}

/** The last copy is still needed: the next one goes elsewhere. */
export function keepOutbox(): void {
  outbox = Buffer.allocUnsafeSlow(sharedBytes)
  outboxView = outbox
}
