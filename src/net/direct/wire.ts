/**
 * The direct wire: links driven through the kernel's own calls, by an engine that all wires of a thread share. TLS is left to
 * Node, which is given the descriptor. Linux on x64 and arm64, Node 26; loaded only where it is chosen, or looked into.
 */
import { TimerWheel } from '../../base/timers.ts'
import { GatewayError } from '../../errors.ts'
import type { ConnectSocket } from '../datagrams/datagram-socket.ts'
import { dialUdp } from '../datagrams/udp-dial.ts'
import type { Link } from '../link.ts'
import { dialTls } from '../portable/tls-dial.ts'
import { terminateTls } from '../portable/tls-handshake.ts'
import type { DatagramOptions, DialReceiver, Listener, ListenOptions, Target, TlsTermination, Wire } from '../wire.ts'
import { DirectDatagramSocket } from './direct-datagram-socket.ts'
import { dialDirect } from './direct-dial.ts'
import { DirectLink, type LinkSide } from './direct-link.ts'
import { DirectListener } from './direct-listener.ts'
import { type DatagramSide, DirectUdpListener } from './direct-udp-listener.ts'
import type { Engine } from './engine.ts'
import { LateProbes } from './late-probes.ts'

export interface DirectWireOptions {
  /** For deadlines of dials and closing links. Default: one of its own, which keeps no thread alive. */
  readonly wheel?: TimerWheel
  /** As in `EpollOptions`: tests and doubts. */
  readonly checks?: boolean
}

export class DirectWire implements Wire {
  readonly name: Engine['name']
  readonly #wheel: TimerWheel
  readonly #accepting: LinkSide
  readonly #dialling: LinkSide
  readonly #datagrams: DatagramSide

  constructor(engine: Engine, options: DirectWireOptions) {
    const wheel = options.wheel ?? new TimerWheel({ unref: true })
    this.name = engine.name
    this.#wheel = wheel
    const probes = new LateProbes(wheel)
    this.#accepting = { engine, wheel, probes, resetCode: 'client_gone' }
    this.#dialling = { engine, wheel, probes, resetCode: 'upstream_reset' }
    this.#datagrams = { engine, wheel }
  }

  listen(
    options: ListenOptions,
    accepted: (link: Link) => void,
    failed: (error: GatewayError) => void,
  ): Promise<Listener> {
    return Promise.try(() => new DirectListener(this.#accepting, options, accepted, failed))
  }

  listenDatagrams(
    options: DatagramOptions,
    accepted: (link: Link) => void,
    failed: (error: GatewayError) => void,
  ): Promise<Listener> {
    return Promise.try(() => new DirectUdpListener(this.#datagrams, options, accepted, failed))
  }

  dial(target: Target, receiver: DialReceiver): () => void {
    if (target.carrier === 'datagram') return dialUdp(this.#connectDatagrams, target, receiver)
    if (target.tls !== undefined) return dialTls(this.#connect, target, target.tls, this.#wheel, receiver)
    return this.#connect(target, receiver)
  }

  terminate(link: Link, head: Uint8Array, tls: TlsTermination, receiver: DialReceiver): () => void {
    let early: Uint8Array | undefined
    try {
      if (link instanceof DirectLink) early = link.detach()
      const all = early === undefined ? head : Buffer.concat([head, early])
      return terminateTls(link, all, tls, this.#wheel, receiver)
    } catch (error) {
      // It broke in the very turn in which it was to be handed over.
      return this.#refuse(new GatewayError('client_gone', 'the connection closed before TLS', error), receiver)
    }
  }

  #refuse(error: GatewayError, receiver: DialReceiver): () => void {
    let isWanted = true
    this.#accepting.engine.later({
      run() {
        if (isWanted) receiver.failed(error)
      },
    })
    return () => {
      isWanted = false
    }
  }

  readonly #connectDatagrams: ConnectSocket = (host, port, owner) =>
    new DirectDatagramSocket(this.#datagrams.engine, host, port, owner)

  readonly #connect = (target: Target, receiver: DialReceiver): (() => void) =>
    dialDirect(this.#dialling, target, receiver)
}
