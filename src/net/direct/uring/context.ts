/**
 * What the sockets of one ring share. It decides nothing: it keeps the memory, and the lists of those who wait for the end of
 * a batch of completions.
 */
import type { Task } from '../engine.ts'
import type { BufferRing } from './buffer-ring.ts'
import { type Departing, Departures } from './departures.ts'
import { LentBuffers } from './lent-buffers.ts'
import {
  alarmKind,
  bufferOf,
  cancelKind,
  hasBuffer,
  kindOf,
  loopKind,
  receiveDatagramKind,
  receiveKind,
  receiveLargeKind,
  sendKind,
} from './operations.ts'
import { Outbox } from './outbox.ts'
import { Pieces } from './pieces.ts'
import { Ring } from './ring.ts'
import { Slots } from './slots.ts'
import { Turns } from './turns.ts'

/** Someone with something to do at the end of a batch. */
export interface Settler {
  settle(): void
}

export interface UringOptions {
  /** As for `LentBuffers`. */
  readonly checks: boolean
  /** Queues of a page each. */
  readonly shortQueues: boolean
}

const maxSparePieces = 1024

/** Those who wait for a buffer of a pool. */
class Starved {
  readonly #pool: BufferRing
  #waiting: Settler[]

  constructor(pool: BufferRing) {
    this.#pool = pool
    this.#waiting = []
  }

  add(settler: Settler): void {
    this.#waiting.push(settler)
  }

  feed(): void {
    if (this.#waiting.length === 0 || this.#pool.lent === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const settler of waiting) settler.settle()
  }
}

export class UringContext {
  readonly ring: Ring
  readonly turns: Turns
  readonly slots: Slots
  readonly outbox: Outbox
  readonly lent: LentBuffers
  readonly #departures: Departures
  readonly #sparePieces: Pieces[]
  #tasks: Task[]
  #settlers: Settler[]
  readonly #starved: readonly [Starved, Starved, Starved]
  /** Completions taken while somebody waited for another one: four numbers each. */
  readonly #deferred: number[]
  #replayed: number

  constructor({ checks, shortQueues }: UringOptions) {
    this.slots = new Slots()
    const memories = shortQueues ? ({ memories: ['page'] } as const) : {}
    this.ring = new Ring({ submissions: 2048, completions: 8192, ...memories })
    this.outbox = new Outbox(this.ring.arena)
    this.lent = new LentBuffers(this.ring, checks)
    this.#departures = new Departures(this.ring, this.slots, this.outbox)
    this.#sparePieces = []
    this.#tasks = []
    this.#settlers = []
    const { small, large, datagrams } = this.lent
    this.#starved = [new Starved(small), new Starved(large), new Starved(datagrams)]
    this.#deferred = []
    this.#replayed = 0
    this.turns = new Turns(this.ring, this)
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

  /** A receive of this kind found no buffer: calls `settler` when there are some again. */
  whenBuffered(settler: Settler, kind: number): void {
    const pool = this.lent.poolOf(kind)
    // How many large ones there are bounds what a turn reads.
    if (kind !== receiveLargeKind) pool.widen()
    this.#starved[pool.group]?.add(settler)
  }

  /** More to settle: the thread must not wait. */
  get restless(): boolean {
    return (
      this.#tasks.length > 0 || this.#settlers.length > 0 || this.#deferred.length > 0 || this.#departures.hasLanded
    )
  }

  takePieces(): Pieces {
    return this.#sparePieces.pop() ?? new Pieces(this.ring.arena, this.lent)
  }

  /** Empty ones, for the next who has something to send. */
  spare(pieces: Pieces): void {
    if (this.#sparePieces.length < maxSparePieces) this.#sparePieces.push(pieces)
  }

  /** Asks `sender` for its operation when the turn is handed to the kernel. */
  willSend(sender: Departing): void {
    this.#departures.add(sender)
    this.turns.kick()
  }

  enter(wait: boolean): void {
    const departures = this.#departures
    departures.leave()
    this.ring.enter(wait && !departures.isAwaited && !this.restless)
    departures.arrive()
  }

  completed(low: number, high: number, result: number, flags: number): void {
    if (this.#deferred.length === 0) this.#tell(low, high, result, flags)
    else this.#deferred.push(low, high, result, flags)
  }

  entered(): void {
    this.#departures.tell()
  }

  settle(): void {
    this.#replay()
    this.lent.refill()
    if (this.#settlers.length > 0) {
      const settlers = this.#settlers
      this.#settlers = []
      for (const settler of settlers) settler.settle()
    }
    for (const starved of this.#starved) starved.feed()
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
        else if (kindOf(low) === loopKind || kindOf(low) === alarmKind) this.turns.completed(low, high, result, flags)
        else this.#deferred.push(low, high, result, flags)
      },
    }
    // What leaves with the first entry may be all that is waited for, and completes only if it fails.
    for (let wait = false; ; wait = true) {
      this.ring.reap(deferring)
      if (done()) break
      this.#departures.leave()
      this.ring.enter(wait)
      this.#departures.arrive()
    }
    this.turns.kick()
  }

  #tell(low: number, high: number, result: number, flags: number): void {
    const kind = kindOf(low)
    if (kind === cancelKind) return
    if (kind === sendKind) {
      this.#departures.completed(low, high, result)
      return
    }
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
    if (kind !== receiveKind && kind !== receiveLargeKind && kind !== receiveDatagramKind) return
    const pool = this.lent.poolOf(kind)
    pool.taken(buffer)
    pool.release(buffer)
  }
}
