/** A connected socket of datagrams on an engine. */
import { shownAddress } from '../address.ts'
import type { DatagramSocket, SocketOwner } from '../datagrams/datagram-socket.ts'
import { systemError } from '../portable/system-error.ts'
import type { DatagramOwner, Datagrams, Engine, SocketName } from './engine.ts'
import { errnos } from './ffi/calls.ts'
import { here, nowhere, writeAddress } from './ffi/socket-address.ts'
import { closeSocket, connectSocket, localName, openSocket } from './ffi/sockets.ts'

export class DirectDatagramSocket implements DatagramSocket, DatagramOwner {
  readonly #host: string
  readonly #port: number
  /** Negative: none. */
  #fd: number
  #local: SocketName | undefined
  #datagrams: Datagrams | undefined
  #owner: SocketOwner | undefined

  constructor(engine: Engine, host: string, port: number, owner: SocketOwner) {
    this.#host = host
    this.#port = port
    this.#fd = -1
    this.#local = undefined
    this.#datagrams = undefined
    this.#owner = owner
    const error = this.#connect()
    if (error === 0) this.#datagrams = engine.datagrams(this.#fd, this)
    engine.later({ run: () => this.#settle(-error) })
  }

  get localAddress(): string {
    return shownAddress(this.#self().host)
  }

  get localPort(): number {
    return this.#self().port
  }

  /** Always none: what the system does not take is dropped. */
  get pending(): number {
    return 0
  }

  start(): void {
    this.#datagrams?.startReading()
  }

  send(bytes: Uint8Array): void {
    this.#datagrams?.send(bytes)
  }

  close(): void {
    const fd = this.#fd
    this.#owner = undefined
    this.#fd = -1
    if (this.#datagrams !== undefined) this.#datagrams.close()
    else if (fd >= 0) closeSocket(fd)
    this.#datagrams = undefined
  }

  /** For the engine, as the next. */
  arrived(bytes: Uint8Array): void {
    this.#owner?.message(bytes)
  }

  failed(errno: number, doing: string): void {
    this.#owner?.failed(systemError(-errno, doing, this.#host, this.#port))
  }

  /** 0 or a negative errno. */
  #connect(): number {
    const fd = openSocket('datagram', this.#host)
    if (fd < 0) return fd
    this.#fd = fd
    const size = writeAddress(this.#host, this.#port)
    return size === 0 ? -errnos.EINVAL : connectSocket(fd, here, size)
  }

  #settle(errno: number): void {
    if (errno === 0) this.#owner?.ready()
    else this.failed(errno, 'connect')
  }

  #self(): SocketName {
    if (this.#fd < 0) return this.#local ?? nowhere
    this.#local ??= localName(this.#fd)
    return this.#local
  }
}
