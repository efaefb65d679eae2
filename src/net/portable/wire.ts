/**
 * The portable wire: whatever runs Node runs this. It opens and accepts links; TLS is laid over them by `tls-link.ts`.
 */
import { TimerWheel } from '../../base/timers.ts'
import { GatewayError } from '../../errors.ts'
import type { Link } from '../link.ts'
import type { DatagramOptions, DialReceiver, Listener, ListenOptions, Target, TlsTermination, Wire } from '../wire.ts'
import { findHandles } from './handles.ts'
import { dialPlain, listenPlain } from './plain-tcp.ts'
import { dialTcp } from './tcp-dial.ts'
import type { TcpShared } from './tcp-link.ts'
import { TcpListener } from './tcp-listener.ts'

export interface PortableWireOptions {
  /** For deadlines of dials and closing links. Default: one of its own, which keeps no thread alive. */
  readonly wheel?: TimerWheel
  /** Whether to use Node's own handles where they are as expected (the default), or the public modules in any case. */
  readonly handles?: boolean
}

export function createPortableWire(options: PortableWireOptions = {}): Wire {
  return new PortableWire(options.wheel ?? new TimerWheel({ unref: true }), options.handles ?? true)
}

class PortableWire implements Wire {
  readonly name = 'portable'
  readonly #wheel: TimerWheel
  readonly #accepting: TcpShared | undefined
  readonly #dialling: TcpShared | undefined

  constructor(wheel: TimerWheel, useHandles: boolean) {
    const handles = useHandles ? findHandles() : undefined
    this.#wheel = wheel
    this.#accepting = handles && { handles, wheel, resetCode: 'client_gone' }
    this.#dialling = handles && { handles, wheel, resetCode: 'upstream_reset' }
  }

  listen(
    options: ListenOptions,
    accepted: (link: Link) => void,
    failed: (error: GatewayError) => void,
  ): Promise<Listener> {
    const common = this.#accepting
    if (common !== undefined) return Promise.try(() => new TcpListener(common, options, accepted, failed))
    return listenPlain(options, this.#wheel, accepted, failed)
  }

  listenDatagrams(
    _options: DatagramOptions,
    _accepted: (link: Link) => void,
    _failed: (error: GatewayError) => void,
  ): Promise<Listener> {
    return Promise.reject(new GatewayError('internal', 'this wire carries no datagrams'))
  }

  dial(target: Target, receiver: DialReceiver): () => void {
    if (this.#dialling !== undefined) return dialTcp(this.#dialling, target, receiver)
    return dialPlain(target, this.#wheel, receiver)
  }

  terminate(_link: Link, _head: Uint8Array, _tls: TlsTermination, _receiver: DialReceiver): () => void {
    throw new GatewayError('internal', 'this wire terminates no TLS')
  }
}
