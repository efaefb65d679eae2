/** What a worker's configuration in force says of links that come in, and the account of those that are turned away. */
import type { GatewayError } from '../errors.ts'
import type { HelloInfo } from '../exchange/exchange.ts'
import type { Link } from '../net/link.ts'
import type { TlsTermination } from '../net/wire.ts'
import type { Log } from '../observability/log.ts'
import type { Gate } from '../protocol/reception.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { WorkerConf } from './messages.ts'

export interface WorkerGateOptions {
  readonly current: () => Snapshot
  readonly conf: () => WorkerConf
  /** Links of sessions and connections that were let in, both sides. */
  readonly links: () => number
  /** Ports of streams: routes there may ask for the SNI of TLS that is not terminated. */
  readonly streams: boolean
  readonly log: Log
}

export class WorkerGate implements Gate {
  readonly #options: WorkerGateOptions
  #pending = 0
  #settled: (() => void)[] = []
  accepted = 0
  turnedAway = 0

  constructor(options: WorkerGateOptions) {
    this.#options = options
  }

  get pending(): number {
    return this.#pending
  }

  set pending(count: number) {
    this.#pending = count
    if (count > 0 || this.#settled.length === 0) return
    const waiting = this.#settled
    this.#settled = []
    for (const resolve of waiting) resolve()
  }

  /** Resolves when no link waits for its exchange to be made. */
  settled(): Promise<void> {
    if (this.#pending === 0) return Promise.resolve()
    return new Promise((resolve) => this.#settled.push(resolve))
  }

  admit(): boolean {
    this.accepted++
    const { links, conf } = this.#options
    // A link in its handshake will have another one beside it.
    return links() + this.pending * 2 < conf().maxLinks
  }

  needsHello(port: number): boolean {
    return this.#options.streams && this.#options.current().router.needsHello(port)
  }

  passesThrough(link: Link, hello: HelloInfo): boolean {
    return this.#options.streams && this.#options.current().router.passesThrough(link, hello)
  }

  termination(serverName: string | undefined): TlsTermination | undefined {
    const { fallbackSni, handshakeMs } = this.#options.conf()
    const certificate = this.#options.current().certificates.find(serverName ?? fallbackSni)
    if (certificate === undefined) return undefined
    // Where some paths are exempt, requests without a certificate are refused once their path is known.
    const unverified = !this.#options.streams && certificate.hasExemptions ? 'serve' : 'refuse'
    return certificate.termination(handshakeMs, { unverified })
  }

  refused(link: Link, error: GatewayError): void {
    this.turnedAway++
    const { maxLinks, maxLinksBy } = this.#options.conf()
    const fields = {
      client: `${link.remoteAddress}:${link.remotePort}`,
      port: link.localPort,
      code: error.code,
      cause: error.message,
      ...(error.code === 'too_many_links' ? { limit: maxLinks, set_by: maxLinksBy } : {}),
    }
    if (error.origin === 'client') this.#options.log.info(fields, 'a connection was turned away')
    else this.#options.log.warn(fields, 'a connection was turned away')
  }
}
