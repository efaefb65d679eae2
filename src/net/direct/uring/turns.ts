/**
 * The ring's life beside Node's loop. A turn runs as an immediate of Node: it waits in the kernel for the ring, does what
 * there is to do, and goes on until Node has something to do, or for a millisecond while it is busy. It knows no sockets.
 *
 * Node has something to do when libuv's own descriptor, which the ring watches, is readable (messages of other threads, Node's
 * sockets), when its next timer is due, for which the ring has an alarm, or when it has been asked for anything since its last
 * round. `loopTimeout` tells of the last two. There is no clock that ticks: each interrupt of one costs as much as
 * a message. Why the ring waits for Node, and not Node for the ring, is told in `node-loop.ts`.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { monotonic } from '../../../base/clock.ts'
import { loopFd, loopTimeout, readClock } from '../ffi/thread.ts'
import { alarmKind, hasMore, kindOf, loopKind, numberOf, pushPollMany, pushTimeout, tag } from './operations.ts'
import type { CompletionReceiver, Ring } from './ring.ts'

/** What the turns serve, besides telling it of completions. */
export interface TurnOwner extends CompletionReceiver {
  /** Hands over what is to be sent and what was written; waits for a completion if it may and there is nothing else to do. */
  enter(wait: boolean): void
  /** What had been sent is told. */
  entered(): void
  /** A batch of completions has been told: what was put off for its end is done now. */
  settle(): void
  /** More is put off: the thread must not wait. */
  readonly restless: boolean
}

/** How long the ring may be busy before Node has a round that it did not ask for. */
const busyMs = 1
/** Not for ever: what escaped notice is found four times a second. */
const longWaitMs = 250
/** Node's clock may be so wrong: what sets a timer reads it. */
const clockErrorMs = 1
const pollIn = 1
const numberMask = 0xffffff

/** What runs here belongs to no asynchronous context: that of whoever opened the first socket would be everyone's. */
const outside = AsyncLocalStorage.snapshot()
const nothing = (): void => {}

export class Turns implements CompletionReceiver {
  readonly #ring: Ring
  readonly #owner: TurnOwner
  readonly #run: () => void
  /** Runs what promises and `process.nextTick` have queued; undefined where Node does not show it. */
  readonly #drain: (() => void) | undefined
  readonly #time: BigInt64Array
  readonly #timeAt: number
  /** While the loop is not alive libuv does not tell when its next timer is due. */
  #keepAlive: MessageChannel | undefined
  #holders: number
  /** A turn runs, or Node will run one. */
  #active: boolean
  #running: boolean
  #watchesLoop: boolean
  #isNodeDue: boolean
  /** When Node's clock was last known to be right, and when the alarm set last goes off; by `performance.now()`. */
  #clockAt: number
  #alarmAt: number
  #alarm: number

  constructor(ring: Ring, owner: TurnOwner) {
    const drain: unknown = Reflect.get(process, '_tickCallback')
    this.#ring = ring
    this.#owner = owner
    this.#run = () => this.#turn()
    this.#drain = typeof drain === 'function' ? (drain as () => void) : undefined
    this.#timeAt = ring.arena.take(16)
    this.#time = new BigInt64Array(ring.arena.buffer, this.#timeAt, 2)
    this.#keepAlive = undefined
    this.#holders = 0
    this.#active = false
    this.#running = false
    this.#watchesLoop = false
    this.#isNodeDue = false
    this.#clockAt = 0
    this.#alarmAt = Number.POSITIVE_INFINITY
    this.#alarm = 0
  }

  /** To be called after an entry was written: it will be submitted soon, at the latest in the loop's next round. */
  kick(): void {
    if (this.#active) return
    this.#active = true
    this.#keepAlive ??= new MessageChannel()
    this.#keepAlive.port1.ref()
    outside(setImmediate, this.#run)
  }

  /** Keeps the thread alive until `release` was called as often. */
  hold(): void {
    this.#holders += 1
    this.kick()
  }

  release(): void {
    this.#holders -= 1
  }

  completed(low: number, high: number, result: number, flags: number): void {
    const kind = kindOf(low)
    if (kind === loopKind) {
      this.#isNodeDue = true
      if ((flags & hasMore) === 0) this.#watchesLoop = false
    } else if (kind === alarmKind) {
      this.#isNodeDue = true
      if (numberOf(low) === this.#alarm) this.#alarmAt = Number.POSITIVE_INFINITY
    } else this.#owner.completed(low, high, result, flags)
  }

  #turn(): void {
    if (this.#running) return
    this.#running = true
    try {
      this.#work()
    } finally {
      this.#running = false
      // Also after an exception, which is for the thread to judge: the ring goes on as long as the thread does.
      if (this.#holders > 0 || this.#owner.restless || this.#ring.unsubmitted > 0 || this.#ring.hasCompletions) {
        setImmediate(this.#run)
      } else {
        this.#active = false
        this.#keepAlive?.port1.unref()
      }
    }
  }

  #work(): void {
    const ring = this.#ring
    const owner = this.#owner
    this.#look()
    let until = Number.POSITIVE_INFINITY
    for (;;) {
      owner.enter(this.#mayWait())
      const now = monotonic.now()
      if (now - this.#clockAt > clockErrorMs) {
        readClock()
        this.#clockAt = now
      }
      owner.entered()
      ring.reap(this)
      owner.settle()
      this.#drain?.()
      if (this.#isNodeDue || this.#drain === undefined || now > until) return
      // From the first event on: a wait before it is no work.
      if (until === Number.POSITIVE_INFINITY) until = now + busyMs
    }
  }

  /** Node has just had its round. */
  #look(): void {
    // This takes the last immediate out of libuv's sight, without which it would say that there is always something to do.
    const immediate = setImmediate(nothing)
    immediate.unref()
    clearImmediate(immediate)
    this.#isNodeDue = false
    this.#clockAt = monotonic.now()
    if (this.#watchesLoop) return
    this.#watchesLoop = true
    pushPollMany(this.#ring, loopFd, pollIn, tag(loopKind, 0), 0)
  }

  #mayWait(): boolean {
    if (this.#holders === 0) {
      this.#isNodeDue = true
      return false
    }
    const dueMs = loopTimeout()
    if (dueMs === 0) this.#isNodeDue = true
    else this.#setAlarm(dueMs < 0 || dueMs > longWaitMs ? longWaitMs : dueMs)
    return dueMs !== 0
  }

  /** One that goes off somewhat early only makes Node look in vain. */
  #setAlarm(inMs: number): void {
    const at = this.#clockAt + inMs
    if (this.#alarmAt <= at + clockErrorMs) return
    this.#alarmAt = at
    this.#alarm = (this.#alarm + 1) & numberMask
    this.#time[0] = 0n
    this.#time[1] = BigInt(inMs * 1_000_000)
    pushTimeout(this.#ring, this.#timeAt, tag(alarmKind, this.#alarm), 0)
  }
}
