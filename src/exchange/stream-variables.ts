/** The nginx variables of a stream exchange, computed only when somebody asks for one. */
import { hostname } from 'node:os'
import type { GatewayError } from '../errors.ts'
import type { Link } from '../net/link.ts'
import type { Attempt, HelloInfo, RouteInfo } from './exchange.ts'

/** What of a session its variables are computed from. */
export interface SessionFacts {
  readonly downstream: Link
  readonly upstream: Link | undefined
  readonly hello: HelloInfo | undefined
  readonly route: RouteInfo | undefined
  readonly attempts: readonly Attempt[]
  readonly error: GatewayError | undefined
  readonly status: number
  /** ms of the monotonic clock; `endedAt` 0 while it lasts. */
  readonly startedAt: number
  readonly endedAt: number
}

const seconds = (ms: number): string => (Math.max(0, ms) / 1000).toFixed(3)
const text = (value: number | undefined): string | undefined => (value === undefined ? undefined : String(value))
const last = (session: SessionFacts) => session.attempts.at(-1)
const month = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const two = (n: number): string => String(n).padStart(2, '0')

/** The offset from UTC as nginx writes it, with or without a colon. */
function zone(now: Date, colon: string): string {
  const minutes = -now.getTimezoneOffset()
  const abs = Math.abs(minutes)
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(abs / 60))}${colon}${two(abs % 60)}`
}

const clock = (now: Date): string => `${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`

/** `21/Nov/2026:12:43:00 +0000` */
function timeLocal(now: Date): string {
  return `${two(now.getDate())}/${month[now.getMonth()]}/${now.getFullYear()}:${clock(now)} ${zone(now, '')}`
}

/** `2026-11-21T12:43:00+00:00` */
function timeIso8601(now: Date): string {
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}T${clock(now)}${zone(now, ':')}`
}

/** `1.2.3.4:80, 1.2.3.5:80`: nginx lists every address that was tried. */
function upstreamAddr(session: SessionFacts): string | undefined {
  if (session.attempts.length === 0) return undefined
  return session.attempts.map((attempt) => attempt.endpoint.id).join(', ')
}

function connectTime(session: SessionFacts): string | undefined {
  const attempt = last(session)
  return attempt === undefined || attempt.connectedAt === 0
    ? undefined
    : seconds(attempt.connectedAt - attempt.startedAt)
}

type Read = (session: SessionFacts) => string | undefined

const readers: Readonly<Record<string, Read>> = {
  remote_addr: (s) => s.downstream.remoteAddress || undefined,
  remote_port: (s) => text(s.downstream.remotePort),
  server_addr: (s) => s.downstream.localAddress,
  server_port: (s) => text(s.downstream.localPort),
  protocol: (s) => (s.downstream.carrier === 'datagram' ? 'UDP' : 'TCP'),
  bytes_sent: (s) => text(s.downstream.bytesWritten),
  bytes_received: (s) => text(s.downstream.bytesRead),
  session_time: (s) => seconds((s.endedAt || performance.now()) - s.startedAt),
  status: (s) => (s.status === 0 ? undefined : String(s.status)),
  upstream_addr: upstreamAddr,
  upstream_bytes_sent: (s) => text(s.upstream?.bytesWritten),
  upstream_bytes_received: (s) => text(s.upstream?.bytesRead),
  upstream_connect_time: connectTime,
  upstream_session_time: (s) =>
    s.upstream === undefined
      ? undefined
      : seconds((s.endedAt || performance.now()) - (last(s)?.startedAt ?? s.startedAt)),
  ssl_server_name: (s) => s.downstream.tls?.serverName,
  ssl_preread_server_name: (s) => s.hello?.serverName,
  ssl_preread_alpn_protocols: (s) => (s.hello === undefined ? undefined : s.hello.alpn.join(',')),
  ssl_alpn_protocol: (s) => s.downstream.tls?.alpn,
  ssl_protocol: (s) => s.downstream.tls?.protocol,
  ssl_cipher: (s) => s.downstream.tls?.cipher,
  ssl_session_reused: (s) => (s.downstream.tls === undefined ? undefined : s.downstream.tls.resumed ? 'r' : '.'),
  ssl_client_s_dn: (s) => s.downstream.tls?.peer?.subject,
  ssl_client_serial: (s) => s.downstream.tls?.peer?.serial,
  ssl_client_fingerprint: (s) => s.downstream.tls?.peer?.fingerprint,
  ssl_client_verify: (s) =>
    s.downstream.tls === undefined ? undefined : s.downstream.tls.peer === undefined ? 'NONE' : 'SUCCESS',
  // One name for "the SNI", wherever TLS ends: what hash keys and routes ask for.
  sni: (s) => s.downstream.tls?.serverName ?? s.hello?.serverName,
  route_id: (s) => s.route?.id,
  route_name: (s) => s.route?.name,
  service_id: (s) => s.route?.serviceId,
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
const known = new Map(Object.entries(readers))

/** The value of one variable for this session; undefined for unknown names and for names without a value here. */
export function streamVariable(session: SessionFacts, name: string): string | undefined {
  return known.get(name)?.(session)
}
