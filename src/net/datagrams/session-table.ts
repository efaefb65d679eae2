/**
 * The sessions of a port: which clients it serves, whether it takes another one, and when the last has gone. Datagrams it
 * does not see.
 */
import { GatewayError } from '../../errors.ts'
import type { DropReason } from '../wire.ts'
import type { SessionClient, UdpSession } from './udp-session.ts'

export interface TableOptions {
  readonly host: string
  readonly port: number
  readonly maxSessions: number
  readonly dropped?: (reason: DropReason) => void
}

export class SessionTable<Client extends SessionClient> {
  readonly #options: TableOptions
  readonly #failed: (error: GatewayError) => void
  readonly #sessions: Map<number | string, UdpSession<Client>>
  /** Called when the port is no longer needed. */
  readonly #over: () => void
  #state: 'open' | 'closing' | 'closed'
  #paused: boolean
  /** Datagrams dropped since the last session was opened; the first of them is told. */
  #dropped: number

  constructor(options: TableOptions, failed: (error: GatewayError) => void, over: () => void) {
    this.#options = options
    this.#failed = failed
    this.#sessions = new Map()
    this.#over = over
    this.#state = 'open'
    this.#paused = false
    this.#dropped = 0
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  find(key: number | string): UdpSession<Client> | undefined {
    return this.#sessions.get(key)
  }

  /** Whether the datagram of an unknown client may open a session; it is dropped if not. */
  get admits(): boolean {
    if (this.#state !== 'open' || this.#paused) return false
    if (this.#sessions.size < this.#options.maxSessions) return true
    this.#drop()
    return false
  }

  add(session: UdpSession<Client>): void {
    this.#dropped = 0
    this.#sessions.set(session.key, session)
  }

  forget(session: UdpSession<Client>): void {
    this.#sessions.delete(session.key)
    if (this.#state === 'closing') this.#endIfEmpty()
  }

  /** No session is opened; those that are open go on. */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
  }

  /** While sessions live on their replies still need the port, and so it stays. */
  close(): void {
    if (this.#state !== 'open') return
    this.#state = 'closing'
    this.#endIfEmpty()
  }

  dropped(reason: DropReason): void {
    this.#options.dropped?.(reason)
  }

  #endIfEmpty(): void {
    if (this.#sessions.size > 0) return
    this.#state = 'closed'
    this.#over()
  }

  #drop(): void {
    this.#dropped += 1
    this.dropped('too_many_sessions')
    if (this.#dropped > 1) return
    const { host, port, maxSessions } = this.#options
    this.#failed(
      new GatewayError('too_many_links', `${maxSessions} sessions at ${host}:${port}: datagrams are dropped`),
    )
  }
}
