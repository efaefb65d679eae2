/**
 * Keep-alive probing of dialled connections, asked for once they have lived for a while: it takes four system calls, and most
 * connections are over before the first probe would be due. Accepted ones have it from their port.
 */
import type { Timer, TimerWheel } from '../../base/timers.ts'
import { setKeepAlive } from './ffi/sockets.ts'

/** How long a connection may have to live before its silence is counted. */
const lateMs = 5000

export class LateProbes {
  readonly #wheel: TimerWheel
  /** By descriptor, with the time of silence before the first probe. */
  readonly #young: Map<number, number>
  #timer: Timer | undefined

  constructor(wheel: TimerWheel) {
    this.#wheel = wheel
    this.#young = new Map()
    this.#timer = undefined
  }

  /** `idleMs` of silence, and probing begins; 0: never. */
  add(fd: number, idleMs: number): void {
    if (idleMs === 0) return
    this.#young.set(fd, idleMs)
    this.#timer ??= this.#wheel.start(lateMs, this)
  }

  /** The descriptor is about to be closed. */
  forget(fd: number): void {
    this.#young.delete(fd)
  }

  /** The descriptor goes elsewhere: it is now or never. */
  settle(fd: number): void {
    const idleMs = this.#young.get(fd)
    if (idleMs === undefined) return
    this.#young.delete(fd)
    setKeepAlive(fd, idleMs)
  }

  /** For the wheel. */
  expired(): void {
    this.#timer = undefined
    for (const [fd, idleMs] of this.#young) setKeepAlive(fd, idleMs)
    this.#young.clear()
  }
}
