/**
 * A TCP port that hands out links. When descriptors run out it accepts nothing for a while: connections wait in the kernel's
 * queue meanwhile, and it is told once until one is accepted again.
 */
import { unlinkSync } from 'node:fs'
import { getSystemErrorName } from 'node:util'
import { GatewayError } from '../../errors.ts'
import { shownAddress, shownPlace, unixPath } from '../address.ts'
import type { Link } from '../link.ts'
import { systemError } from '../portable/system-error.ts'
import type { Listener, ListenOptions } from '../wire.ts'
import { DirectLink, type LinkSide } from './direct-link.ts'
import type { AcceptOwner, Acceptor, SocketName } from './engine.ts'
import { errnos } from './ffi/calls.ts'
import { readAddress } from './ffi/socket-address.ts'
import {
  acceptSocket,
  bindSocket,
  closeSocket,
  listenSocket,
  localName,
  openSocket,
  setKeepAlive,
  setNoDelay,
} from './ffi/sockets.ts'

/** How long nothing is accepted after the system had no descriptor, or no memory, for a connection. */
const restMs = 200

/** Throws the system's error, with `code`, as `node:net` would. */
export class DirectListener implements Listener, AcceptOwner {
  readonly host: string
  readonly port: number
  readonly #side: LinkSide
  readonly #accepted: (link: Link) => void
  readonly #failed: (error: GatewayError) => void
  /** What accepted links need not ask for; undefined when the port listens on more than one address. */
  readonly #local: SocketName | undefined
  readonly #fd: number
  readonly #backlog: number
  readonly #acceptor: Acceptor
  /** Of a Unix socket: the file that is to go with it. */
  readonly #path: string | undefined
  #paused: boolean
  #closed: boolean
  #failing: boolean

  constructor(
    side: LinkSide,
    options: ListenOptions,
    accepted: (link: Link) => void,
    failed: (error: GatewayError) => void,
  ) {
    const { host, keepAliveMs } = options
    this.host = host
    this.#side = side
    this.#accepted = accepted
    this.#failed = failed
    this.#paused = false
    this.#closed = false
    this.#failing = false
    this.#backlog = options.backlog
    const fd = listeningSocket(options)
    this.#fd = fd
    this.#path = unixPath(host)
    // What is set here holds for every connection accepted from it, and spares each of them the calls.
    if (this.#path === undefined) setNoDelay(fd)
    if (this.#path === undefined && keepAliveMs > 0) setKeepAlive(fd, keepAliveMs)
    this.port = localName(fd).port
    const isEverywhere = host === '0.0.0.0' || host === '::'
    this.#local =
      isEverywhere || (this.#path === undefined && host.includes('%'))
        ? undefined
        : { host: shownAddress(host), port: this.port }
    this.#acceptor = side.engine.acceptor(fd, this)
    this.#acceptor.resume()
  }

  pause(): void {
    this.#paused = true
    this.#acceptor.pause()
  }

  resume(): void {
    this.#paused = false
    this.#acceptor.resume()
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    if (!this.#paused) this.#takeWaiting()
    this.#closed = true
    this.#acceptor.close()
    if (this.#path !== undefined) removePath(this.#path)
    return Promise.resolve()
  }

  /** The kernel resets what waits in the queue of a socket that closes. */
  #takeWaiting(): void {
    for (let count = 0; count < this.#backlog; count += 1) {
      const fd = acceptSocket(this.#fd)
      if (fd < 0) return
      this.accepted(fd, readAddress())
    }
  }

  /** For the engine, as the next. */
  accepted(fd: number, remote: SocketName | undefined): void {
    this.#failing = false
    const link = new DirectLink(this.#side, fd, remote, this.#local ?? localName(fd), true)
    this.#accepted(link)
  }

  acceptFailed(errno: number): void {
    this.#side.wheel.start(restMs, this)
    if (this.#failing) return
    this.#failing = true
    const code = errno === errnos.EMFILE || errno === errnos.ENFILE ? 'out_of_descriptors' : 'internal'
    this.#failed(new GatewayError(code, `accept ${getSystemErrorName(-errno)} ${shownPlace(this.host, this.port)}`))
  }

  /** For the wheel: there may be descriptors again. */
  expired(): void {
    if (!this.#paused) this.#acceptor.resume()
  }
}

function removePath(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Somebody has removed it already.
  }
}

function listeningSocket({ host, port, reusePort, backlog }: ListenOptions): number {
  const fd = openSocket('stream', host)
  if (fd < 0) throw systemError(fd, 'socket', host, port)
  let doing = 'bind'
  let error = bindSocket(fd, host, port, reusePort ? 'both' : 'address')
  if (error === 0) {
    doing = 'listen'
    error = listenSocket(fd, backlog)
  }
  if (error === 0) return fd
  closeSocket(fd)
  throw systemError(error, doing, host, port)
}
