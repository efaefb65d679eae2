/**
 * Datagrams over Node's own handles: no events, no request object per datagram, and no name looked up for an address.
 */
import { isV6 } from '../address.ts'
import { type DatagramSocket, portBufferBytes, type SocketOwner } from '../datagrams/datagram-socket.ts'
import type { AddressInto, Handles, SendRequest, UdpHandle } from './handles.ts'
import { type DatagramSockets, maxPendingBytes, type PortOwner, type PortSocket } from './port-socket.ts'
import { systemError } from './system-error.ts'

export function handleSockets(handles: Handles): DatagramSockets {
  return {
    bind: ({ host, port, reusePort }, owner) => {
      const socket = new HandleSocket(handles, owner, isV6(host))
      socket.bind(host, port, reusePort)
      return socket
    },
    connect: (host, port, owner) => {
      const socket = new HandleSocket(handles, owner, isV6(host))
      socket.connect(host, port)
      return socket
    },
  }
}

/** The argument of every send; nothing keeps it when a send is done at once. */
const list: Uint8Array[] = []

class HandleSocket implements DatagramSocket, PortSocket {
  readonly #handles: Handles
  readonly #handle: UdpHandle
  readonly #v6: boolean
  #owner: SocketOwner | PortOwner | undefined
  #request: SendRequest
  #pending: number

  constructor(handles: Handles, owner: SocketOwner | PortOwner, v6: boolean) {
    this.#handles = handles
    this.#handle = new handles.Udp()
    this.#v6 = v6
    this.#owner = owner
    this.#request = new handles.SendRequest()
    this.#pending = 0
    this.#handle.holder = this
    this.#handle.onmessage = HandleSocket.#onMessage
    this.#handle.onerror = HandleSocket.#onError
  }

  get localAddress(): string {
    return this.#address().address ?? ''
  }

  get localPort(): number {
    return this.#address().port ?? 0
  }

  get pending(): number {
    return this.#pending
  }

  bind(host: string, port: number, reusePort: boolean): void {
    const flags = reusePort ? this.#handles.udpReusePort : 0
    const handle = this.#handle
    const error = this.#v6 ? handle.bind6(host, port, flags) : handle.bind(host, port, flags)
    if (error === 0) handle.bufferSize(portBufferBytes, true, {})
    this.#settle(error, 'bind', host, port)
  }

  connect(host: string, port: number): void {
    const error = this.#v6 ? this.#handle.connect6(host, port) : this.#handle.connect(host, port)
    this.#settle(error, 'connect', host, port)
  }

  start(): void {
    const error = this.#handle.recvStart()
    if (error < 0) process.nextTick(() => this.#owner?.failed(systemError(error, 'recv')))
  }

  send(bytes: Uint8Array): void {
    if (this.#owner === undefined || this.#pending > maxPendingBytes) return
    list[0] = bytes
    const result = this.#handle.send(this.#request, list, 1, true)
    if (result <= 0) this.#unfinished(result, bytes)
  }

  sendTo(bytes: Uint8Array, host: string, port: number): void {
    if (this.#owner === undefined || this.#pending > maxPendingBytes) return
    list[0] = bytes
    const result = this.#v6
      ? this.#handle.send6(this.#request, list, 1, port, host, true)
      : this.#handle.send(this.#request, list, 1, port, host, true)
    if (result <= 0) this.#unfinished(result, bytes)
  }

  close(closed?: () => void): void {
    if (this.#owner === undefined) return
    this.#owner = undefined
    this.#handle.close(closed)
  }

  #address(): AddressInto {
    const address: AddressInto = {}
    if (this.#owner !== undefined) this.#handle.getsockname(address)
    return address
  }

  /** Known at once, told later: the caller does not hold the socket yet. */
  #settle(error: number, syscall: string, host: string, port: number): void {
    process.nextTick(() => {
      if (error === 0) this.#owner?.ready()
      else this.#owner?.failed(systemError(error, syscall, host, port))
    })
  }

  #unfinished(result: number, bytes: Uint8Array): void {
    if (result < 0) {
      process.nextTick(() => this.#owner?.failed(systemError(result, 'send')))
      return
    }
    // It waits in the handle now, and the request with it.
    const request = this.#request
    this.#request = new this.#handles.SendRequest()
    request.link = this
    request.memory = bytes
    request.oncomplete = HandleSocket.#onSent
    this.#pending += bytes.length
  }

  static readonly #onSent = function (this: SendRequest, status: number): void {
    const socket = this.link as HandleSocket
    socket.#pending -= (this.memory as Uint8Array).length
    this.memory = undefined
    if (status < 0) socket.#owner?.failed(systemError(status, 'send'))
  }

  static readonly #onMessage = function (
    this: UdpHandle,
    size: number,
    _handle: UdpHandle,
    bytes: Uint8Array | undefined,
    from: { address: string; port: number },
  ): void {
    const owner = (this.holder as HandleSocket).#owner
    if (bytes !== undefined && size >= 0) owner?.message(bytes, from.address, from.port)
    else owner?.failed(systemError(size, 'recv'))
  }

  static readonly #onError = function (this: UdpHandle, _size: number, _handle: UdpHandle, error: Error): void {
    const { holder } = this
    ;(holder as HandleSocket).#owner?.failed(error)
  }
}
