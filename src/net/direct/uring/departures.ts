/**
 * Those who have something to send, from turn to turn: their operations are written when a turn is handed to the kernel, and
 * are done when it has taken them. Only those that did not go as wanted complete; so whoever is not heard of has sent all.
 */
import { sendKind, tag } from './operations.ts'
import type { Outbox } from './outbox.ts'
import type { CompletionViewer, Ring } from './ring.ts'
import type { Slots } from './slots.ts'

export interface Departing {
  /** Somebody waits to hear that all has left. */
  readonly isAwaited: boolean
  /** Writes its operation, with `flight` as the first word that it carries. False: there is no room in this turn. */
  fly(flight: number): boolean
  /** It is known how that went: keeps account, calls nobody. True: somebody has to be told. */
  land(): boolean
  /** Calls them. */
  tell(): void
  /** The outbox is about to be used anew, and it has not flown yet. */
  leaveOutbox(): void
}

const flightMask = 0xffffff

export class Departures implements CompletionViewer {
  readonly #ring: Ring
  readonly #slots: Slots
  readonly #outbox: Outbox
  #ready: Departing[]
  #flying: Departing[]
  #landed: Departing[]
  #flight: number
  #isAwaited: boolean

  constructor(ring: Ring, slots: Slots, outbox: Outbox) {
    this.#ring = ring
    this.#slots = slots
    this.#outbox = outbox
    this.#ready = []
    this.#flying = []
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
    if (ready.length === 0) return
    const flight = tag(sendKind, this.#flight)
    const flying = this.#flying
    let left = 0
    for (let index = 0; index < ready.length; index += 1) {
      const sender = ready[index] as Departing
      if (sender.fly(flight)) {
        flying.push(sender)
        if (sender.isAwaited) this.#isAwaited = true
      } else {
        ready[left] = sender
        left += 1
      }
    }
    if (left > 0) this.#isAwaited = true
    ready.length = left
  }

  /** After the ring was entered, and before anybody hears of its completions. */
  arrive(): void {
    if (this.#ring.unsubmitted !== 0) return
    const flying = this.#flying
    if (flying.length > 0) {
      // What tells of a failure may be among those that are held back.
      if (this.#ring.hasOverflowed) return
      this.#ring.look(tag(sendKind, this.#flight), this)
      this.#flight = (this.#flight + 1) & flightMask
      for (let index = 0; index < flying.length; index += 1) {
        const sender = flying[index] as Departing
        if (sender.land()) this.#landed.push(sender)
      }
      flying.length = 0
    }
    const ready = this.#ready
    for (let index = 0; index < ready.length; index += 1) (ready[index] as Departing).leaveOutbox()
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
}
