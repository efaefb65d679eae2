/**
 * The portable wire: whatever runs Node runs this. It opens and accepts links; TLS is laid over them by `tls-handshake.ts`.
 */
import { TimerWheel } from '../../base/timers.ts'
import type { GatewayError } from '../../errors.ts'
import { unixPath } from '../address.ts'
import { dialUdp } from '../datagrams/udp-dial.ts'
import type { Link } from '../link.ts'
import type { DatagramOptions, DialReceiver, Listener, ListenOptions, Target, TlsTermination, Wire } from '../wire.ts'
import { findHandles } from './handles.ts'
import { dialPlain, listenPlain } from './plain-tcp.ts'
import { plainSockets } from './plain-udp.ts'
import type { DatagramSockets } from './port-socket.ts'
import { dialTcp } from './tcp-dial.ts'
import type { TcpShared } from './tcp-link.ts'
import { TcpListener } from './tcp-listener.ts'
import { dialTls } from './tls-dial.ts'
import { terminateTls } from './tls-handshake.ts'
import { handleSockets } from './udp-handle.ts'
import { listenUdp } from './udp-listener.ts'

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
  readonly #datagrams: DatagramSockets

  constructor(wheel: TimerWheel, useHandles: boolean) {
    const handles = useHandles ? findHandles() : undefined
    this.#wheel = wheel
    this.#accepting = handles && { handles, wheel, resetCode: 'client_gone' }
    this.#dialling = handles && { handles, wheel, resetCode: 'upstream_reset' }
    this.#datagrams = handles === undefined ? plainSockets : handleSockets(handles)
  }

  listen(
    options: ListenOptions,
    accepted: (link: Link) => void,
    failed: (error: GatewayError) => void,
  ): Promise<Listener> {
    const common = unixPath(options.host) === undefined ? this.#accepting : undefined
    if (common !== undefined) return Promise.try(() => new TcpListener(common, options, accepted, failed))
    return listenPlain(options, this.#wheel, accepted, failed)
  }

  listenDatagrams(
    options: DatagramOptions,
    accepted: (link: Link) => void,
    failed: (error: GatewayError) => void,
  ): Promise<Listener> {
    return listenUdp(this.#datagrams, options, this.#wheel, accepted, failed)
  }

  dial(target: Target, receiver: DialReceiver): () => void {
    if (target.carrier === 'datagram') return dialUdp(this.#datagrams.connect, target, receiver)
    if (target.tls !== undefined) return dialTls(this.#connect, target, target.tls, this.#wheel, receiver)
    return this.#connect(target, receiver)
  }

  terminate(link: Link, head: Uint8Array, tls: TlsTermination, receiver: DialReceiver): () => void {
    return terminateTls(link, head, tls, this.#wheel, receiver)
  }

  readonly #connect = (target: Target, receiver: DialReceiver): (() => void) => {
    if (this.#dialling !== undefined && unixPath(target.host) === undefined)
      return dialTcp(this.#dialling, target, receiver)
    return dialPlain(target, this.#wheel, receiver)
  }
}
