/**
 * Every timer of the program. Many coarse ones share a wheel: late by at most a tick, never early. `after`, `every` and
 * `sleep` are exact and cost a Node timer each: for less than a second, or for rare use.
 */
import { type Clock, monotonic } from './clock.ts'

export interface Timer {
  /** Starts the same time over again: a store of a number. Does nothing once the timer has expired or was cancelled. */
  refresh(): void
  /** Constant time. Idempotent, and harmless after expiry. */
  cancel(): void
}

export interface TimerOwner {
  /** Called once, with the timer that ran out, so that one owner can hold several. To go on, start a new one. */
  expired(timer: Timer): void
}

export interface TimerWheelOptions {
  /** How late a timer may be. A duration is rounded up to whole half ticks. Default 100. */
  readonly tickMs?: number
  readonly clock?: Clock
  /** Do not keep the thread alive for timers that are still running. */
  readonly unref?: boolean
}

/** A power of two; a timer longer than a turn of the wheel is looked at once a turn. */
const slotCount = 1024
/** In `WheelTimer.slot`: in no list. */
const nowhere = -1
/** In `WheelTimer.slot`: taken out of its slot because its time has come, its owner not called yet. */
const dueSlot = slotCount

/**
 * Many long timers that are refreshed far more often than they run out. Not shared between threads.
 * While no timer runs there is no Node timer either.
 *
 * The wheel moves in steps of half a tick. A refresh notes the step n that the wheel last saw, not the clock, so it may
 * have come at any time until the wheel's next move, which itself comes somewhat after the begin of step n + 1. Two steps
 * are therefore added to each duration: one for either unknown. This is what makes a timer late by a tick, and never early.
 */
export class TimerWheel {
  readonly #stepMs: number
  readonly #clock: Clock
  readonly #origin: number
  readonly #unref: boolean
  /** Heads of doubly linked lists: one for each tick of a turn, and the list of those due. */
  readonly #slots: (WheelTimer | undefined)[]
  #step: number
  #size: number
  #alarm: NodeJS.Timeout | undefined

