/**
 * A wire: what opens and accepts links. There is one per worker; which one is chosen at start.
 * Every method is callback based and allocation-shy because it runs once per connection.
 */
import type { SecureContext } from 'node:tls'
import type { GatewayError } from '../errors.ts'
import type { Link } from './link.ts'

export interface ListenOptions {
  /**
   * A numeric address; `::` also takes IPv4. Or `unix:` and a path, for a socket that the listener makes there, and removes when
   * it is closed; the port is 0 then, and cannot be shared.
   */
  readonly host: string
  readonly port: number
  readonly reusePort: boolean
  readonly backlog: number
  /** TCP keep-alive probing of accepted links, ms of silence before the first probe; 0 is off. */
  readonly keepAliveMs: number
}

export interface DatagramOptions {
  readonly host: string
  readonly port: number
  readonly reusePort: boolean
  /** A session without a datagram in either direction for so long ends with `idle_timeout`... */
  readonly idleMs: number
  /** ...and so many sessions at most: a datagram that would open one more is dropped and counted. */
  readonly maxSessions: number
  /** Called for every datagram of a client that is not passed on. */
  readonly dropped?: (reason: DropReason) => void
}

/** `too_many_sessions`: it would have opened one more; `queue_full`: too many wait for a session that is not open yet. */
export type DropReason = 'too_many_sessions' | 'queue_full'

export interface Listener {
  readonly host: string
  readonly port: number
  /** Stops accepting without closing the port (descriptors ran out); `resume` goes on. */
  pause(): void
  resume(): void
  /** Gives the port up. Links accepted earlier live on. Datagram sessions live on until they idle out or are closed. */
  close(): Promise<void>
}

/** How to speak TLS to an upstream. The context carries CA, client certificate and versions. */
export interface TlsOrigination {
  readonly context: SecureContext
  readonly serverName: string
  /** Refuse an endpoint whose certificate does not verify for `serverName`. */
  readonly verify: boolean
  readonly alpn: readonly string[]
}

export interface Target {
  readonly carrier: 'stream' | 'datagram'
  /** A numeric address: names were resolved long before. For streams also `unix:` and a path, and the port is not looked at. */
  readonly host: string
  readonly port: number
  /** For TCP connect and the TLS handshake together. */
  readonly timeoutMs: number
  readonly keepAliveMs: number
  readonly tls: TlsOrigination | undefined
}

/** Receives the outcome of one dial: exactly one of the two calls, never before `dial` returned. */
export interface DialReceiver {
  connected(link: Link): void
  failed(error: GatewayError): void
}

/** How to terminate TLS on an accepted link. */
export interface TlsTermination {
  readonly context: SecureContext
  /** Ask for a client certificate; without a valid one the handshake fails with `client_certificate`. */
  readonly requireClient: boolean
  /** Ask for one without insisting: the handshake passes, and `tls.peer` is there only if it is valid. */
  readonly requestClient?: boolean
  /** Intermediate authorities allowed between a client's certificate and a trusted root; without it any number. */
  readonly clientDepth?: number
  /** Sessions made under another value are not resumed. */
  readonly sessionScope: string
  readonly alpn: readonly string[]
  readonly timeoutMs: number
}

export interface Wire {
  readonly name: 'portable' | 'epoll' | 'uring'
  /** Rejects with the system's error (EADDRINUSE, EACCES, …). `accepted` gets links that have not read anything yet. */
  listen(
    options: ListenOptions,
    accepted: (link: Link) => void,
    failed: (error: GatewayError) => void,
  ): Promise<Listener>
  /** As `listen`; `accepted` gets one link per session, whose first datagram comes right after it was opened. */
  listenDatagrams(
    options: DatagramOptions,
    accepted: (link: Link) => void,
    failed: (error: GatewayError) => void,
  ): Promise<Listener>
  /** Begins to connect. The returned function gives up (neither call of the receiver follows). */
  dial(target: Target, receiver: DialReceiver): () => void
  /**
   * Terminates TLS on an accepted stream link from which `head` was already read (and nothing else).
   * The given link must not be used afterwards, except that giving up closes it.
   */
  terminate(link: Link, head: Uint8Array, tls: TlsTermination, receiver: DialReceiver): () => void
}
