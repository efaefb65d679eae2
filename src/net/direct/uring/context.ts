/**
 * What the sockets of one ring share. It decides nothing: it keeps the memory, and the lists of those who wait for the end of
 * a batch of completions.
 */
import type { Task } from '../engine.ts'
import { disown, own } from '../ffi/thread.ts'
import { BufferRing } from './buffer-ring.ts'
import { bufferOf, cancelKind, hasBuffer, kindOf, receiveKind, receiveLargeKind, tickKind } from './operations.ts'
import { Outbox } from './outbox.ts'
import { Ring } from './ring.ts'
import { Slots } from './slots.ts'
import { Turns } from './turns.ts'

/** Someone with something to do at the end of a batch. */
export interface Settler {
  settle(): void
}

/** Lent for receives of quiet streams: a read takes one, however little it brings. */
const small = { group: 0, buffers: 2048, bufferBytes: 16 * 1024, lent: 512 }
/** For streams that bring much at once. */
const large = { group: 1, buffers: 256, bufferBytes: 64 * 1024, lent: 32 }

export class UringContext {
  readonly ring: Ring
  readonly turns: Turns
  readonly slots: Slots
  readonly outbox: Outbox
  readonly small: BufferRing
  readonly large: BufferRing
  #tasks: Task[]
  #settlers: Settler[]
  #starved: Settler[]
  /** Completions taken while somebody waited for another one: four numbers each. */
  readonly #deferred: number[]
  #replayed: number

  constructor() {
    this.slots = new Slots()
    this.outbox = new Outbox()
    this.ring = new Ring({ submissions: 2048, completions: 8192 })
    this.small = new BufferRing(this.ring.fd, small)
    this.large = new BufferRing(this.ring.fd, large)
    this.#tasks = []
    this.#settlers = []
    this.#starved = []
    this.#deferred = []
    this.#replayed = 0
    this.turns = new Turns(this.ring, this)
    // Entered anew after the memory that it writes to, and so given up before that.
    disown(this.ring.fd)
    own(this.ring.fd)
  }

  later(task: Task): void {
    this.#tasks.push(task)
    this.turns.kick()
  }

  /** Calls `settler` when the completions at hand have been told. */
  afterBatch(settler: Settler): void {
    this.#settlers.push(settler)
    this.turns.kick()
  }

  /** Calls `settler` when there are buffers to receive into again. */
  whenBuffered(settler: Settler): void {
    this.#starved.push(settler)
  }

  /** More to settle: the thread must not wait. */
  get restless(): boolean {
    return this.#tasks.length > 0 || this.#settlers.length > 0 || this.#deferred.length > 0
  }

  /** Half of the buffers are held by somebody who waits: those who can do without should. */
  get isScarce(): boolean {
    return this.small.used > small.buffers / 2 || this.large.used > large.buffers / 2
  }

  submitted(): void {
    if (this.ring.unsubmitted === 0) this.outbox.reset()
  }

  completed(low: number, high: number, result: number, flags: number): void {
    if (this.#deferred.length === 0) this.#tell(low, high, result, flags)
    else this.#deferred.push(low, high, result, flags)
  }

  /** The pool that a receive of this kind fills. */
  poolOf(kind: number): BufferRing {
    return kind === receiveLargeKind ? this.large : this.small
  }

  /** The pool that these bytes lie in; undefined: elsewhere. */
  owning(bytes: Uint8Array): BufferRing | undefined {
    if (bytes.buffer === this.small.memory) return this.small
    if (bytes.buffer === this.large.memory) return this.large
    return undefined
  }

  settle(): void {
    this.#replay()
    this.small.refill()
    this.large.refill()
    if (this.#settlers.length > 0) {
      const settlers = this.#settlers
      this.#settlers = []
      for (const settler of settlers) settler.settle()
    }
    if (this.#starved.length > 0 && this.small.lent > 0 && this.large.lent > 0) {
      const starved = this.#starved
      this.#starved = []
      for (const settler of starved) settler.settle()
    }
    if (this.#tasks.length === 0) return
    const tasks = this.#tasks
    this.#tasks = []
    for (const task of tasks) task.run()
  }

  /**
   * Submits and reaps until `done`, for whoever cannot wait for a later turn. Completions of others are told afterwards, in
   * the order that they came in. Bounded by what the kernel owes: operations that were cancelled complete.
   */
  await(key: number, done: () => boolean): void {
    this.#tellDeferred(key)
    const deferring = {
      completed: (low: number, high: number, result: number, flags: number): void => {
        if (high === key) this.#tell(low, high, result, flags)
        else if (kindOf(low) === tickKind) this.turns.completed(low, high, result, flags)
        else this.#deferred.push(low, high, result, flags)
      },
    }
    for (;;) {
      this.ring.reap(deferring)
      if (done()) break
      this.ring.enter(true)
      this.submitted()
    }
    this.turns.kick()
  }

  #tell(low: number, high: number, result: number, flags: number): void {
    const kind = kindOf(low)
    if (kind === cancelKind) return
    const operator = this.slots.find(high)
    if (operator !== undefined) operator.completed(kind, result, flags)
    else if ((flags & hasBuffer) !== 0) this.#returnBuffer(kind, bufferOf(flags))
  }

  /** Those that were deferred, in order; one told meanwhile may defer more. */
  #replay(): void {
    const deferred = this.#deferred
    if (deferred.length === 0) return
    while (this.#replayed < deferred.length) {
      const at = this.#replayed
      this.#replayed = at + 4
      this.#tell(
        deferred[at] as number,
        deferred[at + 1] as number,
        deferred[at + 2] as number,
        deferred[at + 3] as number,
      )
    }
    deferred.length = 0
    this.#replayed = 0
  }

  /** Those of one key ahead of their time. */
  #tellDeferred(key: number): void {
    const deferred = this.#deferred
    for (let at = this.#replayed; at < deferred.length; at += 4) {
      if (deferred[at + 1] !== key) continue
      const low = deferred[at] as number
      deferred[at] = cancelKind
      this.#tell(low, key, deferred[at + 2] as number, deferred[at + 3] as number)
    }
  }

  #returnBuffer(kind: number, buffer: number): void {
    if (kind !== receiveKind && kind !== receiveLargeKind) return
    const pool = this.poolOf(kind)
    pool.taken(buffer)
    pool.release(buffer)
  }
}
