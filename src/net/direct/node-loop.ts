/**
 * How an engine lives beside Node's loop in one thread: by turns. A turn runs as an immediate of Node: it waits for events in
 * the kernel, handles them, and hands back. It knows no sockets.
 *
 * Why so. Node's loop cannot wait for a foreign descriptor by itself, except through a handle of libuv's (`uv_poll_t`), whose
 * callbacks come without Node's care for ticks and promises, and which ends the process when a worker is terminated before it
 * is closed. So it is the other way round: the engine's wait includes libuv's descriptor, which is readable when libuv has
 * something to do (messages of other threads, Node's own sockets), and ends when libuv's next timer is due. Ticks and promises
 * run between rounds, as Node runs them between immediates. What libuv has been asked since its last turn it passes on to the
 * kernel only in its next; therefore a turn waits for 1 ms at most, and for longer only after turns of both loops in which
 * nothing at all happened.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { loopEvents, loopTimeout, readClock } from './ffi/thread.ts'

export interface EventSource {
  /** Something is at hand that needs no waiting. */
  readonly busy: boolean
  /** Waits for events up to so many whole ms; how many there are. libuv's descriptor counts as one. */
  wait(timeoutMs: number): number
  /** Handles what is at hand until `until` by `performance.now()`; the rest stays. True: Node has something to do. */
  handle(until: number): boolean
  /** Gives the kernel what was put off while the turn went on. */
  flush(): void
}

/** How long a turn works before Node has its turn, after the one wait that it may begin with. */
const turnMs = 0.5
const shortWaitMs = 1
/** Not for ever: what escaped notice is found four times a second. */
const longWaitMs = 250
/** Turns in which nothing happened before a long wait. */
const calmTurns = 2

/** What runs here belongs to no asynchronous context: the one of whoever opened the first socket would be everyone's. */
const outside = AsyncLocalStorage.snapshot()
const ticks: unknown = Reflect.get(process, '_tickCallback')
/** Runs what Node would run between two immediates. Where it cannot be had, a turn ends after each round. */
const runTicks = typeof ticks === 'function' ? (ticks as () => void) : undefined
const nothing = (): void => {}

export class NodeLoop {
  readonly #source: EventSource
  /** Open descriptors of the engine. */
  #holds: number
  #running: boolean
  #calm: number
  #events: number
  #keepAlive: MessageChannel | undefined

  constructor(source: EventSource) {
    this.#source = source
    this.#holds = 0
    this.#running = false
    this.#calm = 0
    this.#events = 0
    this.#keepAlive = undefined
  }

  /** A descriptor more to wait for: it keeps the thread alive. */
  hold(): void {
    this.#holds += 1
    this.wake()
  }

  /** True when it was the last one. */
  release(): boolean {
    this.#holds -= 1
    return this.#holds === 0
  }

  /** There is something to do although no descriptor may be left. */
  wake(): void {
    if (this.#running) return
    this.#running = true
    this.#calm = 0
    // While the loop is not alive libuv does not tell when its next timer is due: the wheel's may not keep it alive.
    this.#keepAlive ??= new MessageChannel()
    this.#keepAlive.port1.ref()
    outside(setImmediate, this.#turn)
  }

  readonly #turn = (): void => {
    try {
      this.#work()
    } finally {
      if (this.#holds > 0 || this.#source.busy) setImmediate(this.#turn)
      else {
        this.#running = false
        this.#keepAlive?.port1.unref()
      }
    }
  }

  #work(): void {
    const source = this.#source
    let isReady = source.wait(source.busy ? 0 : this.#firstWait()) > 0 || source.busy
    if (!isReady) {
      this.#calm += 1
      return
    }
    this.#calm = 0
    const until = performance.now() + turnMs
    while (isReady) {
      const isNodeReady = source.handle(until)
      if (runTicks !== undefined) runTicks()
      source.flush()
      if (isNodeReady || runTicks === undefined || performance.now() > until) return
      if (source.busy) isReady = source.wait(0) > 0 || source.busy
      else isReady = source.wait(loopTimeout() === 0 ? 0 : shortWaitMs) > 0
    }
  }

  /** In whole ms. */
  #firstWait(): number {
    // This takes the last immediate out of libuv's sight, without which it would say that there is always something to do.
    const immediate = setImmediate(nothing)
    immediate.unref()
    clearImmediate(immediate)
    this.#noticeEvents()
    const isCalm = this.#calm >= calmTurns
    if (isCalm) readClock()
    const dueMs = loopTimeout()
    const atMostMs = isCalm ? longWaitMs : shortWaitMs
    if (dueMs < 0 || dueMs > atMostMs) return atMostMs
    // When a timer has run out nobody knows what it has asked libuv for.
    this.#calm = 0
    return dueMs
  }

  /** Whatever Node heard since the last turn may have led to anything. */
  #noticeEvents(): void {
    if (this.#calm === 0) return
    const events = loopEvents()
    if (events !== this.#events) this.#calm = 0
    this.#events = events
  }
}
