/** What sessions of datagrams ask of a connected socket, and what they do not ask of the system: whichever wire drives it. */

/** Whoever a socket reports to. */
export interface SocketOwner {
  /** Connected; never before the call that made the socket returned. */
  ready(): void
  /** A datagram. On some wires borrowed: valid until this call returns. */
  message(bytes: Uint8Array): void
  /** The system refused to connect (the owner closes the socket), to send or to receive; with `code`. */
  failed(error: NodeJS.ErrnoException): void
}

/** A socket that is connected to one peer. */
export interface DatagramSocket {
  readonly localAddress: string
  readonly localPort: number
  /** Bytes that the system has not taken yet. It is short of room then: datagrams are dropped rather than queued up. */
  readonly pending: number
  /** Receives from now on. */
  start(): void
  send(bytes: Uint8Array): void
  /** Nothing is reported any more. */
  close(): void
}

export type ConnectSocket = (host: string, port: number, owner: SocketOwner) => DatagramSocket

/** Asked of the system for a port: a burst should wait there, not be lost. It grants what it allows. */
export const portBufferBytes = 4 * 1024 * 1024
