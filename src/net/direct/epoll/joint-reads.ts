/**
 * Reads of many sockets by one system call: those that the events of a moment ask for, a slot of memory each. What they
 * brought is handed out one by one, and a slot is not read into again before all of them are done.
 */
import { AioCall, aioRoom } from '../ffi/aio.ts'
import { Region } from '../ffi/memory.ts'
import type { JointContext } from './joint-context.ts'

/** What one read takes: the largest datagram, and more than small messages have. Whoever fills it is better off alone. */
export const slotBytes = 64 * 1024
/** Not a power of two apart: the first lines of all slots would fall into the same few places of the cache. */
const stride = slotBytes + 512
/** Fewer are read one by one: a call of many costs as much as one and a half of one. */
const few = 2
const poison = 0xdb

/** What may be read together with others. */
export interface Reader {
  readonly fd: number
  /** To be read by itself, as if its events had just happened. */
  readAlone(): void
  /** It was read: how many bytes, or a negative errno, and the number of its slot. */
  readJointly(size: number, slot: number): void
}

export class JointReads {
  readonly memory: Region
  readonly #context: JointContext
  readonly #call: AioCall
  readonly #poisons: boolean
  readonly #readers: Reader[]
  readonly #views: Uint8Array[]
  #count: number
  #at: number
  #areRead: boolean

  /** `poisons`: what a receiver was lent is overwritten when all are done, so that whoever kept it finds out. */
  constructor(context: JointContext, poisons: boolean) {
    this.memory = new Region(aioRoom * stride)
    this.#context = context
    this.#call = new AioCall('read')
    this.#poisons = poisons
    this.#readers = []
    this.#views = Array.from({ length: aioRoom }, (_, slot) => this.memory.bytes.subarray(slot * stride, slot * stride))
    this.#count = 0
    this.#at = 0
    this.#areRead = false
  }

  /** Some have not been handed out yet. */
  get areLeft(): boolean {
    return this.#at < this.#count
  }

  get isFull(): boolean {
    return this.#count === aioRoom
  }

  add(reader: Reader): void {
    this.#readers[this.#count] = reader
    this.#count += 1
  }

  /** All that were added. No receiver is called. */
  perform(): void {
    const count = this.#count
    if (count < few) return
    const context = this.#context.take()
    if (context === undefined) return
    const { address } = this.memory
    for (let slot = 0; slot < count; slot += 1) {
      this.#call.put(slot, (this.#readers[slot] as Reader).fd, address + slot * stride, slotBytes)
    }
    this.#call.submit(context, count)
    this.#areRead = true
  }

  /** Hands the next one out; a receiver that throws has had its turn. */
  handOut(): void {
    const slot = this.#at
    this.#at = slot + 1
    const reader = this.#readers[slot] as Reader
    if (this.#areRead) reader.readJointly(this.#call.results[slot] as number, slot)
    else reader.readAlone()
  }

  /** The bytes that a slot was filled with. */
  bytesOf(slot: number, size: number): Uint8Array {
    const view = this.#views[slot] as Uint8Array
    // Callers come back with the same few sizes.
    if (view.length === size) return view
    const fresh = new Uint8Array(this.memory.buffer, slot * stride, size)
    this.#views[slot] = fresh
    return fresh
  }

  /** What this one was read, and has not been handed: a copy; undefined when there is nothing. It gets no turn any more. */
  takeBack(reader: Reader): Uint8Array | undefined {
    const slot = this.#readers.indexOf(reader, this.#at)
    if (slot === -1 || slot >= this.#count || !this.#areRead) return undefined
    const size = this.#call.results[slot] as number
    return size > 0 ? this.bytesOf(slot, size).slice() : undefined
  }

  /** All have had their turn, and nothing in the slots is needed any more. */
  finish(): void {
    if (this.#poisons && this.#areRead) {
      for (let slot = 0; slot < this.#count; slot += 1) {
        this.memory.bytes.fill(poison, slot * stride, slot * stride + Math.max(0, this.#call.results[slot] as number))
      }
    }
    this.#count = 0
    this.#at = 0
    this.#areRead = false
  }
}
