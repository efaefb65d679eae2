/** A listener that does with TLS what the gateway does: reads the ClientHello, finds the certificate, terminates. */
import { TimerWheel } from '../../src/base/timers.ts'
import { GatewayError } from '../../src/errors.ts'
import type { Link, Receiver } from '../../src/net/link.ts'
import { alert, alerts } from '../../src/net/tls/alert.ts'
import {
  type CertificateDefaults,
  CertificateTable,
  compileCertificate,
  type SslLike,
} from '../../src/net/tls/certificates.ts'
import { readHello } from '../../src/net/tls/hello-reader.ts'
import type { Wire } from '../../src/net/wire.ts'
import { createTestWire } from './test-wire.ts'

export const testDefaults: CertificateDefaults = {
  protocols: ['TLSv1.2', 'TLSv1.3'],
  ciphers:
    'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384',
  sessionTickets: false,
  ticketSecret: new Uint8Array(32).fill(7),
}

export interface TlsListenerOptions {
  readonly defaults?: Partial<CertificateDefaults>
  readonly timeoutMs?: number
  readonly alpn?: readonly string[]
  readonly unverified?: 'refuse' | 'serve'
  readonly receiver?: Receiver
  readonly fallbackSni?: string
  readonly wire?: Wire
}

export class TlsListener {
  readonly wheel: TimerWheel
  readonly wire: Wire
  readonly links: Link[] = []
  readonly errors: GatewayError[] = []
  table = new CertificateTable()
  port = 0
  readonly #options: TlsListenerOptions
  readonly #open = new Set<Link>()
  #close: () => Promise<void> = () => Promise.resolve()

  constructor(options: TlsListenerOptions = {}) {
    this.wheel = new TimerWheel({ tickMs: 20, unref: true })
    this.wire = options.wire ?? createTestWire({ wheel: this.wheel })
    this.#options = options
  }

  set(ssl: Partial<SslLike> & Pick<SslLike, 'id' | 'snis' | 'pairs'>): void {
    const value: SslLike = { type: 'server', status: 1, ...ssl }
    this.table = this.table.with(value.id, compileCertificate(value, { ...testDefaults, ...this.#options.defaults }))
  }

  async start(): Promise<void> {
    const options = { host: '127.0.0.1', port: 0, reusePort: false, backlog: 511, keepAliveMs: 0 }
    const listener = await this.wire.listen(
      options,
      (link) => this.#accept(link),
      (error) => this.errors.push(error),
    )
    this.port = listener.port
    this.#close = () => listener.close()
  }

  async stop(): Promise<void> {
    await this.#close()
    for (const link of this.#open) link.reset()
    this.wheel.stop()
  }

  #accept(link: Link): void {
    const timeoutMs = this.#options.timeoutMs ?? 5_000
    readHello(
      link,
      { timeoutMs, maxBytes: 65_536, wheel: this.wheel },
      ({ head, hello, error, alert: description }) => {
        if (hello === undefined) {
          if (description !== undefined) link.send(alert(description))
          link.close()
          this.errors.push(error ?? new GatewayError('bad_tls', 'no TLS'))
          return
        }
        const certificate = this.table.find(hello.serverName ?? this.#options.fallbackSni)
        if (certificate === undefined) {
          link.send(alert(alerts.unrecognizedName))
          link.close()
          this.errors.push(new GatewayError('no_certificate', `no certificate for ${hello.serverName}`))
          return
        }
        const { alpn = [], unverified = 'refuse' } = this.#options
        this.wire.terminate(link, head, certificate.termination(timeoutMs, { alpn, unverified }), {
          connected: (inner) => {
            this.links.push(inner)
            this.#open.add(inner)
            inner.open(this.#options.receiver ?? echo)
          },
          failed: (failure) => this.errors.push(failure),
        })
      },
    )
  }
}

/** Sends everything back, with back-pressure, and ends when the peer does. */
export const echo: Receiver = {
  bytes(link, bytes) {
    if (!link.forward(bytes)) link.pause()
  },
  ended(link) {
    link.end()
  },
  drained(link) {
    link.resume()
  },
  closed() {},
}
