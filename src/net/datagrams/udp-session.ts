/**
 * One session of datagrams at a port: a client address and port, seen as a link. How datagrams come and go is the port's
 * affair, and so is what it needs to know of the client for that.
 */
import type { Timer, TimerWheel } from '../../base/timers.ts'
import { GatewayError } from '../../errors.ts'
import { gathered } from '../gathered.ts'
import type { Link, Receiver } from '../link.ts'
import type { DropReason } from '../wire.ts'

/** What a session asks of its port. */
export interface SessionPort<Client extends SessionClient> {
  readonly wheel: TimerWheel
  readonly idleMs: number
  /** Sends to the client. The bytes are as they were sent or forwarded. */
  reply(bytes: Uint8Array, client: Client): void
  /** Bytes of a datagram that last longer than the call that brought them: the same, or a copy. */
  kept(bytes: Uint8Array): Uint8Array
  forget(session: UdpSession<Client>): void
  /** A datagram of a client was not passed on. */
  dropped(reason: DropReason): void
}

/** Addresses as links show them. */
export interface SessionClient {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
}

/** Datagrams kept for a session that nobody has opened yet (or that is paused); later ones are dropped. */
const maxHeld = 16

export class UdpSession<Client extends SessionClient = SessionClient> implements Link {
  readonly carrier = 'datagram'
  readonly key: number | string
  readonly #port: SessionPort<Client>
  readonly #client: Client
  readonly #timer: Timer
  #receiver: Receiver | undefined
  #held: Uint8Array[] | undefined
  #paused: boolean
  #closed: boolean
  #told: boolean
  #bytesRead: number
  #bytesWritten: number
  #error: GatewayError | undefined

  /** `key` is what the port knows the client by. */
  constructor(port: SessionPort<Client>, key: number | string, client: Client) {
    this.key = key
    this.#port = port
    this.#client = client
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
    return this.#client.remoteAddress
  }

  get remotePort(): number {
    return this.#client.remotePort
  }

  get localAddress(): string {
    return this.#client.localAddress
  }

  get localPort(): number {
    return this.#client.localPort
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
    this.#port.reply(bytes, this.#client)
    return true
  }

  /** The same: a datagram leaves at once or is copied. */
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
      this.#hold(bytes)
      return
    }
    this.#bytesRead += bytes.length
    this.#receiver.bytes(this, bytes)
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

  #hold(bytes: Uint8Array): void {
    this.#held ??= []
    if (this.#held.length < maxHeld) this.#held.push(this.#port.kept(bytes))
    else this.#port.dropped('queue_full')
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
