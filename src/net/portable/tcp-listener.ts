/**
 * A TCP port that hands out links. When descriptors run out libuv sheds the waiting connections by itself, without a
 * word; what it does report comes once until a connection is accepted again.
 */
import { getSystemErrorName } from 'node:util'
import { GatewayError } from '../../errors.ts'
import { isV6 } from '../address.ts'
import type { Link } from '../link.ts'
import type { Listener, ListenOptions } from '../wire.ts'
import type { AddressInto, TcpHandle } from './handles.ts'
import { systemError } from './system-error.ts'
import { TcpLink, type TcpShared } from './tcp-link.ts'

/** Throws the system's error, with `code`, as `node:net` would. */
export class TcpListener implements Listener {
  readonly host: string
  readonly port: number
  readonly #common: TcpShared
  readonly #options: ListenOptions
  readonly #accepted: (link: Link) => void
  readonly #failed: (error: GatewayError) => void
  /** What accepted links need not ask for; undefined when the port listens on more than one address. */
  readonly #local: AddressInto | undefined
  #handle: TcpHandle
  #paused: boolean
  #closed: boolean
  #failing: boolean

  constructor(
    common: TcpShared,
    options: ListenOptions,
    accepted: (link: Link) => void,
    failed: (error: GatewayError) => void,
  ) {
    this.#common = common
    this.#options = options
    this.#accepted = accepted
    this.#failed = failed
    this.#paused = false
    this.#closed = false
    this.#failing = false
    this.host = options.host
    this.#handle = this.#bind(options.port)
    this.#listen(options.port)
    const address: AddressInto = {}
    this.#handle.getsockname(address)
    this.port = address.port ?? options.port
    const everywhere = options.host === '0.0.0.0' || options.host === '::'
    this.#local = everywhere ? undefined : { address: options.host, port: this.port }
  }

  /**
   * libuv cannot leave a connection in the queue: the listening socket is closed, and a bound one that does not listen
   * keeps the port. Meanwhile connections are refused, or go to the other threads that share the port.
   */
  pause(): void {
    if (this.#paused || this.#closed) return
    this.#paused = true
    this.#handle.close()
    try {
      this.#handle = this.#bind(this.port)
    } catch (error) {
      this.#report(error)
    }
  }

  resume(): void {
    if (!this.#paused || this.#closed) return
    try {
      this.#listen(this.port)
      this.#paused = false
    } catch (error) {
      this.#report(error)
    }
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    this.#closed = true
    return new Promise((resolve) => this.#handle.close(() => resolve()))
  }

  #bind(port: number): TcpHandle {
    const { host, reusePort } = this.#options
    const { handles } = this.#common
    const handle = new handles.Tcp(1)
    const flags = reusePort ? handles.tcpReusePort : 0
    const error = isV6(host) ? handle.bind6(host, port, flags) : handle.bind(host, port, flags)
    if (error === 0) return handle
    handle.close()
    throw systemError(error, 'bind', host, port)
  }

  #listen(port: number): void {
    const handle = this.#handle
    handle.holder = this
    handle.onconnection = TcpListener.#onConnection
    const error = handle.listen(this.#options.backlog)
    if (error === 0) return
    handle.close()
    throw systemError(error, 'listen', this.#options.host, port)
  }

  #report(error: unknown): void {
    this.#failed(GatewayError.from(error))
  }

  static readonly #onConnection = function (this: TcpHandle, status: number, client: TcpHandle | undefined): void {
    const listener = this.holder as TcpListener
    if (client === undefined) listener.#refused(status)
    else listener.#accept(client)
  }

  #accept(client: TcpHandle): void {
    this.#failing = false
    const { keepAliveMs } = this.#options
    if (keepAliveMs > 0) client.setKeepAlive(true, Math.ceil(keepAliveMs / 1000))
    // Asked now, for whoever logs: a connection that was reset has no peer any more, and a closed one no address.
    const remote: AddressInto = {}
    client.getpeername(remote)
    let local = this.#local
    if (local === undefined) {
      local = {}
      client.getsockname(local)
    }
    this.#accepted(new TcpLink(this.#common, client, remote, local))
  }

  #refused(status: number): void {
    if (this.#failing) return
    this.#failing = true
    const name = getSystemErrorName(status)
    const code = name === 'EMFILE' || name === 'ENFILE' ? 'out_of_descriptors' : 'internal'
    this.#failed(new GatewayError(code, `accept ${name} ${this.host}:${this.port}`))
  }
}
