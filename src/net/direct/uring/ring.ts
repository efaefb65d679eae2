/**
 * One io_uring: its two queues as typed arrays, entries written and completions read in batches, one system call a turn.
 * Used by the thread that made it only. What the operations mean is for `operations.ts` and the engine.
 */
import { getSystemErrorName } from 'node:util'
import type { Arena } from '../ffi/ring-memory.ts'
import { uringEnter } from '../ffi/uring-calls.ts'
import type { QueueMemory } from './ring-params.ts'
import { setUp, takeDown } from './ring-setup.ts'

/** Hears of each completion, while `Ring.reap` runs. `low` and `high` are the halves of what the entry carried. */
export interface CompletionReceiver {
  completed(low: number, high: number, result: number, flags: number): void
}

/** Hears of completions before anybody else does, while `Ring.look` runs. */
export interface CompletionViewer {
  seen(high: number, result: number): void
}

export interface RingOptions {
  /** Powers of two. Submissions beyond `submissions` go to the kernel in a call of their own. */
  readonly submissions?: number
  readonly completions?: number
  /** Default: whichever the kernel takes first. */
  readonly memories?: readonly QueueMemory[]
}

const entryWords = 16
const getEvents = 1
/** In the flags word that the kernel keeps beside the submission queue. */
const overflowed = 2
const EINTR = -4
const EAGAIN = -11
const EBUSY = -16
const ETIME = -62

export class Ring {
  readonly fd: number
  /** The memory that its operations may name, beside its queues. */
  readonly arena: Arena
  readonly #handle: number
  readonly #waitFlags: number
  readonly #submitFlags: number
  readonly #words: Int32Array
  readonly #entries: Int32Array
  readonly #submissionHead: number
  readonly #submissionTail: number
  readonly #submissionMask: number
  readonly #submissionFlags: number
  readonly #completionHead: number
  readonly #completionTail: number
  readonly #completionMask: number
  readonly #completions: number
  #tail: number
  #closed: boolean

  /** Throws a `RangeError` that says why where the system refuses; `uringRefusal` asks without throwing. */
  constructor(options: RingOptions = {}) {
    const parts = setUp(options.submissions ?? 1024, options.completions ?? 8192, options.memories)
    const { fd, arena, submissions, completions, layout, handle, enterFlags } = parts
    this.fd = fd
    this.arena = arena
    this.#handle = handle
    this.#waitFlags = enterFlags | getEvents
    this.#submitFlags = enterFlags
    this.#words = layout.queues
    this.#entries = layout.entries
    this.#submissionHead = layout.submissionHead
    this.#submissionTail = layout.submissionTail
    this.#submissionMask = submissions - 1
    this.#submissionFlags = layout.submissionFlags
    this.#completionHead = layout.completionHead
    this.#completionTail = layout.completionTail
    this.#completionMask = completions - 1
    this.#completions = layout.completions
    this.#tail = this.#words[this.#submissionTail] as number
    this.#closed = false
    if (layout.array === undefined) return
    // Entry n is always at place n: the array between them says nothing.
    for (let index = 0; index < submissions; index += 1) this.#words[layout.array + index] = index
  }

  /** Entries written that the kernel has not taken yet. */
  get unsubmitted(): number {
    return (this.#tail - (this.#words[this.#submissionHead] as number)) | 0
  }

  get closed(): boolean {
    return this.#closed
  }

  /**
   * Writes an entry; it is submitted by the next `enter`. `opcodeWord` holds opcode, flags and priority, `low` and `high`
   * come back with each of its completions. Memory that it names must stay until the last of them.
   */
  push(
    opcodeWord: number,
    fd: number,
    offsetLow: number,
    addressLow: number,
    addressHigh: number,
    length: number,
    operationFlags: number,
    low: number,
    high: number,
    group: number,
  ): void {
    if (this.unsubmitted > this.#submissionMask) this.#makeRoom()
    const words = this.#entries
    const at = (this.#tail & this.#submissionMask) * entryWords
    // What is not written is 0 in every entry: the upper half of the offset, and all after the group.
    words[at] = opcodeWord
    words[at + 1] = fd
    words[at + 2] = offsetLow
    words[at + 4] = addressLow
    words[at + 5] = addressHigh
    words[at + 6] = length
    words[at + 7] = operationFlags
    words[at + 8] = low
    words[at + 9] = high
    words[at + 10] = group
    this.#tail = (this.#tail + 1) | 0
    this.#words[this.#submissionTail] = this.#tail
  }

  /**
   * Hands over what was written, lets the kernel do what it has put off for this thread, and with `wait` blocks until
   * there is a completion. Interrupted waits return early.
   */
  enter(wait: boolean): void {
    if (this.#closed) return
    const waits = wait && !this.hasCompletions
    const result = uringEnter(this.#handle, this.unsubmitted, waits ? 1 : 0, this.#waitFlags)
    if (result >= 0 || result === EINTR || result === EAGAIN || result === EBUSY || result === ETIME) return
    throw new Error(`io_uring_enter ${getSystemErrorName(result)}`)
  }

  get hasCompletions(): boolean {
    return this.#words[this.#completionHead] !== this.#words[this.#completionTail]
  }

  /** The kernel holds completions back that found no room: `enter` fetches them once there is some. */
  get hasOverflowed(): boolean {
    return ((this.#words[this.#submissionFlags] as number) & overflowed) !== 0
  }

  /**
   * Hands each completion that is there now to `receiver`, which may write entries meanwhile, and may reap itself: what it
   * takes is not heard here any more. Returns how many were handed on.
   */
  reap(receiver: CompletionReceiver): number {
    const words = this.#words
    const tail = words[this.#completionTail] as number
    let count = 0
    for (;;) {
      let head = words[this.#completionHead] as number
      if (((tail - head) | 0) <= 0) return count
      const at = this.#completions + (head & this.#completionMask) * 4
      head = (head + 1) | 0
      count += 1
      const low = words[at] as number
      const high = words[at + 1] as number
      const result = words[at + 2] as number
      const flags = words[at + 3] as number
      // Given up before the call: a receiver that throws must not hear of it again.
      words[this.#completionHead] = head
      receiver.completed(low, high, result, flags)
    }
  }

  /** Shows `viewer` those of the completions that are there now whose entry carried `low`. They stay. */
  look(low: number, viewer: CompletionViewer): void {
    const words = this.#words
    const tail = words[this.#completionTail] as number
    for (let head = words[this.#completionHead] as number; head !== tail; head = (head + 1) | 0) {
      const at = this.#completions + (head & this.#completionMask) * 4
      if (words[at] === low) viewer.seen(words[at + 1] as number, words[at + 2] as number)
    }
  }

  /**
   * Gives up the ring: operations under way are cancelled by the kernel, on its own time. Memory that they name, and the
   * queues, stay until the thread ends: a view of them that is still touched must not end the process.
   */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    takeDown(this.fd, this.#handle)
  }

  /** More was written in one turn than there is room for: a call between turns. */
  #makeRoom(): void {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const result = uringEnter(this.#handle, this.unsubmitted, 0, this.#submitFlags)
      if (this.unsubmitted <= this.#submissionMask) return
      if (result < 0 && result !== EINTR && result !== EAGAIN && result !== EBUSY) break
    }
    throw new Error('io_uring takes no operations any more')
  }
}
