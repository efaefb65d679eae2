/**
 * A UDP port, and its sessions: one link for each client address and port. Replies leave by the port's own socket.
 * Which endpoint a session belongs to is not known here.
 */
import type { TimerWheel } from '../../base/timers.ts'
import { GatewayError } from '../../errors.ts'
import type { Link } from '../link.ts'
import type { DatagramOptions, DropReason, Listener } from '../wire.ts'
import type { DatagramOwner, DatagramSocket, DatagramSockets } from './datagram-socket.ts'
import { UdpSession, type UdpSessions } from './udp-session.ts'

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

class UdpListener implements Listener, DatagramOwner, UdpSessions {
  readonly host: string
  port: number
  readonly idleMs: number
  readonly wheel: TimerWheel
  readonly socket: DatagramSocket
  readonly #maxSessions: number
  readonly #dropping: ((reason: DropReason) => void) | undefined
  readonly #sessions: Map<string, UdpSession>
  readonly #accepted: (link: Link) => void
  readonly #failed: (error: GatewayError) => void
  readonly #bound: (listener: Listener) => void
  readonly #refused: (error: Error) => void
  #state: 'binding' | 'open' | 'closing' | 'closed'
  #paused: boolean
  /** Datagrams dropped since the last session was opened; the first of them is told. */
  #dropped: number

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
    this.#maxSessions = options.maxSessions
    this.#dropping = options.dropped
    this.#sessions = new Map()
    this.#accepted = accepted
    this.#failed = failed
    this.#bound = bound
    this.#refused = refused
    this.#state = 'binding'
    this.#paused = false
    this.#dropped = 0
    this.socket = sockets.bind(options, this)
  }

  get localAddress(): string {
    return this.socket.localAddress
  }

  ready(): void {
    this.#state = 'open'
    this.port = this.socket.localPort
    this.socket.start()
    this.#bound(this)
  }

  message(bytes: Uint8Array, host: string, port: number): void {
    const key = `${host} ${port}`
    let session = this.#sessions.get(key)
    if (session === undefined) {
      if (this.#state !== 'open' || this.#paused) return
      if (this.#sessions.size >= this.#maxSessions) {
        this.#drop()
        return
      }
      this.#dropped = 0
      session = new UdpSession(this, key, host, port)
      this.#sessions.set(key, session)
      session.hold(bytes)
      this.#accepted(session)
      return
    }
    session.arrived(bytes)
  }

  failed(error: NodeJS.ErrnoException): void {
    // A reply that could not leave is as good as lost on the way: a port that serves others has no use for it.
    if (this.#state !== 'binding') return
    this.#shut(undefined)
    this.#refused(error)
  }

  /** No session is opened; those that are open go on. */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
  }

  /** While sessions live on their replies still need the socket, and so it stays. */
  close(): Promise<void> {
    if (this.#state !== 'open') return Promise.resolve()
    this.#state = 'closing'
    return this.#sessions.size === 0 ? new Promise((resolve) => this.#shut(resolve)) : Promise.resolve()
  }

  /** For sessions only. */
  dropped(reason: DropReason): void {
    this.#dropping?.(reason)
  }

  /** For sessions only. */
  forget(session: UdpSession): void {
    this.#sessions.delete(session.key)
    if (this.#state === 'closing' && this.#sessions.size === 0) this.#shut(undefined)
  }

  #shut(closed: (() => void) | undefined): void {
    this.#state = 'closed'
    this.socket.close(closed)
  }

  #drop(): void {
    this.#dropped += 1
    this.dropped('too_many_sessions')
    if (this.#dropped > 1) return
    const where = `${this.host}:${this.port}`
    this.#failed(new GatewayError('too_many_links', `${this.#maxSessions} sessions at ${where}: datagrams are dropped`))
  }
}