  constructor(options: TimerWheelOptions = {}) {
    this.#stepMs = (options.tickMs ?? 100) / 2
    if (!(this.#stepMs > 0)) throw new RangeError('tickMs must be greater than 0')
    this.#clock = options.clock ?? monotonic
    this.#origin = this.#clock.now()
    this.#unref = options.unref ?? false
    this.#slots = new Array(slotCount + 1).fill(undefined)
    this.#step = 0
    this.#size = 0
    this.#alarm = undefined
  }

  /** Timers that are running. */
  get size(): number {
    return this.#size
  }

  /** The step that the wheel last saw; what `refresh` stores. */
  get step(): number {
    return this.#step
  }

  /** Calls `owner.expired` once, `ms` to `ms` plus a tick from now, unless it is refreshed or cancelled. */
  start(ms: number, owner: TimerOwner): Timer {
    if (!(ms >= 0)) throw new RangeError(`not a duration: ${ms}`)
    if (this.#size === 0) this.#step = this.#read()
    const timer = new WheelTimer(this, owner, Math.ceil(ms / this.#stepMs) + 2, this.#step)
    this.#size += 1
    this.#file(timer)
    if (this.#alarm === undefined) this.#arm()
    return timer
  }

  /** Drops all timers; none of them will expire. The wheel can be used again. */
  stop(): void {
    for (let slot = 0; slot <= slotCount; slot += 1) {
      for (let timer = this.#slots[slot]; timer !== undefined; timer = this.#slots[slot]) this.drop(timer)
    }
  }

  /** For the timers of this wheel only: what `Timer.cancel` does. */
  drop(timer: WheelTimer): void {
    if (timer.slot === nowhere) return
    this.#unlink(timer)
    this.#size -= 1
    if (this.#size === 0) this.#disarm()
  }

  #read(): number {
    return Math.floor((this.#clock.now() - this.#origin) / this.#stepMs)
  }

  #arm(): void {
    const untilNextMs = (this.#step + 1) * this.#stepMs - (this.#clock.now() - this.#origin)
    this.#alarm = setTimeout(() => this.#move(), Math.min(Math.max(1, Math.ceil(untilNextMs)), Math.ceil(this.#stepMs)))
    if (this.#unref) this.#alarm.unref()
  }

  #disarm(): void {
    if (this.#alarm !== undefined) clearTimeout(this.#alarm)
    this.#alarm = undefined
  }

  #move(): void {
    const from = this.#step
    const to = Math.max(from, this.#read())
    this.#step = to
    // Armed before owners are called: one that throws must not stop the wheel.
    this.#arm()
    if (to > from + 1) this.#forgiveStall(from, to)
    const last = Math.min(to, from + slotCount)
    for (let step = from + 1; step <= last; step += 1) this.#visit(step & (slotCount - 1))
    for (let timer = this.#slots[dueSlot]; timer !== undefined; timer = this.#slots[dueSlot]) {
      this.drop(timer)
      timer.owner.expired(timer)
    }
  }

  /**
   * The thread was busy for more than a step, and timers refreshed meanwhile noted the old one. Which of them did so at
   * the end of the stall is not known: all are taken for that, since late is allowed and early is not. Linear in the timers,
   * which is little after a stall.
   */
  #forgiveStall(from: number, to: number): void {
    for (const head of this.#slots) {
      for (let timer = head; timer !== undefined; timer = timer.next) {
        if (timer.touched === from) timer.touched = to - 1
      }
    }
  }

  /** Moves the timers of a slot that are due to the due list, and the others to the slot where they are now expected. */
  #visit(slot: number): void {
    let timer = this.#slots[slot]
    while (timer !== undefined) {
      const next = timer.next
      const due = timer.touched + timer.steps
      const target = due <= this.#step ? dueSlot : due & (slotCount - 1)
      if (target !== slot) {
        this.#unlink(timer)
        this.#link(timer, target)
      }
      timer = next
    }
  }

  #file(timer: WheelTimer): void {
    this.#link(timer, (timer.touched + timer.steps) & (slotCount - 1))
  }

  #link(timer: WheelTimer, slot: number): void {
    const head = this.#slots[slot]
    timer.slot = slot
    timer.next = head
    if (head !== undefined) head.previous = timer
    this.#slots[slot] = timer
  }

  #unlink(timer: WheelTimer): void {
    if (timer.previous === undefined) this.#slots[timer.slot] = timer.next
    else timer.previous.next = timer.next
    if (timer.next !== undefined) timer.next.previous = timer.previous
    timer.previous = undefined
    timer.next = undefined
    timer.slot = nowhere
  }
}

/** One running timer: eight words, no closure. Its fields belong to the wheel. */
class WheelTimer implements Timer {
  readonly wheel: TimerWheel
  readonly owner: TimerOwner
  readonly steps: number
  touched: number
  slot: number
  previous: WheelTimer | undefined
  next: WheelTimer | undefined

  constructor(wheel: TimerWheel, owner: TimerOwner, steps: number, touched: number) {
    this.wheel = wheel
    this.owner = owner
    this.steps = steps
    this.touched = touched
    this.slot = nowhere
    this.previous = undefined
    this.next = undefined
  }

  refresh(): void {
    this.touched = this.wheel.step
  }

  cancel(): void {
    this.wheel.drop(this)
  }
}

/** Runs `run` once, `ms` from now. */
export function after(ms: number, run: () => void): Timer {
  return exact(setTimeout(run, ms))
}

/** Runs `run` every `ms`, first `ms` from now; `refresh` starts the present interval over again. */
export function every(ms: number, run: () => void): Timer {
  return exact(setInterval(run, ms))
}

function exact(handle: NodeJS.Timeout): Timer {
  let cancelled = false
  return {
    refresh() {
      if (!cancelled) handle.refresh()
    },
    cancel() {
      cancelled = true
      clearTimeout(handle)
    },
  }
}

/** For retry loops: true when `ms` have passed, false as soon as `signal` is aborted. Never rejects. */
export function sleep(ms: number, signal?: AbortSignal): Promise<boolean> {
  if (signal?.aborted) return Promise.resolve(false)
  return new Promise((resolve) => {
    const aborted = (): void => {
      clearTimeout(handle)
      resolve(false)
    }
    const handle = setTimeout(() => {
      signal?.removeEventListener('abort', aborted)
      resolve(true)
    }, ms)
    signal?.addEventListener('abort', aborted, { once: true })
  })
}
