/** What the road of HTTP is made with, and what it reads of the configuration. */
import type { IpSet } from '../base/ip-set.ts'
import type { TimerWheel } from '../base/timers.ts'
import type { GatewayError } from '../errors.ts'
import type { BodyLimits } from '../exchange/body-variables.ts'
import type { HttpSession } from '../exchange/http-session.ts'
import type { Link } from '../net/link.ts'
import type { Wire } from '../net/wire.ts'
import type { Log } from '../observability/log.ts'
import type { HttpProtocol } from '../protocol/http-protocol.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { PoolLimits } from '../upstream/http-pool.ts'
import type { ChainLeases } from './chain-leases.ts'
import type { ToldClient } from './told-client.ts'

/** In force from the next exchange on. */
export interface HttpRoadSettings {
  readonly keepAliveMs: number
  readonly poolLimits: PoolLimits
  /** Peers whose forwarding fields are kept; undefined: the setting is absent. */
  readonly trustedAddresses: IpSet | undefined
  /** The `Server` field of every answer. */
  readonly server: string
  /** The status of the last upstream is always shown, not only when it is a 5xx. */
  readonly showUpstreamStatus: boolean
  /** SNI towards upstreams is the Host that is sent. */
  readonly sendServerName: boolean
  /** For variables that look into bodies. */
  readonly bodyLimits: BodyLimits
  readonly toldClient: ToldClient
  /** One slash at the end of a path is dropped before it is matched. */
  readonly deleteTailSlash: boolean
  /** `;parameters` of path segments are dropped before it is matched. */
  readonly likeServlet: boolean
  /** Added to text types that name no character set; empty: nothing. */
  readonly charset: string
}

export interface HttpRoadOptions {
  readonly current: () => Snapshot
  readonly settings: () => HttpRoadSettings
  readonly wire: Wire
  readonly wheel: TimerWheel
  /** Who speaks to endpoints of a scheme. */
  readonly clientOf: (scheme: string) => HttpProtocol | undefined
  /** The status that a failure is shown by. */
  readonly statusOf: (error: GatewayError) => number
  readonly leases: ChainLeases
  readonly log: Log
  /** Called when an exchange has ended and every field of it is final. */
  readonly ended: (exchange: HttpSession) => void
  /** A request that no exchange could be made of. */
  readonly refused: (link: Link, error: GatewayError, status: number, listener: string) => void
}
