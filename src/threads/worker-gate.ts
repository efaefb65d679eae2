/** What a worker's configuration in force says of links that come in, and the account of those that are turned away. */
import type { GatewayError } from '../errors.ts'
import type { HelloInfo } from '../exchange/exchange.ts'
import type { StreamRoad } from '../forward/stream-road.ts'
import type { Link } from '../net/link.ts'
import type { TlsTermination } from '../net/wire.ts'
import type { Log } from '../observability/log.ts'
import type { Gate } from '../protocol/reception.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { WorkerConf } from './messages.ts'

export interface WorkerGateOptions {
  readonly current: () => Snapshot
  readonly conf: () => WorkerConf
  readonly road: StreamRoad
  readonly log: Log
}

export class WorkerGate implements Gate {
  readonly #options: WorkerGateOptions
  pending = 0
  accepted = 0
  turnedAway = 0

  constructor(options: WorkerGateOptions) {
    this.#options = options
  }

  admit(): boolean {
    this.accepted++
    const { road, conf } = this.#options
    // Every session holds a link on either side; a link in its handshake will.
    return (road.active + this.pending) * 2 < conf().maxLinks
  }

  needsHello(port: number): boolean {
    return this.#options.current().router.needsHello(port)
  }

  passesThrough(link: Link, hello: HelloInfo): boolean {
    return this.#options.current().router.passesThrough(link, hello)
  }

  termination(serverName: string | undefined): TlsTermination | undefined {
    const { fallbackSni, handshakeMs } = this.#options.conf()
    const certificate = this.#options.current().certificates.find(serverName ?? fallbackSni)
    return certificate?.termination(handshakeMs)
  }

  refused(link: Link, error: GatewayError): void {
    this.turnedAway++
    const fields = {
      client: `${link.remoteAddress}:${link.remotePort}`,
      port: link.localPort,
      code: error.code,
      cause: error.message,
    }
    if (error.origin === 'client') this.#options.log.info(fields, 'a connection was turned away')
    else this.#options.log.warn(fields, 'a connection was turned away')
  }
}
