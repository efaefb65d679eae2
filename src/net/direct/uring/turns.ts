/**
 * The ring's life beside Node's loop. While there is work the thread waits in the kernel for the ring, half a millisecond
 * at most, and then lets Node's loop have a round of its own. Without work Node's loop waits for both: the ring signals
 * a counter that a handle of Node's reads, and nothing wakes the thread in between.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { createEventFd } from '../ffi/uring-calls.ts'
import { kindOf, pushTimeout, tickKind } from './operations.ts'
import type { CompletionReceiver, Ring } from './ring.ts'

/** What the turns serve, besides telling it of completions. */
export interface TurnOwner extends CompletionReceiver {
  /** Hands over what is to be sent and what was written; waits for a completion if it may and there is nothing else to do. */
  enter(wait: boolean): void
  /** What had been sent is told. */
  entered(): void
  /** A batch of completions has been told: what was put off for its end is done now. */
  settle(): void
  /** More is put off. */
  readonly restless: boolean
}

/** How long Node's loop may have to wait for its round while the ring is busy. */
const tickMicroseconds = 500

/** What runs here belongs to no asynchronous context: that of whoever opened the first socket would be everyone's. */
const outside = AsyncLocalStorage.snapshot()

/** Node's handle over a descriptor. */
interface PipeHandle {
  onread: () => void
  open(fd: number): number
  readStart(): number
  useUserBuffer(buffer: Uint8Array): void
  ref(): void
  unref(): void
  close(): void
}

export class Turns implements CompletionReceiver {
  readonly #ring: Ring
  readonly #owner: TurnOwner
  readonly #handle: PipeHandle
  readonly #counter: Uint8Array
  readonly #tickAt: number
  readonly #run: () => void
  /** Runs what promises and `process.nextTick` have queued; undefined where Node does not show it. */
  readonly #drain: (() => void) | undefined
  #active: boolean
  #running: boolean
  #tickArmed: boolean
  #ticked: boolean
  #holders: number

  constructor(ring: Ring, owner: TurnOwner) {
    this.#ring = ring
    this.#owner = owner
    this.#tickAt = ring.arena.take(16)
    new BigInt64Array(ring.arena.buffer, this.#tickAt, 2).set([0n, BigInt(tickMicroseconds * 1000)])
    this.#counter = Buffer.allocUnsafeSlow(64)
    this.#run = () => this.#turn()
    const drain: unknown = Reflect.get(process, '_tickCallback')
    this.#drain = typeof drain === 'function' ? (drain as () => void) : undefined
    this.#active = false
    this.#running = false
    this.#tickArmed = false
    this.#ticked = false
    this.#holders = 0
    this.#handle = this.#watch()
  }

  /** To be called after an entry was written: it will be submitted soon, at the latest in the loop's next round. */
  kick(): void {
    if (this.#active) return
    this.#active = true
    this.#ring.signals = false
    outside(setImmediate, this.#run)
  }

  /** Keeps the thread alive until `release` was called as often. */
  hold(): void {
    this.#holders += 1
    if (this.#holders === 1) this.#handle.ref()
  }

  release(): void {
    this.#holders -= 1
    if (this.#holders === 0) this.#handle.unref()
  }

  completed(low: number, high: number, result: number, flags: number): void {
    if (kindOf(low) !== tickKind) {
      this.#owner.completed(low, high, result, flags)
      return
    }
    this.#tickArmed = false
    this.#ticked = true
  }

  #watch(): PipeHandle {
    const binding = Reflect.get(process, 'binding') as (name: string) => Record<string, unknown>
    const { Pipe, constants } = binding('pipe_wrap') as {
      Pipe: new (kind: number) => PipeHandle
      constants: { SOCKET: number }
    }
    const fd = createEventFd()
    if (fd < 0) throw new Error('no descriptor for a ring')
    const handle = new Pipe(constants.SOCKET)
    if (handle.open(fd) !== 0) throw new Error('Node does not watch a counter')
    handle.useUserBuffer(this.#counter)
    handle.onread = () => {
      if (this.#active) return
      this.#active = true
      this.#ring.signals = false
      this.#turn()
    }
    handle.readStart()
    handle.unref()
    this.#ring.watch(fd)
    return handle
  }

  #turn(): void {
    if (this.#running) return
    this.#running = true
    let work = 0
    try {
      work = this.#spin()
    } finally {
      this.#running = false
      // Also after an exception, which is for the thread to judge: the ring goes on as long as the thread does.
      if (work !== 0 || !this.#rest()) setImmediate(this.#run)
    }
  }

  /** Turns until it is time for Node's loop. Returns the completions there were. */
  #spin(): number {
    const ring = this.#ring
    const owner = this.#owner
    let work = 0
    this.#ticked = false
    if (!this.#tickArmed) {
      this.#tickArmed = true
      pushTimeout(ring, this.#tickAt, tickKind, 0)
    }
    while (!this.#ticked) {
      owner.enter(true)
      owner.entered()
      work += ring.reap(this)
      owner.settle()
      this.#drain?.()
      if (this.#drain === undefined) break
    }
    return this.#ticked ? work - 1 : work
  }

  /** Hands the ring to Node's loop. False when something came meanwhile. */
  #rest(): boolean {
    const ring = this.#ring
    ring.signals = true
    this.#owner.enter(false)
    if (!this.#owner.restless && !ring.hasCompletions && ring.unsubmitted === 0 && !ring.hasOverflowed) {
      this.#active = false
      return true
    }
    ring.signals = false
    return false
  }
}
