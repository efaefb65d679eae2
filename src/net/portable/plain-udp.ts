/**
 * Datagrams by the public API of `node:dgram`: where Node's own handles are not as `handles.ts` needs them.
 */
import dgram from 'node:dgram'
import { isV6 } from '../address.ts'
import { type DatagramSocket, portBufferBytes, type SocketOwner } from '../datagrams/datagram-socket.ts'
import { type DatagramSockets, maxPendingBytes, type PortOwner, type PortSocket } from './port-socket.ts'

export const plainSockets: DatagramSockets = {
  bind: ({ host, port, reusePort }, owner) => {
    const socket = new PlainSocket(owner, isV6(host), reusePort)
    socket.bind(host, port)
    return socket
  },
  connect: (host, port, owner) => {
    const socket = new PlainSocket(owner, isV6(host), false)
    socket.connect(host, port)
    return socket
  },
}

class PlainSocket implements DatagramSocket, PortSocket {
  readonly #socket: dgram.Socket
  #owner: SocketOwner | PortOwner | undefined
  #started: boolean

  constructor(owner: SocketOwner | PortOwner, v6: boolean, reusePort: boolean) {
    this.#owner = owner
    this.#started = false
    this.#socket = dgram.createSocket({ type: v6 ? 'udp6' : 'udp4', reusePort, lookup: literal })
    this.#socket.on('message', (bytes, from) => {
      if (this.#started) this.#owner?.message(bytes, from.address, from.port)
    })
    this.#socket.on('error', (error) => process.nextTick(() => this.#owner?.failed(error)))
  }

  get localAddress(): string {
    return this.#owner === undefined ? '' : this.#socket.address().address
  }

  get localPort(): number {
    return this.#owner === undefined ? 0 : this.#socket.address().port
  }

  get pending(): number {
    return this.#owner === undefined ? 0 : this.#socket.getSendQueueSize()
  }

  bind(host: string, port: number): void {
    this.#socket.bind({ address: host, port }, () => {
      try {
        this.#socket.setRecvBufferSize(portBufferBytes)
      } catch {
        // The system's own size has to do.
      }
      this.#ready()
    })
  }

  connect(host: string, port: number): void {
    this.#socket.connect(port, host, () => this.#ready())
  }

  start(): void {
    this.#started = true
  }

  send(bytes: Uint8Array): void {
    if (this.#owner !== undefined && this.pending <= maxPendingBytes) this.#socket.send(bytes, this.#sent)
  }

  sendTo(bytes: Uint8Array, host: string, port: number): void {
    if (this.#owner !== undefined && this.pending <= maxPendingBytes) this.#socket.send(bytes, port, host, this.#sent)
  }

  close(closed?: () => void): void {
    if (this.#owner === undefined) return
    this.#owner = undefined
    this.#socket.close(closed)
  }

  /** Since the look-up takes no time, Node may be ready before the owner has got hold of the socket. */
  #ready(): void {
    process.nextTick(() => this.#owner?.ready())
  }

  readonly #sent = (error: Error | null): void => {
    if (error !== null) this.#owner?.failed(error)
  }
}

/** Spares a numeric address the trip through the resolver, on every send. */
function literal(
  host: string,
  _options: unknown,
  done: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
): void {
  done(null, host, isV6(host) ? 6 : 4)
}
