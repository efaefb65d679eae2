/** The sockets of datagrams of this wire, whichever of Node's two ways drives them: `udp-handle.ts` or `plain-udp.ts`. */
import type { ConnectSocket } from '../datagrams/datagram-socket.ts'

export interface PortOwner {
  /** Bound; never before the call that made the socket returned. */
  ready(): void
  /** A datagram; the bytes stay as they are. `host` as the system shows it: to send back to it as it is. */
  message(bytes: Uint8Array, host: string, port: number): void
  /** The system refused to bind (the owner closes the socket), to send or to receive. */
  failed(error: NodeJS.ErrnoException): void
}

/** A socket that many sessions share. */
export interface PortSocket {
  readonly localAddress: string
  readonly localPort: number
  /** Receives from now on. */
  start(): void
  sendTo(bytes: Uint8Array, host: string, port: number): void
  /** Nothing is reported any more. */
  close(closed?: () => void): void
}

/** How to make them: `bind` for the port that sessions come in by, `connect` for the way to one endpoint. */
export interface DatagramSockets {
  bind(options: { host: string; port: number; reusePort: boolean }, owner: PortOwner): PortSocket
  readonly connect: ConnectSocket
}

/** How much may wait in this process for a socket that the system takes nothing from at the moment. */
export const maxPendingBytes = 256 * 1024
