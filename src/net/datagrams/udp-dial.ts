/**
 * The way to one UDP endpoint: a connected socket seen as a link. Connecting sends nothing; whether anybody is there
 * shows when an answer comes, or an ICMP message that says no.
 */

import { type Code, GatewayError } from '../../errors.ts'
import { shownAddress } from '../address.ts'
import { gathered } from '../gathered.ts'
import type { Link, Receiver } from '../link.ts'
import { dialError } from '../portable/dial-error.ts'
import type { DialReceiver, Target } from '../wire.ts'
import type { ConnectSocket, DatagramSocket, SocketOwner } from './datagram-socket.ts'

/** As `Wire.dial` for datagrams. */
export function dialUdp(connect: ConnectSocket, target: Target, receiver: DialReceiver): () => void {
  const link = new UdpLink(connect, target, receiver)
  return () => link.cancel()
}

class UdpLink implements Link, SocketOwner {
  readonly carrier = 'datagram'
  readonly remoteAddress: string
  readonly remotePort: number
  readonly #socket: DatagramSocket
  #dial: DialReceiver | undefined
  #receiver: Receiver | undefined
  #paused: boolean
  #closed: boolean
  #told: boolean
  #bytesRead: number
  #bytesWritten: number
  #error: GatewayError | undefined

  constructor(connect: ConnectSocket, target: Target, receiver: DialReceiver) {
    this.remoteAddress = shownAddress(target.host)
    this.remotePort = target.port
    this.#dial = receiver
    this.#receiver = undefined
    this.#paused = false
    this.#closed = false
    this.#told = false
    this.#bytesRead = 0
    this.#bytesWritten = 0
    this.#error = undefined
    this.#socket = connect(target.host, target.port, this)
  }

  get tls(): undefined {
    return undefined
  }

  get localAddress(): string {
    return shownAddress(this.#socket.localAddress)
  }

  get localPort(): number {
    return this.#socket.localPort
  }

  get bytesRead(): number {
    return this.#bytesRead
  }

  get bytesWritten(): number {
    return this.#bytesWritten
  }

  get pending(): number {
    return this.#socket.pending
  }

  get closed(): boolean {
    return this.#closed
  }

  open(receiver: Receiver): void {
    const first = this.#receiver === undefined
    this.#receiver = receiver
    if (!first) return
    if (this.#closed) process.nextTick(tell, this)
    else this.#socket.start()
  }

  /** Datagrams that come while it is paused are dropped, as any that find no room. */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
  }

  send(bytes: Uint8Array): boolean {
    if (this.#closed) return true
    this.#bytesWritten += bytes.length
    this.#socket.send(bytes)
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

  cancel(): void {
    if (this.#dial === undefined) return
    this.#dial = undefined
    this.#closed = true
    this.#socket.close()
  }

  ready(): void {
    const dial = this.#dial
    this.#dial = undefined
    dial?.connected(this)
  }

  message(bytes: Uint8Array): void {
    if (this.#closed || this.#paused) return
    this.#bytesRead += bytes.length
    this.#receiver?.bytes(this, bytes)
  }

  failed(error: NodeJS.ErrnoException): void {
    const dial = this.#dial
    if (dial !== undefined) {
      this.#dial = undefined
      this.#closed = true
      this.#socket.close()
      dial.failed(dialError(error.code ?? 'unknown', this.remoteAddress, this.remotePort, error))
      return
    }
    const code = fatal[error.code ?? '']
    // Anything else concerns one datagram: too long, no room, a route that flaps.
    if (code === undefined) return
    const answered = this.#bytesRead > 0 && code === 'connect_refused'
    this.#finish(new GatewayError(answered ? 'upstream_closed' : code, error.message, error))
  }

  tell(): void {
    if (this.#told || this.#receiver === undefined) return
    this.#told = true
    this.#receiver.closed(this, this.#error)
  }

  #finish(error: GatewayError | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.#error = error
    this.#socket.close()
    process.nextTick(tell, this)
  }
}

/** What ends a session: ICMP said that nobody is there, or that there is no way. */
const fatal: Readonly<Record<string, Code>> = {
  ECONNREFUSED: 'connect_refused',
  EHOSTUNREACH: 'connect_failed',
  ENETUNREACH: 'connect_failed',
}

function tell(link: UdpLink): void {
  link.tell()
}
