/** One attempt to connect to a numeric address, with a deadline. It tries nothing twice and resolves nothing. */
import { getSystemErrorName } from 'node:util'
import type { Timer } from '../../base/timers.ts'
import { unixPath } from '../address.ts'
import { dialError, dialTimeout } from '../portable/dial-error.ts'
import type { DialReceiver, Target } from '../wire.ts'
import { DirectLink, type LinkSide } from './direct-link.ts'
import type { ConnectOwner, SocketName } from './engine.ts'
import { errnos } from './ffi/calls.ts'
import { writeAddress } from './ffi/socket-address.ts'
import { closeSocket, openSocket } from './ffi/sockets.ts'

/** As `Wire.dial` for a stream without TLS. */
export function dialDirect(side: LinkSide, target: Target, receiver: DialReceiver): () => void {
  const dial = new DirectDial(side, target, receiver)
  return () => dial.cancel()
}

class DirectDial implements ConnectOwner {
  readonly #side: LinkSide
  readonly #target: Target
  readonly #receiver: DialReceiver
  readonly #timer: Timer
  #giveUp: (() => void) | undefined
  #settled: boolean

  constructor(side: LinkSide, target: Target, receiver: DialReceiver) {
    this.#side = side
    this.#target = target
    this.#receiver = receiver
    this.#timer = side.wheel.start(target.timeoutMs, this)
    this.#giveUp = undefined
    this.#settled = false
    this.#start()
  }

  cancel(): void {
    if (!this.#settle()) return
    this.#giveUp?.()
  }

  /** For the wheel. */
  expired(): void {
    if (!this.#settle()) return
    this.#giveUp?.()
    const { host, port, timeoutMs } = this.#target
    this.#receiver.failed(dialTimeout(host, port, timeoutMs))
  }

  /** For the engine, as the next. */
  connected(fd: number): void {
    const { host, port } = this.#target
    const isUnix = unixPath(host) !== undefined
    const link = new DirectLink(this.#side, fd, nameOf(host, port), undefined, isUnix)
    if (!this.#settle()) {
      link.reset()
      return
    }
    if (!isUnix) this.#side.probes.add(fd, this.#target.keepAliveMs)
    this.#receiver.connected(link)
  }

  connectFailed(errno: number): void {
    if (!this.#settle()) return
    const { host, port } = this.#target
    this.#receiver.failed(dialError(getSystemErrorName(-errno), host, port))
  }

  #start(): void {
    const { host, port } = this.#target
    const fd = openSocket('stream', host)
    if (fd < 0) {
      this.#failLater(-fd)
      return
    }
    const size = writeAddress(host, port)
    if (size === 0) {
      closeSocket(fd)
      this.#failLater(errnos.EINVAL)
    } else this.#giveUp = this.#side.engine.connect(fd, size, this)
  }

  /** Known at once, but the caller has not even got the means to cancel yet. */
  #failLater(errno: number): void {
    this.#side.engine.later({ run: () => this.connectFailed(errno) })
  }

  /** False when the outcome is known already. */
  #settle(): boolean {
    if (this.#settled) return false
    this.#settled = true
    this.#timer.cancel()
    return true
  }
}

function nameOf(host: string, port: number): SocketName {
  if (unixPath(host) !== undefined) return { host, port: 0 }
  const isMapped = host.startsWith('::ffff:') && host.includes('.')
  return { host: isMapped ? host.slice(7) : (host.split('%')[0] ?? host), port }
}
