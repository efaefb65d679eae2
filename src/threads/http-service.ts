/**
 * HTTP in one worker: its road, the connections of its clients, the settings in force. It listens to nothing and compiles
 * nothing; who does hands it links and the snapshot.
 */
import { DenseSet } from '../base/dense-set.ts'
import { IpSet } from '../base/ip-set.ts'
import { sleep, type TimerWheel } from '../base/timers.ts'
import type { GatewayError } from '../errors.ts'
import type { HttpSession } from '../exchange/http-session.ts'
import type { ChainLeases } from '../forward/chain-leases.ts'
import { HttpExchangeRoad } from '../forward/http-road.ts'
import type { HttpRoadSettings } from '../forward/http-road-options.ts'
import { compileToldClient } from '../forward/told-client.ts'
import type { Link } from '../net/link.ts'
import type { Wire } from '../net/wire.ts'
import type { Log } from '../observability/log.ts'
import type { HttpConnection, HttpProtocol, HttpSettings } from '../protocol/http-protocol.ts'
import type { Beginning } from '../protocol/protocol.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { HttpDoor } from './listening.ts'
import type { HttpConf, WorkerConf } from './messages.ts'
import type { WorkerGate } from './worker-gate.ts'

export interface HttpServiceOptions {
  readonly conf: WorkerConf
  readonly current: () => Snapshot
  readonly wire: Wire
  readonly wheel: TimerWheel
  /** Versions of HTTP; the first one serves connections that settle on none. */
  readonly protocols: readonly HttpProtocol[]
  readonly leases: ChainLeases
  readonly gate: WorkerGate
  readonly log: Log
  readonly ended: (exchange: HttpSession) => void
  readonly refused: (link: Link, error: GatewayError, status: number, listener: string) => void
}

/** How often a drain looks whether the last connections have closed. */
const settleMs = 10

type Settings = { -readonly [K in keyof HttpSettings]: HttpSettings[K] }

export class HttpService implements HttpDoor {
  readonly road: HttpExchangeRoad
  readonly gate: WorkerGate
  readonly alpn: readonly string[]
  readonly #protocol: HttpProtocol
  readonly #settings: Settings
  #roadSettings: HttpRoadSettings

  constructor(options: HttpServiceOptions) {
    const [protocol] = options.protocols
    if (protocol === undefined) throw new Error('no version of HTTP is built in')
    this.#protocol = protocol
    this.gate = options.gate
    this.alpn = options.protocols.flatMap((one) => one.alpn)
    const { conf, wheel } = options
    this.#settings = {
      ...connectionSettings(conf.http),
      wheel,
      draining: false,
      connections: new DenseSet<HttpConnection>(),
    }
    this.#roadSettings = roadSettings(conf)
    this.road = new HttpExchangeRoad({
      current: options.current,
      settings: () => this.#roadSettings,
      wire: options.wire,
      wheel,
      clientOf: (scheme) => (scheme === 'http' || scheme === 'https' ? protocol : undefined),
      statusOf: (error) => (protocol.failures[error.code] ?? protocol.failures[error.kind]).status,
      leases: options.leases,
      log: options.log,
      ended: options.ended,
      refused: options.refused,
    })
  }

  serve(link: Link, beginning: Beginning, listener: string): void {
    this.#protocol.serve(link, beginning, this.road, this.#settings, listener)
  }

  /** Other settings, for connections that are open as well. */
  configure(conf: WorkerConf): void {
    Object.assign(this.#settings, connectionSettings(conf.http))
    this.#roadSettings = roadSettings(conf)
  }

  /** Connections of clients. */
  get connections(): number {
    return this.#settings.connections.size
  }

  /** Resolves when no exchange is under way and no connection is open. */
  async idle(): Promise<void> {
    await this.road.idle()
    // Connections close a moment after their last answer; who drains them asks again.
    if (this.connections > 0) await sleep(settleMs)
  }

  /** A listener is gone: its connections end with the answer in progress, at the latest after `lingerMs`. */
  drainListener(listener: string, lingerMs: number): void {
    const ours = this.#settings.connections.list().filter((connection) => connection.listener === listener)
    for (const connection of ours) connection.drain()
    this.#settings.wheel.start(lingerMs, {
      expired: () => {
        for (const connection of ours) if (connection.place !== -1) connection.link.close()
      },
    })
  }

  /** Ends idle connections now, the others with the answer in progress. */
  drain(): void {
    this.#settings.draining = true
    for (const connection of this.#settings.connections.list()) connection.drain()
  }

  /** Closes what is left. */
  cut(reason: string): void {
    this.road.cut('draining', reason)
    for (const { link } of this.#settings.connections.list()) link.close()
  }
}

function connectionSettings(http: HttpConf): Omit<HttpSettings, 'wheel' | 'draining' | 'connections'> {
  const { headerMs, bodyMs, idleMs, sendMs, maxLineBytes, maxHeadBytes, maxHeaders, maxBodyBytes, maxRequests } = http
  const { memoryBodyBytes, spillFolder, underscores } = http
  return {
    ...{ headerMs, bodyMs, idleMs, sendMs, maxLineBytes, maxHeadBytes, maxHeaders, maxBodyBytes, maxRequests },
    ...{ memoryBodyBytes, spillFolder, underscores },
  }
}

function roadSettings({ http, keepAliveMs }: WorkerConf): HttpRoadSettings {
  const { pool, trustedAddresses, server, showUpstreamStatus, sendServerName, charset } = http
  return {
    keepAliveMs,
    poolLimits: pool,
    trustedAddresses: trustedAddresses === undefined ? undefined : new IpSet(trustedAddresses),
    ...{ server, showUpstreamStatus, sendServerName, charset },
    bodyLimits: {
      readableBytes: http.maxReadBodyBytes,
      graphqlBytes: http.graphqlMaxBytes,
      collectBytes: Number.MAX_SAFE_INTEGER,
    },
    toldClient: compileToldClient(http.realIp),
    deleteTailSlash: http.deleteUriTailSlash,
    likeServlet: http.normalizeUriLikeServlet,
  }
}
