/**
 * Writes to many sockets by one system call: what a turn sends is gathered, one write for each socket, and leaves together.
 * What could not leave is told to whoever gave it; order and waiting are theirs.
 */
import { AioCall, aioRoom } from '../ffi/aio.ts'
import { Region } from '../ffi/memory.ts'
import { writeFrom } from '../ffi/transfer.ts'
import type { JointContext } from './joint-context.ts'

/** What is copied until the next call. */
const roomBytes = 256 * 1024
/** Larger ones leave at once, by themselves. */
export const maxJointBytes = 64 * 1024
/** Fewer are written one by one: a call of many costs as much as one and a half of one. */
const few = 2

/** Whoever gives bytes away to be written together with others. */
export interface Writer {
  readonly fd: number
  /** How many of `size` bytes from `at` on of `from` were taken, or a negative errno. They stay there until this returns. */
  wroteJointly(result: number, from: Uint8Array, at: number, size: number): void
}

export class JointWrites {
  readonly #context: JointContext
  readonly #call: AioCall
  readonly #room: Region
  readonly #text: Buffer
  readonly #writers: (Writer | undefined)[]
  readonly #from: Region[]
  readonly #at: Int32Array
  readonly #size: Int32Array
  #count: number
  #used: number
  #isOpen: boolean

  constructor(context: JointContext) {
    this.#context = context
    this.#call = new AioCall('write')
    this.#room = new Region(roomBytes)
    this.#text = Buffer.from(this.#room.buffer)
    this.#writers = new Array(aioRoom).fill(undefined)
    this.#from = new Array(aioRoom).fill(this.#room)
    this.#at = new Int32Array(aioRoom)
    this.#size = new Int32Array(aioRoom)
    this.#count = 0
    this.#used = 0
    this.#isOpen = false
  }

  get areLeft(): boolean {
    return this.#count > 0
  }

  /** A turn begins: from now on writes are gathered. */
  open(): void {
    this.#isOpen = true
  }

  /** The turn is over: what is gathered leaves, and what comes then leaves at once. */
  close(): void {
    this.#isOpen = false
    this.flush()
  }

  /** Takes bytes that stay where they are until `flush`. False: it takes none now, the caller has to write by itself. */
  take(writer: Writer, from: Region, at: number, size: number): boolean {
    if (!this.#isOpen || size > maxJointBytes) return false
    this.#put(writer, from, at, size)
    return true
  }

  /** Takes a copy of the bytes. */
  takeCopy(writer: Writer, bytes: Uint8Array): boolean {
    const { length } = bytes
    if (!this.#isOpen || length > maxJointBytes) return false
    const at = this.#makeRoom(length)
    this.#room.bytes.set(bytes, at)
    this.#put(writer, this.#room, at, length)
    return true
  }

  /** Takes a copy of text, each of whose characters is a byte, and of the bytes after it. */
  takeText(writer: Writer, text: string, body: Uint8Array | undefined): boolean {
    const length = text.length + (body === undefined ? 0 : body.length)
    if (!this.#isOpen || length > maxJointBytes) return false
    const at = this.#makeRoom(length)
    this.#text.write(text, at, text.length, 'latin1')
    if (body !== undefined) this.#room.bytes.set(body, at + text.length)
    this.#put(writer, this.#room, at, length)
    return true
  }

  /** Writes all that is gathered. Writers are told, receivers are not called. */
  flush(): void {
    const count = this.#count
    if (count === 0) return
    const context = count < few ? undefined : this.#context.take()
    if (context === undefined) this.#writeEach(count)
    else this.#call.submit(context, count)
    const { results } = this.#call
    this.#count = 0
    this.#used = 0
    for (let index = 0; index < count; index += 1) {
      const writer = this.#writers[index] as Writer
      this.#writers[index] = undefined
      const { bytes } = this.#from[index] as Region
      writer.wroteJointly(results[index] as number, bytes, this.#at[index] as number, this.#size[index] as number)
    }
  }

  #makeRoom(size: number): number {
    if (this.#used + size > roomBytes || this.#count === aioRoom) this.flush()
    const at = this.#used
    this.#used = at + size
    return at
  }

  #put(writer: Writer, from: Region, at: number, size: number): void {
    if (this.#count === aioRoom) this.flush()
    const index = this.#count
    this.#count = index + 1
    this.#writers[index] = writer
    this.#from[index] = from
    this.#at[index] = at
    this.#size[index] = size
    this.#call.put(index, writer.fd, from.address + at, size)
  }

  #writeEach(count: number): void {
    const { results } = this.#call
    for (let index = 0; index < count; index += 1) {
      const writer = this.#writers[index] as Writer
      const from = this.#from[index] as Region
      results[index] = writeFrom(writer.fd, from, this.#at[index] as number, this.#size[index] as number)
    }
  }
}
