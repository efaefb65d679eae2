/**
 * One attempt to connect to a numeric address, with a deadline. It tries nothing twice and resolves nothing.
 */
import { getSystemErrorName } from 'node:util'
import type { Timer } from '../../base/timers.ts'
import type { GatewayError } from '../../errors.ts'
import { isV6 } from '../address.ts'
import type { DialReceiver, Target } from '../wire.ts'
import { dialError, dialTimeout } from './dial-error.ts'
import type { ConnectRequest, TcpHandle } from './handles.ts'
import { TcpLink, type TcpShared } from './tcp-link.ts'

/** As `Wire.dial` for a stream without TLS. */
export function dialTcp(common: TcpShared, target: Target, receiver: DialReceiver): () => void {
  const dial = new TcpDial(common, target, receiver)
  return () => dial.cancel()
}

class TcpDial {
  readonly #common: TcpShared
  readonly #target: Target
  readonly #receiver: DialReceiver
  readonly #handle: TcpHandle
  readonly #timer: Timer
  #settled: boolean

  constructor(common: TcpShared, target: Target, receiver: DialReceiver) {
    const { handles } = common
    this.#common = common
    this.#target = target
    this.#receiver = receiver
    this.#handle = new handles.Tcp(0)
    this.#timer = common.wheel.start(target.timeoutMs, this)
    this.#settled = false
    const request = new handles.ConnectRequest()
    request.holder = this
    request.oncomplete = TcpDial.#onConnected
    const { host, port } = target
    const error = isV6(host) ? this.#handle.connect6(request, host, port) : this.#handle.connect(request, host, port)
    // Some errors are known at once, but the caller has not even got the means to cancel yet.
    if (error !== 0) process.nextTick(() => this.#connected(error))
  }

  cancel(): void {
    if (this.#settle()) this.#handle.close()
  }

  /** For the wheel. */
  expired(): void {
    const { host, port, timeoutMs } = this.#target
    this.#fail(dialTimeout(host, port, timeoutMs))
  }

  static readonly #onConnected = function (this: ConnectRequest, status: number): void {
    const dial = this.holder as TcpDial
    dial.#connected(status)
  }

  #connected(status: number): void {
    const { host, port, keepAliveMs } = this.#target
    if (status !== 0) {
      this.#fail(dialError(getSystemErrorName(status), host, port))
      return
    }
    if (!this.#settle()) return
    if (keepAliveMs > 0) this.#handle.setKeepAlive(true, Math.ceil(keepAliveMs / 1000))
    this.#receiver.connected(new TcpLink(this.#common, this.#handle, { address: host, port }, undefined))
  }

  #fail(error: GatewayError): void {
    if (!this.#settle()) return
    this.#handle.close()
    this.#receiver.failed(error)
  }

  /** False when the outcome is known already: a cancelled connect completes as well, with ECANCELED. */
  #settle(): boolean {
    if (this.#settled) return false
    this.#settled = true
    this.#timer.cancel()
    return true
  }
}
