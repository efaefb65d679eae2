/**
 * One session of datagrams at a port: a client address and port, seen as a link.
 */

import type { Timer, TimerWheel } from '../../base/timers.ts'
import { GatewayError } from '../../errors.ts'
import { shownAddress } from '../address.ts'
import { gathered } from '../gathered.ts'
import type { Link, Receiver } from '../link.ts'
import type { DropReason } from '../wire.ts'
import type { DatagramSocket } from './datagram-socket.ts'

/** What a session asks of its port. */
export interface UdpSessions {
  readonly socket: DatagramSocket
  readonly wheel: TimerWheel
  readonly idleMs: number
  readonly port: number
  forget(session: UdpSession): void
  /** A datagram of a client was not passed on. */
  dropped(reason: DropReason): void
}

/** Datagrams kept for a session that nobody has opened yet (or that is paused); later ones are dropped. */
const maxHeld = 16

export class UdpSession implements Link {
  readonly carrier = 'datagram'
  readonly key: string
  readonly #port: UdpSessions
  readonly #host: string
  readonly remotePort: number
  #receiver: Receiver | undefined
  #held: Uint8Array[] | undefined
  #paused: boolean
  #closed: boolean
  #told: boolean
  #bytesRead: number
  #bytesWritten: number
  #error: GatewayError | undefined
  readonly #timer: Timer

  constructor(port: UdpSessions, key: string, host: string, remotePort: number) {
    this.key = key
    this.#port = port
    this.#host = host
    this.remotePort = remotePort
    this.#receiver = undefined
    this.#held = undefined
    this.#paused = false
    this.#closed = false
    this.#told = false
    this.#bytesRead = 0
    this.#bytesWritten = 0
    this.#error = undefined
    this.#timer = port.wheel.start(port.idleMs, this)
  }

  get tls(): undefined {
    return undefined
  }

  get remoteAddress(): string {
    return shownAddress(this.#host)
  }

  get localAddress(): string {
    return shownAddress(this.#port.socket.localAddress)
  }

  get localPort(): number {
    return this.#port.port
  }

  get bytesRead(): number {
    return this.#bytesRead
  }

  get bytesWritten(): number {
    return this.#bytesWritten
  }

  /** Always none: what the system does not take is dropped. */
  get pending(): number {
    return 0
  }

  get closed(): boolean {
    return this.#closed
  }

  open(receiver: Receiver): void {
    const first = this.#receiver === undefined
    this.#receiver = receiver
    if (first) process.nextTick(deliver, this)
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    if (this.#held !== undefined && this.#receiver !== undefined) process.nextTick(deliver, this)
  }

  send(bytes: Uint8Array): boolean {
    if (this.#closed) return true
    this.#timer.refresh()
    this.#bytesWritten += bytes.length
    this.#port.socket.sendTo(bytes, this.#host, this.remotePort)
    return true
  }

  /** The same: datagrams each have memory of their own. */
  forward(bytes: Uint8Array): boolean {
    return this.send(bytes)
  }

  sendText(text: string, body?: Uint8Array): boolean {
    return this.send(gathered(text, body))
  }

  end(): void {}

  close(): void {
    this.#finish(undefined)
  }

  reset(): void {
    this.#finish(undefined)
  }

  /** For the wheel. */
  expired(): void {
    this.#finish(new GatewayError('idle_timeout'))
  }

  /** For the port: a datagram came. */
  arrived(bytes: Uint8Array): void {
    this.#timer.refresh()
    if (this.#held !== undefined || this.#paused || this.#receiver === undefined) {
      this.hold(bytes)
      return
    }
    this.#bytesRead += bytes.length
    this.#receiver.bytes(this, bytes)
  }

  /** For the port: keeps a datagram until the session is open. */
  hold(bytes: Uint8Array): void {
    this.#held ??= []
    if (this.#held.length < maxHeld) this.#held.push(bytes)
    else this.#port.dropped('queue_full')
  }

  deliver(): void {
    const receiver = this.#receiver as Receiver
    if (this.#closed) {
      this.#tell()
      return
    }
    const held = this.#held
    if (held === undefined || this.#paused) return
    this.#held = undefined
    for (const bytes of held) {
      if (this.#closed) return
      this.#bytesRead += bytes.length
      receiver.bytes(this, bytes)
    }
  }

  #finish(error: GatewayError | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.#error = error
    this.#held = undefined
    this.#timer.cancel()
    this.#port.forget(this)
    if (this.#receiver !== undefined) process.nextTick(deliver, this)
  }

  #tell(): void {
    if (this.#told) return
    this.#told = true
    this.#receiver?.closed(this, this.#error)
  }
}

function deliver(session: UdpSession): void {
  session.deliver()
}
