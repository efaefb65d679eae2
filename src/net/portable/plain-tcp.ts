/**
 * Listening and dialling by the public API of `node:net`: where Node's own handles are not as `handles.ts` needs them, and for
 * Unix sockets.
 */
import net from 'node:net'
import type { Timer, TimerWheel } from '../../base/timers.ts'
import { GatewayError } from '../../errors.ts'
import { namelessUnix, unixPath } from '../address.ts'
import type { Link } from '../link.ts'
import type { DialReceiver, Listener, ListenOptions, Target } from '../wire.ts'
import { dialError, dialTimeout } from './dial-error.ts'
import { SocketLink } from './socket-link.ts'
import { systemError } from './system-error.ts'

/** EINVAL and EOPNOTSUPP, as libuv has them. */
const invalid = -22
const unsupported = -95

/** As `Wire.listen`. */
export async function listenPlain(
  options: ListenOptions,
  wheel: TimerWheel,
  accepted: (link: Link) => void,
  failed: (error: GatewayError) => void,
): Promise<Listener> {
  const listener = new PlainListener(options, wheel, accepted, failed)
  await listener.start(options.port)
  return listener
}

class PlainListener implements Listener {
  readonly host: string
  port: number
  readonly #options: ListenOptions
  readonly #failed: (error: GatewayError) => void
  readonly #onSocket: (socket: net.Socket) => void
  #server: net.Server | undefined
  #closed: boolean

  constructor(
    options: ListenOptions,
    wheel: TimerWheel,
    accepted: (link: Link) => void,
    failed: (error: GatewayError) => void,
  ) {
    this.host = options.host
    this.port = options.port
    this.#options = options
    this.#failed = failed
    const unix = unixPath(options.host) === undefined ? undefined : { local: options.host, remote: namelessUnix }
    this.#onSocket = (socket) => accepted(new SocketLink(socket, { resetCode: 'client_gone', wheel, unix }))
    this.#server = undefined
    this.#closed = false
  }

  start(port: number): Promise<void> {
    const { host, backlog, reusePort, keepAliveMs } = this.#options
    const server = net.createServer(
      {
        pauseOnConnect: true,
        allowHalfOpen: true,
        noDelay: true,
        keepAlive: keepAliveMs > 0,
        keepAliveInitialDelay: keepAliveMs,
      },
      this.#onSocket,
    )
    this.#server = server
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      const path = unixPath(host)
      if (path === '') throw systemError(invalid, 'bind', host, port)
      if (path !== undefined && reusePort) throw systemError(unsupported, 'bind', host, port)
      server.listen(path === undefined ? { host, port, backlog, reusePort } : { path, backlog }, () => {
        server.off('error', reject)
        server.on('error', (error) => this.#failed(GatewayError.from(error)))
        const address = server.address()
        if (address !== null && typeof address === 'object') this.port = address.port
        resolve()
      })
    })
  }

  pause(): void {
    this.#server?.close()
    this.#server = undefined
  }

  resume(): void {
    if (this.#server !== undefined || this.#closed) return
    this.start(this.port).catch((error: unknown) => {
      this.#server = undefined
      this.#failed(GatewayError.from(error))
    })
  }

  close(): Promise<void> {
    this.#closed = true
    // The port is free when this returns; Node's own callback would wait for the last link as well.
    this.pause()
    return Promise.resolve()
  }
}

/** As `Wire.dial` for a stream without TLS. */
export function dialPlain(target: Target, wheel: TimerWheel, receiver: DialReceiver): () => void {
  const dial = new PlainDial(target, wheel, receiver)
  return () => dial.cancel()
}

class PlainDial {
  readonly #target: Target
  readonly #wheel: TimerWheel
  readonly #receiver: DialReceiver
  readonly #socket: net.Socket
  readonly #timer: Timer
  #settled: boolean

  constructor(target: Target, wheel: TimerWheel, receiver: DialReceiver) {
    this.#target = target
    this.#wheel = wheel
    this.#receiver = receiver
    this.#settled = false
    this.#timer = wheel.start(target.timeoutMs, this)
    this.#socket = openSocket(target)
    this.#socket.pause()
    this.#socket.once('connect', () => this.#connected())
    this.#socket.on('error', this.#failed)
  }

  cancel(): void {
    if (!this.#settle()) return
    this.#socket.destroy()
  }

  expired(): void {
    if (!this.#settle()) return
    this.#socket.destroy()
    const { host, port, timeoutMs } = this.#target
    this.#receiver.failed(dialTimeout(host, port, timeoutMs))
  }

  #connected(): void {
    if (!this.#settle()) return
    this.#socket.off('error', this.#failed)
    const { host } = this.#target
    const unix = unixPath(host) === undefined ? undefined : { local: namelessUnix, remote: host }
    this.#receiver.connected(new SocketLink(this.#socket, { resetCode: 'upstream_reset', wheel: this.#wheel, unix }))
  }

  readonly #failed = (error: NodeJS.ErrnoException): void => {
    if (!this.#settle()) return
    this.#receiver.failed(dialError(error.code ?? 'unknown', this.#target.host, this.#target.port, error))
  }

  #settle(): boolean {
    if (this.#settled) return false
    this.#settled = true
    this.#timer.cancel()
    return true
  }
}

function openSocket({ host, port, keepAliveMs }: Target): net.Socket {
  const path = unixPath(host)
  const place = path === undefined ? { host, port, family: net.isIPv6(host) ? 6 : 4, lookup: numeric } : { path }
  // Without a path Node would take it for TCP.
  if (path === '') return new net.Socket().destroy(systemError(invalid, 'connect', host, port))
  return net.connect({
    ...place,
    allowHalfOpen: true,
    noDelay: true,
    autoSelectFamily: false,
    keepAlive: keepAliveMs > 0,
    keepAliveInitialDelay: keepAliveMs,
  })
}

/** Spares a numeric address the trip through the resolver. */
function numeric(host: string, _options: unknown, done: (error: null, address: string, family: number) => void): void {
  done(null, host, net.isIPv6(host) ? 6 : 4)
}
