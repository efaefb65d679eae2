/**
 * A link: a connected byte stream (or, for UDP, one session of datagrams), whatever drives it underneath.
 * Nothing here is particular to one wire: bytes are borrowed, sends complete, ends and closes are told apart.
 */
import type { GatewayError } from '../errors.ts'

/** What is known of a link whose TLS was terminated (or originated) here. Absent values are undefined. */
export interface TlsInfo {
  readonly serverName: string | undefined
  readonly alpn: string | undefined
  readonly protocol: string | undefined
  readonly cipher: string | undefined
  readonly resumed: boolean
  /** The client's certificate was asked for and passed verification: its subject, serial and SHA-1 fingerprint. */
  readonly peer: { readonly subject: string; readonly serial: string; readonly fingerprint: string } | undefined
}

/** Whoever consumes a link. One object may serve several links; every call names the link it is about. */
export interface Receiver {
  /** Bytes arrived (a whole datagram where the carrier is `datagram`). Borrowed: valid until this call returns. */
  bytes(link: Link, bytes: Uint8Array): void
  /** The peer half-closed: no more bytes will come; sending is still possible. Never called for datagrams. */
  ended(link: Link): void
  /** After a send answered false: everything accepted so far has left. */
  drained(link: Link): void
  /** The last call for this link, exactly once. An error when it did not end in order. */
  closed(link: Link, error: GatewayError | undefined): void
}

export interface Link {
  readonly carrier: 'stream' | 'datagram'
  /**
   * Numeric address without brackets or zone; IPv4-mapped IPv6 addresses are shown as IPv4. Of a Unix socket `unix:` and its path,
   * which clients have none of, and port 0. Read lazily.
   */
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  readonly tls: TlsInfo | undefined
  /** Payload bytes received so far (inside TLS, if any). */
  readonly bytesRead: number
  /** Payload bytes accepted for sending so far. */
  readonly bytesWritten: number
  /** Bytes accepted for sending that the kernel has not taken yet. */
  readonly pending: number
  readonly closed: boolean
  /** Starts delivery to `receiver`, or moves it to another one. A link reads nothing before the first call. */
  open(receiver: Receiver): void
  /** Stops and starts reading. Bytes already in flight to the receiver may still arrive in the current turn only. */
  pause(): void
  resume(): void
  /** Sends bytes that the caller gives away: they must not be changed afterwards. False: wait for `drained`. */
  send(bytes: Uint8Array): boolean
  /** Sends borrowed bytes: those of this thread's current read from where they lie, any others by a copy. False: wait for `drained`. */
  forward(bytes: Uint8Array): boolean
  /**
   * Sends a head and what follows it as one write. `text` is latin1: each of its characters is one byte. `body` is only read
   * until this returns, wherever it comes from; of datagrams both make one. False: wait for `drained`.
   */
  sendText(text: string, body?: Uint8Array): boolean
  /** Half-close: what was accepted is sent, then the end. For datagrams: nothing. */
  end(): void
  /**
   * Closes: what was accepted is still sent, if it can be within the lingering time of the wire. Idempotent. `peerIsDone`: the
   * peer has said that it sends nothing more, so that its end need not be waited for.
   */
  close(peerIsDone?: boolean): void
  /** Closes at once and lets the peer know by a reset where the carrier has one. Idempotent. */
  reset(): void
}
