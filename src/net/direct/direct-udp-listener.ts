/**
 * A UDP port, and its sessions: one link for each client address and port. Replies leave by the port's own socket, in
 * batches, from the address that the client spoke to.
 */
import type { TimerWheel } from '../../base/timers.ts'
import type { GatewayError } from '../../errors.ts'
import { portBufferBytes } from '../datagrams/datagram-socket.ts'
import { SessionTable } from '../datagrams/session-table.ts'
import { type SessionClient, type SessionPort, UdpSession } from '../datagrams/udp-session.ts'
import type { Link } from '../link.ts'
import { systemError } from '../portable/system-error.ts'
import type { DatagramOptions, DropReason, Listener } from '../wire.ts'
import type { Engine, SocketName, Task, Watch, Watcher } from './engine.ts'
import { inbox } from './ffi/inbox.ts'
import type { LocalAddress, Peer } from './ffi/messages.ts'
import { outbox, type ReplySocket } from './ffi/outbox.ts'
import { inet, inet6 } from './ffi/socket-address.ts'
import { bindSocket, closeSocket, localName, openSocket, setPacketInfo, setReceiveRoom } from './ffi/sockets.ts'

export interface DatagramSide {
  readonly engine: Engine
  readonly wheel: TimerWheel
}

/** Throws the system's error, with `code`, as `node:dgram` would. */
export class DirectUdpListener implements Listener, SessionPort<Client>, Watcher, Task {
  readonly host: string
  readonly port: number
  readonly idleMs: number
  readonly wheel: TimerWheel
  readonly #engine: Engine
  readonly #accepted: (link: Link) => void
  readonly #table: SessionTable<Client>
  readonly #watch: Watch
  readonly #socket: ReplySocket
  /** What all sessions share, unless the port listens on every address. */
  readonly #local: SocketName | undefined

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
    this.#engine = side.engine
    this.#accepted = accepted
    const fd = boundSocket(options)
    const name = localName(fd)
    this.port = name.port
    const isEverywhere = host === '0.0.0.0' || host === '::'
    if (isEverywhere) setPacketInfo(fd, host === '::' ? inet6 : inet)
    this.#local = isEverywhere ? undefined : name
    this.#socket = { fd, mayJoin: true }
    this.#watch = side.engine.watch(fd, this)
    this.#table = new SessionTable({ ...options, port: this.port }, failed, () => this.#shut())
  }

  pause(): void {
    this.#table.pause()
  }

  resume(): void {
    this.#table.resume()
  }

  close(): Promise<void> {
    this.#table.close()
    return Promise.resolve()
  }

  /** For the engine: something has come. */
  readable(): void {
    const count = inbox.receive(this.#socket.fd)
    for (let index = 0; index < count; index += 1) {
      if (this.#table.isClosed) return
      const bytes = inbox.datagram(index)
      if (bytes === undefined) this.dropped('queue_full')
      else this.#arrived(index, bytes)
    }
  }

  /** For sessions only, as those up to `forget`. */
  reply(bytes: Uint8Array, { peer, from }: Client): void {
    if (this.#table.isClosed) return
    if (outbox.add(this.#socket, bytes, peer, from)) this.#engine.later(this)
  }

  /** They are borrowed here. */
  kept(bytes: Uint8Array): Uint8Array {
    return bytes.slice()
  }

  dropped(reason: DropReason): void {
    this.#table.dropped(reason)
  }

  forget(session: UdpSession<Client>): void {
    this.#table.forget(session)
  }

  /** For the engine: the events at hand are done, so replies leave. */
  run(): void {
    outbox.flush()
  }

  #arrived(index: number, bytes: Uint8Array): void {
    const table = this.#table
    const key = inbox.clientKey(index)
    const known = table.find(key)
    if (known !== undefined) {
      known.arrived(bytes)
      return
    }
    if (!table.admits) return
    const local = this.#local ?? inbox.localName(index, this.port)
    const from = this.#local === undefined ? inbox.local(index) : undefined
    const session = new UdpSession(this, key, new Client(inbox.peerName(index), local, inbox.peer(index), from))
    table.add(session)
    session.arrived(bytes)
    this.#accepted(session)
  }

  #shut(): void {
    this.run()
    this.#watch.close()
  }
}

class Client implements SessionClient {
  readonly #remote: SocketName
  readonly #local: SocketName
  readonly peer: Peer
  /** The address to answer from, where the port has several. */
  readonly from: LocalAddress | undefined

  constructor(remote: SocketName, local: SocketName, peer: Peer, from: LocalAddress | undefined) {
    this.#remote = remote
    this.#local = local
    this.peer = peer
    this.from = from
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
}

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
