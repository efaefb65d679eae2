/**
 * A UDP port, and its sessions: one link for each client address and port. Replies leave by the port's own socket.
 * Which endpoint a session belongs to is not known here.
 */
import type { TimerWheel } from '../../base/timers.ts'
import type { GatewayError } from '../../errors.ts'
import { shownAddress } from '../address.ts'
import { SessionTable } from '../datagrams/session-table.ts'
import { type SessionClient, type SessionPort, UdpSession } from '../datagrams/udp-session.ts'
import type { Link } from '../link.ts'
import type { DatagramOptions, DropReason, Listener } from '../wire.ts'
import type { DatagramSockets, PortOwner, PortSocket } from './port-socket.ts'

/** As `Wire.listenDatagrams`. */
export function listenUdp(
  sockets: DatagramSockets,
  options: DatagramOptions,
  wheel: TimerWheel,
  accepted: (link: Link) => void,
  failed: (error: GatewayError) => void,
): Promise<Listener> {
  return new Promise((resolve, reject) => {
    new UdpListener(sockets, options, wheel, accepted, failed, resolve, reject)
  })
}

class UdpListener implements Listener, PortOwner, SessionPort<Client> {
  readonly host: string
  port: number
  readonly idleMs: number
  readonly wheel: TimerWheel
  readonly #options: DatagramOptions
  readonly #socket: PortSocket
  readonly #accepted: (link: Link) => void
  readonly #failed: (error: GatewayError) => void
  readonly #bound: (listener: Listener) => void
  readonly #refused: (error: Error) => void
  /** Undefined until the port is bound. */
  #table: SessionTable<Client> | undefined
  #closed: (() => void) | undefined

  constructor(
    sockets: DatagramSockets,
    options: DatagramOptions,
    wheel: TimerWheel,
    accepted: (link: Link) => void,
    failed: (error: GatewayError) => void,
    bound: (listener: Listener) => void,
    refused: (error: Error) => void,
  ) {
    this.host = options.host
    this.port = options.port
    this.idleMs = options.idleMs
    this.wheel = wheel
    this.#options = options
    this.#accepted = accepted
    this.#failed = failed
    this.#bound = bound
    this.#refused = refused
    this.#table = undefined
    this.#closed = undefined
    this.#socket = sockets.bind(options, this)
  }

  get localAddress(): string {
    return this.#socket.localAddress
  }

  ready(): void {
    this.port = this.#socket.localPort
    const over = (): void => this.#socket.close(this.#closed)
    this.#table = new SessionTable({ ...this.#options, port: this.port }, this.#failed, over)
    this.#socket.start()
    this.#bound(this)
  }

  message(bytes: Uint8Array, host: string, port: number): void {
    const table = this.#table as SessionTable<Client>
    const key = `${host} ${port}`
    const known = table.find(key)
    if (known !== undefined) {
      known.arrived(bytes)
      return
    }
    if (!table.admits) return
    const session = new UdpSession(this, key, new Client(this, host, port))
    table.add(session)
    session.arrived(bytes)
    this.#accepted(session)
  }

  failed(error: NodeJS.ErrnoException): void {
    // A reply that could not leave is as good as lost on the way: a port that serves others has no use for it.
    if (this.#table !== undefined) return
    this.#socket.close()
    this.#refused(error)
  }

  pause(): void {
    this.#table?.pause()
  }

  resume(): void {
    this.#table?.resume()
  }

  close(): Promise<void> {
    const table = this.#table
    if (table === undefined || !table.isOpen) return Promise.resolve()
    return new Promise((resolve) => {
      this.#closed = resolve
      table.close()
      if (!table.isClosed) resolve()
    })
  }

  /** For sessions only, as those that follow. */
  reply(bytes: Uint8Array, { host, remotePort }: Client): void {
    this.#socket.sendTo(bytes, host, remotePort)
  }

  /** Each has memory of its own. */
  kept(bytes: Uint8Array): Uint8Array {
    return bytes
  }

  forget(session: UdpSession<Client>): void {
    this.#table?.forget(session)
  }

  dropped(reason: DropReason): void {
    this.#table?.dropped(reason)
  }
}

class Client implements SessionClient {
  readonly #listener: UdpListener
  /** As the system shows it. */
  readonly host: string
  readonly remotePort: number

  constructor(listener: UdpListener, host: string, port: number) {
    this.#listener = listener
    this.host = host
    this.remotePort = port
  }

  get remoteAddress(): string {
    return shownAddress(this.host)
  }

  get localAddress(): string {
    return shownAddress(this.#listener.localAddress)
  }

  get localPort(): number {
    return this.#listener.port
  }
}
