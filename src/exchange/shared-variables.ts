/** The variables that exchanges of every kind have: of the link, the route, the endpoint tried last, and the process. */
import { hostname } from 'node:os'
import type { GatewayError } from '../errors.ts'
import type { Link } from '../net/link.ts'
import type { Attempt, RouteInfo } from './exchange.ts'
import { seconds, timeIso8601, timeLocal } from './wall-time.ts'

/** What of an exchange they are computed from. */
export interface SharedFacts {
  readonly downstream: Link
  readonly route: RouteInfo | undefined
  readonly attempts: readonly Attempt[]
  readonly error: GatewayError | undefined
  readonly status: number
  /** ms of the monotonic clock; `endedAt` 0 while it lasts. */
  readonly startedAt: number
  readonly endedAt: number
}

type Read = (exchange: SharedFacts) => string | undefined

export const text = (value: number | undefined): string | undefined => (value === undefined ? undefined : String(value))

/** How long it has lasted, in seconds. */
export function elapsed({ startedAt, endedAt }: SharedFacts): string {
  return seconds((endedAt || performance.now()) - startedAt)
}

const numbers = new WeakMap<Link, string>()
let connections = 0

/** A number for the connection: unlike that of any other in this worker. */
function connectionNumber({ downstream }: SharedFacts): string {
  let number = numbers.get(downstream)
  if (number === undefined) {
    number = String(++connections)
    numbers.set(downstream, number)
  }
  return number
}

const last = ({ attempts }: SharedFacts): Attempt | undefined => attempts.at(-1)

export const sharedReaders: Readonly<Record<string, Read>> = {
  server_addr: (s) => s.downstream.localAddress,
  server_port: (s) => text(s.downstream.localPort),
  connection: connectionNumber,
  status: (s) => (s.status === 0 ? undefined : String(s.status)),
  ssl_server_name: (s) => s.downstream.tls?.serverName,
  ssl_alpn_protocol: (s) => s.downstream.tls?.alpn,
  ssl_protocol: (s) => s.downstream.tls?.protocol,
  ssl_cipher: (s) => s.downstream.tls?.cipher,
  ssl_session_reused: (s) => (s.downstream.tls === undefined ? undefined : s.downstream.tls.resumed ? 'r' : '.'),
  ssl_client_s_dn: (s) => s.downstream.tls?.peer?.subject,
  ssl_client_serial: (s) => s.downstream.tls?.peer?.serial,
  ssl_client_fingerprint: (s) => s.downstream.tls?.peer?.fingerprint,
  ssl_client_verify: (s) =>
    s.downstream.tls === undefined ? undefined : s.downstream.tls.peer === undefined ? 'NONE' : 'SUCCESS',
  route_id: (s) => s.route?.id,
  route_name: (s) => s.route?.name,
  service_id: (s) => s.route?.serviceId,
  service_name: (s) => s.route?.serviceName,
  balancer_ip: (s) => last(s)?.endpoint.host,
  balancer_port: (s) => text(last(s)?.endpoint.port),
  upstream_unresolved_host: (s) => last(s)?.endpoint.domain,
  error_code: (s) => s.error?.code,
  hostname: () => hostname(),
  pid: () => text(process.pid),
  msec: () => (Date.now() / 1000).toFixed(3),
  time_local: () => timeLocal(new Date()),
  time_iso8601: () => timeIso8601(new Date()),
}
