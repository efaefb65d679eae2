/**
 * What sessions of datagrams ask of a socket, whichever of Node's two ways drives it: `udp-handle.ts` or `plain-udp.ts`.
 */

/** Whoever a socket reports to. */
export interface DatagramOwner {
  /** Bound, or connected; never before the call that made the socket returned. */
  ready(): void
  /** A datagram; the bytes stay as they are. `host` as the system shows it: to send back to it as it is. */
  message(bytes: Uint8Array, host: string, port: number): void
  /** The system refused: to bind or connect (the owner closes the socket), to send or to receive. */
  failed(error: NodeJS.ErrnoException): void
}

export interface DatagramSocket {
  readonly localAddress: string
  readonly localPort: number
  /** Bytes that the system has not taken yet. It is short of room then: datagrams are dropped rather than queued up. */
  readonly pending: number
  /** Receives from now on. */
  start(): void
  /** To the peer that it is connected to. */
  send(bytes: Uint8Array): void
  sendTo(bytes: Uint8Array, host: string, port: number): void
  /** Nothing is reported any more. */
  close(closed?: () => void): void
}

/** How to make them: `bind` for the port that sessions come in by, `connect` for the way to one endpoint. */
export interface DatagramSockets {
  bind(options: { host: string; port: number; reusePort: boolean }, owner: DatagramOwner): DatagramSocket
  connect(host: string, port: number, owner: DatagramOwner): DatagramSocket
}

/** Asked of the system for a port: a burst should wait there, not be lost. It grants what it allows. */
export const portBufferBytes = 4 * 1024 * 1024
/** How much may wait in this process for a socket that the system takes nothing from at the moment. */
export const maxPendingBytes = 256 * 1024
