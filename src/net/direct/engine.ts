/**
 * What drives the sockets of one thread: an engine, and what it tells its owners. Everything is a completion: an owner asks,
 * and is called when it is done, never from within the call that asked. Links, listeners and dials are written against this,
 * whether epoll or io_uring lies below. Errors are errno as the kernel counts them, positive.
 */

/** The address of a socket, as it is shown: numeric, without a zone, an IPv4-mapped one as IPv4. */
export interface SocketName {
  readonly host: string
  readonly port: number
}

export interface AcceptOwner {
  /** A connection: non-blocking, closed on exec, and the owner's from now on. `remote` where the engine has got to know it. */
  accepted(fd: number, remote: SocketName | undefined): void
  /** Accepting failed. The engine takes no more connections before `resume`. */
  acceptFailed(errno: number): void
}

/** A listening socket that is being accepted from. A new one is paused. */
export interface Acceptor {
  pause(): void
  resume(): void
  /** Closes the descriptor. Only connections that had been accepted by then may still be told. */
  close(): void
}

export interface ConnectOwner {
  /** The descriptor is the owner's from now on. */
  connected(fd: number): void
  /** The descriptor is closed. */
  connectFailed(errno: number): void
}

export interface StreamOwner {
  /** Whether `emptied` is waited for: without it, it need not be called. */
  readonly awaitsEmptied: boolean
  /** Bytes arrived, at least one. Borrowed: valid until this call returns. Only a stream of the same engine may `forward` them. */
  arrived(bytes: Uint8Array): void
  /** The peer's end: nothing arrives any more. Once. */
  peerEnded(): void
  /** Something had to wait, and nothing is pending any more. */
  emptied(): void
  /** After `shut`: the end has been sent, after all that was sent before. May come from within `shut`. */
  endSent(): void
  /** The connection is broken: nothing arrives or leaves any more. The owner still has to close. `doing` is the system call. */
  failed(errno: number, doing: string): void
  /** The last call, after `close` or `reset`. */
  gone(): void
}

/** A connected stream socket. A new one reads nothing. */
export interface Stream {
  /** Bytes taken for sending that the kernel has not taken yet. */
  readonly pending: number
  startReading(): void
  /** What was read already may still arrive in the current turn, not later. */
  stopReading(): void
  /** Sends bytes that the caller gives away. Not after `shut`. May call `failed` before it returns. */
  send(bytes: Uint8Array): void
  /** Sends bytes that are borrowed, from within `arrived` of whatever stream. As `send` otherwise; other bytes are copied. */
  forward(bytes: Uint8Array): void
  /** Sends text of latin1 and then bytes, which are only read until this returns, as one. As `send` otherwise. */
  sendText(text: string, body: Uint8Array | undefined): void
  /** What is only put off to leave together with what others send leaves now; then `pending` is what waits for the peer. */
  flush(): void
  /** Sends the end after all that is pending. Once. */
  shut(): void
  /** Closes at once; what is pending is lost. `gone` follows, nothing else. Idempotent, `reset` included. */
  close(): void
  /** The same, and the peer is told by a reset. */
  reset(): void
  /** Takes the descriptor out of the engine; no call follows, the stream is dead. `early`: bytes read and not delivered. */
  release(): { readonly fd: number; readonly early: Uint8Array | undefined }
}

export interface DatagramOwner {
  /** A datagram, borrowed: valid until this call returns. */
  arrived(bytes: Uint8Array): void
  /** A datagram could not be sent or received, or ICMP has said something of an earlier one. Never from within `send`. */
  failed(errno: number, doing: string): void
}

/** A connected socket of datagrams. A new one reads nothing. */
export interface Datagrams {
  startReading(): void
  /** Sends one of borrowed bytes. What the system does not take is dropped. */
  send(bytes: Uint8Array): void
  /** Closes the descriptor. Nothing is heard any more. */
  close(): void
}

export interface Watcher {
  /** The socket has something to read, or an error to tell. Asked again as long as it has. Bounded work per call. */
  readable(): void
}

/** A socket of datagrams whose owner reads and writes by itself. */
export interface Watch {
  /** Closes the descriptor. Nothing is heard any more. */
  close(): void
}

export interface Task {
  run(): void
}

export interface Engine {
  readonly name: 'epoll' | 'uring'
  /** `fd` is bound, listening, non-blocking, and the engine's from now on; as in all of these. */
  acceptor(fd: number, owner: AcceptOwner): Acceptor
  /** Connects to the address that is in `here` of `ffi/socket-address.ts`, which is read before this returns. The result gives up. */
  connect(fd: number, addressBytes: number, owner: ConnectOwner): () => void
  stream(fd: number, owner: StreamOwner): Stream
  datagrams(fd: number, owner: DatagramOwner): Datagrams
  watch(fd: number, watcher: Watcher): Watch
  /** Runs the task soon and once: after the events at hand, before the thread waits. */
  later(task: Task): void
}
