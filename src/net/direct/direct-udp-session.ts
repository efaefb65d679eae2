/**
 * One session of datagrams at a port: a client address and port, seen as a link.
 */

import type { Timer, TimerWheel } from '../../base/timers.ts'
import { GatewayError } from '../../errors.ts'
import { gathered } from '../gathered.ts'
import type { Link, Receiver } from '../link.ts'
import type { DropReason } from '../wire.ts'
import type { SocketName } from './engine.ts'
import type { LocalAddress, Peer } from './ffi/datagrams.ts'

/** What a session asks of its port. */
export interface SessionPort {
  readonly wheel: TimerWheel
  readonly idleMs: number
  /** Copies the bytes. */
  reply(bytes: Uint8Array, peer: Peer, from: LocalAddress | undefined): void
  forget(session: DirectUdpSession): void
  /** A datagram of a client was not passed on. */
  dropped(reason: DropReason): void
}

/** Datagrams kept for a session that nobody has opened yet (or that is paused); later ones are dropped. */
const maxHeld = 16

export class DirectUdpSession implements Link {
  readonly carrier = 'datagram'
  readonly key: number | string
  readonly #port: SessionPort
  readonly #peer: Peer
  readonly #remote: SocketName
  readonly #local: SocketName
  readonly #from: LocalAddress | undefined
  readonly #timer: Timer
  #receiver: Receiver | undefined
  #held: Uint8Array[] | undefined
  #paused: boolean
  #closed: boolean
  #told: boolean
  #bytesRead: number
  #bytesWritten: number
  #error: GatewayError | undefined

  /** `from`: the address to answer from, where the port has several. */
  constructor(
    port: SessionPort,
    key: number | string,
    peer: Peer,
    remote: SocketName,
    local: SocketName,
    from: LocalAddress | undefined,
  ) {
    this.key = key
    this.#port = port
    this.#peer = peer
    this.#remote = remote
    this.#local = local
    this.#from = from
    this.#timer = port.wheel.start(port.idleMs, this)
    this.#receiver = undefined
    this.#held = undefined
    this.#paused = false
    this.#closed = false
    this.#told = false
    this.#bytesRead = 0
    this.#bytesWritten = 0
    this.#error = undefined
  }

  get tls(): undefined {
    return undefined
  }

  get remoteAddress(): string {
    return this.#remote.host
  }

  get remotePort(): number {
    return this.#remote.port
  }

  get localAddress(): string {
    return this.#local.host
  }

  get localPort(): number {
    return this.#local.port
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
    this.#port.reply(bytes, this.#peer, this.#from)
    return true
  }

  /** The same: what is sent is copied in any case. */
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

  /** For the port: a datagram came, borrowed. */
  arrived(bytes: Uint8Array): void {
    this.#timer.refresh()
    if (this.#held !== undefined || this.#paused || this.#receiver === undefined) {
      this.hold(bytes)
      return
    }
    this.#bytesRead += bytes.length
    this.#receiver.bytes(this, bytes)
  }

  /** For the port: keeps a copy of a datagram until the session is open. */
  hold(bytes: Uint8Array): void {
    this.#held ??= []
    if (this.#held.length < maxHeld) this.#held.push(bytes.slice())
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

function deliver(session: DirectUdpSession): void {
  session.deliver()
}
