/**
 * Those who have something to send, from turn to turn: their operations are written when a turn is handed to the kernel, and
 * are done when it has taken them. Only those that did not go as wanted complete; so whoever is not heard of has sent all.
 */
import { sendKind, tag } from './operations.ts'
import type { Outbox } from './outbox.ts'
import type { CompletionViewer, Ring } from './ring.ts'
import type { Slots } from './slots.ts'

/** `later`: it has to be asked again, since there is no room in this turn, or what flew before has not arrived. `nothing`: it has nothing to send. */
export type Flight = 'flown' | 'later' | 'nothing'

export interface Departing {
  /** Somebody waits to hear that all has left. */
  readonly isAwaited: boolean
  /** Writes its operation, with `flight` as the first word that it carries. Only then it lands, once. */
  fly(flight: number): Flight
  /** It is known how that went: keeps account, calls nobody. True: somebody has to be told. */
  land(): boolean
  /** Calls them. */
  tell(): void
  /** The outbox is about to be used anew, and it has not flown yet. */
  leaveOutbox(): void
}

const flightMask = 0xffffff

/** A list that is filled and emptied each turn: it keeps its memory, where an array would give it up. */
class Queue {
  readonly list: (Departing | undefined)[]
  size: number

  constructor() {
    this.list = []
    this.size = 0
  }

  push(one: Departing): void {
    this.list[this.size] = one
    this.size += 1
  }

  /** Those from `index` on are not kept alive by it any more. */
  cut(index: number): void {
    for (let at = index; at < this.size; at += 1) this.list[at] = undefined
    this.size = index
  }
}

export class Departures implements CompletionViewer {
  readonly #ring: Ring
  readonly #slots: Slots
  readonly #outbox: Outbox
  readonly #ready: Queue
  readonly #flying: Queue
  #landed: Departing[]
  #flight: number
  #isAwaited: boolean

  constructor(ring: Ring, slots: Slots, outbox: Outbox) {
    this.#ring = ring
    this.#slots = slots
    this.#outbox = outbox
    this.#ready = new Queue()
    this.#flying = new Queue()
    this.#landed = []
    this.#flight = 0
    this.#isAwaited = false
  }

  /** There is somebody to tell. */
  get hasLanded(): boolean {
    return this.#landed.length > 0
  }

  /** After `leave`: the thread must not wait for other things. */
  get isAwaited(): boolean {
    return this.#isAwaited
  }

  add(sender: Departing): void {
    this.#ready.push(sender)
  }

  /** Before the ring is entered. */
  leave(): void {
    const ready = this.#ready
    this.#isAwaited = false
    if (ready.size === 0) return
    const { list, size } = ready
    const flight = tag(sendKind, this.#flight)
    let left = 0
    for (let index = 0; index < size; index += 1) {
      const sender = list[index] as Departing
      const outcome = sender.fly(flight)
      if (outcome === 'later') {
        list[left] = sender
        left += 1
      } else if (outcome === 'flown') {
        this.#flying.push(sender)
        if (sender.isAwaited) this.#isAwaited = true
      }
    }
    if (left > 0) this.#isAwaited = true
    ready.cut(left)
  }

  /** After the ring was entered, and before anybody hears of its completions. */
  arrive(): void {
    if (this.#ring.unsubmitted !== 0) return
    const flying = this.#flying
    if (flying.size > 0) {
      // What tells of a failure may be among those that are held back.
      if (this.#ring.hasOverflowed) return
      this.#ring.look(tag(sendKind, this.#flight), this)
      this.#flight = (this.#flight + 1) & flightMask
      const { list, size } = flying
      for (let index = 0; index < size; index += 1) {
        const sender = list[index] as Departing
        if (sender.land()) this.#landed.push(sender)
      }
      flying.cut(0)
    }
    const { list, size } = this.#ready
    for (let index = 0; index < size; index += 1) (list[index] as Departing).leaveOutbox()
    this.#outbox.reset()
  }

  /** Tells those who have arrived. */
  tell(): void {
    if (this.#landed.length === 0) return
    // Whoever is told may cause others to arrive.
    const landed = this.#landed
    this.#landed = []
    for (const sender of landed) sender.tell()
  }

  /** For the ring: an operation of this flight took less than all. */
  seen(high: number, result: number): void {
    this.#slots.find(high)?.completed(sendKind, result, 0)
  }

  /** One that comes by while completions are held back; those of earlier flights have been seen. */
  completed(low: number, high: number, result: number): void {
    if (low === tag(sendKind, this.#flight)) this.seen(high, result)
  }
}
