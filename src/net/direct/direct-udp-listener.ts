/**
 * A UDP port, and its sessions: one link for each client address and port. Replies leave by the port's own socket, in
 * batches, from the address that the client spoke to.
 */
import type { TimerWheel } from '../../base/timers.ts'
import { GatewayError } from '../../errors.ts'
import type { Link } from '../link.ts'
import { portBufferBytes } from '../portable/datagram-socket.ts'
import { systemError } from '../portable/system-error.ts'
import type { DatagramOptions, DropReason, Listener } from '../wire.ts'
import { DirectUdpSession, type SessionPort } from './direct-udp-session.ts'
import type { Engine, SocketName, Task, Watch, Watcher } from './engine.ts'
import {
  batchSize,
  clientKeyAt,
  datagramAt,
  type LocalAddress,
  localAt,
  localNameAt,
  Outbox,
  type Peer,
  peerAt,
  peerNameAt,
  poisonDatagrams,
  receiveBatch,
} from './ffi/datagrams.ts'
import { inet, inet6 } from './ffi/socket-address.ts'
import { bindSocket, closeSocket, localName, openSocket, setPacketInfo, setReceiveRoom } from './ffi/sockets.ts'

export interface DatagramSide {
  readonly engine: Engine
  readonly wheel: TimerWheel
  /** Borrowed datagrams are overwritten when their time is over. */
  readonly checks: boolean
}

/** Throws the system's error, with `code`, as `node:dgram` would. */
export class DirectUdpListener implements Listener, SessionPort, Watcher, Task {
  readonly host: string
  readonly port: number
  readonly idleMs: number
  readonly wheel: TimerWheel
  readonly #side: DatagramSide
  readonly #options: DatagramOptions
  readonly #accepted: (link: Link) => void
  readonly #failed: (error: GatewayError) => void
  readonly #sessions: Map<number | string, DirectUdpSession>
  readonly #watch: Watch
  readonly #outbox: Outbox
  /** What all sessions share, unless the port listens on every address. */
  readonly #local: SocketName | undefined
  #queued: number
  #state: 'open' | 'closing' | 'closed'
  #paused: boolean
  /** Datagrams dropped since the last session was opened; the first of them is told. */
  #dropped: number

  constructor(
    side: DatagramSide,
    options: DatagramOptions,
    accepted: (link: Link) => void,
    failed: (error: GatewayError) => void,
  ) {
    const { host } = options
    this.host = host
    this.idleMs = options.idleMs
    this.wheel = side.wheel
    this.#side = side
    this.#options = options
    this.#accepted = accepted
    this.#failed = failed
    this.#sessions = new Map()
    this.#queued = 0
    this.#state = 'open'
    this.#paused = false
    this.#dropped = 0
    const fd = boundSocket(options)
    const name = localName(fd)
    this.port = name.port
    const isEverywhere = host === '0.0.0.0' || host === '::'
    if (isEverywhere) setPacketInfo(fd, host === '::' ? inet6 : inet)
    this.#local = isEverywhere ? undefined : name
    this.#outbox = new Outbox(fd)
    this.#watch = side.engine.watch(fd, this)
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
    if (this.#sessions.size === 0) this.#shut()
    return Promise.resolve()
  }

  /** For the engine: something has come. */
  readable(): void {
    const count = receiveBatch(this.#outbox.fd)
    for (let index = 0; index < count; index += 1) {
      if (this.#state === 'closed') return
      const bytes = datagramAt(index)
      if (bytes === undefined) this.dropped('queue_full')
      else {
        this.#arrived(index, bytes)
        if (this.#side.checks) poisonDatagrams(bytes)
      }
    }
  }

  /** For sessions only, as the next two. */
  reply(bytes: Uint8Array, peer: Peer, from: LocalAddress | undefined): void {
    if (this.#state === 'closed') return
    if (!Outbox.fits(bytes)) {
      this.run()
      this.#outbox.sendLarge(bytes, peer, from)
      return
    }
    // The batch is the thread's: another port's must leave before this one begins.
    if (batchOwner !== this) {
      batchOwner?.run()
      batchOwner = this
      this.#side.engine.later(this)
    }
    Outbox.put(this.#queued, bytes, peer, from)
    this.#queued += 1
    if (this.#queued === batchSize) this.#flush()
  }

  dropped(reason: DropReason): void {
    this.#options.dropped?.(reason)
  }

  forget(session: DirectUdpSession): void {
    this.#sessions.delete(session.key)
    if (this.#state === 'closing' && this.#sessions.size === 0) this.#shut()
  }

  /** For the engine: the events at hand are done, so the batch leaves. */
  run(): void {
    if (batchOwner === this) batchOwner = undefined
    this.#flush()
  }

  #flush(): void {
    const count = this.#queued
    this.#queued = 0
    if (count > 0 && this.#state !== 'closed') this.#outbox.send(count)
  }

  #arrived(index: number, bytes: Uint8Array): void {
    const key = clientKeyAt(index)
    const session = this.#sessions.get(key)
    if (session !== undefined) {
      session.arrived(bytes)
      return
    }
    if (this.#state !== 'open' || this.#paused) return
    if (this.#sessions.size >= this.#options.maxSessions) {
      this.#drop()
      return
    }
    this.#dropped = 0
    const local = this.#local ?? localNameAt(index, this.port)
    const from = this.#local === undefined ? localAt(index) : undefined
    const opened = new DirectUdpSession(this, key, peerAt(index), peerNameAt(index), local, from)
    this.#sessions.set(key, opened)
    opened.hold(bytes)
    this.#accepted(opened)
  }

  #shut(): void {
    this.run()
    this.#state = 'closed'
    this.#watch.close()
  }

  #drop(): void {
    this.#dropped += 1
    this.dropped('too_many_sessions')
    if (this.#dropped > 1) return
    const where = `${this.host}:${this.port}`
    const { maxSessions } = this.#options
    this.#failed(new GatewayError('too_many_links', `${maxSessions} sessions at ${where}: datagrams are dropped`))
  }
}

/** Whose replies are in the thread's batch. */
let batchOwner: DirectUdpListener | undefined

function boundSocket({ host, port, reusePort }: DatagramOptions): number {
  const fd = openSocket('datagram', host)
  if (fd < 0) throw systemError(fd, 'socket', host, port)
  const error = bindSocket(fd, host, port, reusePort ? 'port' : 'no')
  if (error < 0) {
    closeSocket(fd)
    throw systemError(error, 'bind', host, port)
  }
  setReceiveRoom(fd, portBufferBytes)
  return fd
}
