/**
 * The portable wire: whatever runs Node runs this. It opens and accepts links; TLS is laid over them by `tls-link.ts`.
 */
import { TimerWheel } from '../../base/timers.ts'
import { GatewayError } from '../../errors.ts'
import type { Link } from '../link.ts'
import type { DatagramOptions, DialReceiver, Listener, ListenOptions, Target, TlsTermination, Wire } from '../wire.ts'
import { dialPlain, listenPlain } from './plain-tcp.ts'

export interface PortableWireOptions {
  /** For deadlines of dials and closing links. Default: one of its own, which keeps no thread alive. */
  readonly wheel?: TimerWheel
}

export function createPortableWire(options: PortableWireOptions = {}): Wire {
  return new PortableWire(options.wheel ?? new TimerWheel({ unref: true }))
}

class PortableWire implements Wire {
  readonly name = 'portable'
  readonly #wheel: TimerWheel

  constructor(wheel: TimerWheel) {
    this.#wheel = wheel
  }

  listen(
    options: ListenOptions,
    accepted: (link: Link) => void,
    failed: (error: GatewayError) => void,
  ): Promise<Listener> {
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
    return dialPlain(target, this.#wheel, receiver)
  }

  terminate(_link: Link, _head: Uint8Array, _tls: TlsTermination, _receiver: DialReceiver): () => void {
    throw new GatewayError('internal', 'this wire terminates no TLS')
  }
}
