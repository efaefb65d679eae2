/**
 * `struct io_uring_params` as it is asked with and as it is answered, and the memory that the queues of a ring lie in. Which of
 * several is tried when is for `ring-setup.ts`.
 *
 * That memory goes with the thread: a mapping that stayed would keep the ring, and every socket that it receives from, alive
 * after a worker was terminated.
 */
import { getSystemErrorName } from 'node:util'
import { canUnmapAtEnd, mapUntilEnd } from '../ffi/mapping.ts'
import { type Arena, highHalf, lowHalf } from '../ffi/ring-memory.ts'

/**
 * Whose memory the queues are. `own`: ours, any pages (Linux 6.10). `huge`: ours, and in one piece (6.5). `kernel`: the kernel's,
 * mapped. `page`: ours, a page each, which makes short queues (6.5 too, where nothing else is to be had).
 */
export type QueueMemory = 'own' | 'huge' | 'kernel' | 'page'

/** Where things are, in words of `queues`; the first entry is at the begin of `entries`. */
export interface RingLayout {
  readonly queues: Int32Array
  readonly entries: Int32Array
  readonly submissionHead: number
  readonly submissionTail: number
  readonly submissionFlags: number
  /** Undefined where the kernel does without this array between queue and entries. */
  readonly array: number | undefined
  readonly completionHead: number
  readonly completionTail: number
  readonly completions: number
}

const setupOwnMemory = 1 << 14
/** Linux 6.6. */
export const setupNoArray: number = 1 << 16

const entryBytes = 64
const completionBytes = 16
/** What the kernel keeps beside the queues at most. */
const headBytes = 4096
const entriesOffset = 0x1000_0000
/** The most that go into a page each. */
const pageSubmissions = 64
const pageCompletions = 128

export class RingParams {
  readonly words: Uint32Array<ArrayBuffer>
  readonly #queues: Int32Array | undefined
  readonly #entries: Int32Array | undefined

  constructor(arena: Arena, flags: number, submissions: number, completions: number, memory: QueueMemory) {
    const isShort = memory === 'page'
    const asked = isShort ? Math.min(submissions, pageSubmissions) : submissions
    const held = isShort ? Math.min(completions, pageCompletions) : completions
    this.words = new Uint32Array(new ArrayBuffer(128))
    this.words.set([asked, held, memory === 'kernel' ? flags : flags | setupOwnMemory])
    if (memory === 'kernel') return
    const queueBytes = isShort ? headBytes : headBytes + held * completionBytes + submissions * 4
    const size = asked * entryBytes
    const entries = memory === 'huge' ? arena.takeHuge(size + queueBytes) : arena.take(size)
    const queues = memory === 'huge' ? entries + size : arena.take(queueBytes)
    this.#entries = new Int32Array(arena.buffer, entries, size / 4).fill(0)
    this.#queues = new Int32Array(arena.buffer, queues, queueBytes / 4).fill(0)
    this.#setAddress(18, arena.addressAt(entries))
    this.#setAddress(28, arena.addressAt(queues))
  }

  get submissions(): number {
    return this.words[0] as number
  }

  get completions(): number {
    return this.words[1] as number
  }

  get features(): number {
    return this.words[5] as number
  }

  /** After the answer. Throws a `RangeError` where the kernel's queues cannot be mapped, or not for as long as the thread lives. */
  layout(fd: number): RingLayout {
    const at = (index: number): number => this.words[index] as number
    const hasArray = (at(2) & setupNoArray) === 0
    const arrayEnd = hasArray ? at(16) + at(0) * 4 : 0
    const queues = this.#queues ?? mapped(fd, 0, Math.max(arrayEnd, at(25) + at(1) * completionBytes))
    const entries = this.#entries ?? mapped(fd, entriesOffset, at(0) * entryBytes)
    return {
      queues,
      entries,
      submissionHead: at(10) / 4,
      submissionTail: at(11) / 4,
      submissionFlags: at(14) / 4,
      array: hasArray ? at(16) / 4 : undefined,
      completionHead: at(20) / 4,
      completionTail: at(21) / 4,
      completions: at(25) / 4,
    }
  }

  #setAddress(index: number, address: bigint): void {
    this.words[index] = lowHalf(address)
    this.words[index + 1] = highHalf(address)
  }
}

function mapped(fd: number, offset: number, bytes: number): Int32Array {
  if (!canUnmapAtEnd())
    throw new RangeError('this kernel and this C library give io_uring no memory that goes with its thread')
  const memory = mapUntilEnd(fd, offset, bytes)
  if (typeof memory !== 'number') return new Int32Array(memory)
  throw new RangeError(`the queues of io_uring cannot be mapped (${getSystemErrorName(memory)})`)
}
