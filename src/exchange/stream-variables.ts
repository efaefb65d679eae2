/** The nginx variables of a stream exchange, computed only when somebody asks for one. */
import type { Link } from '../net/link.ts'
import type { HelloInfo } from './exchange.ts'
import { elapsed, type SharedFacts, sharedReaders, text } from './shared-variables.ts'
import { seconds } from './wall-time.ts'

/** What of a session its variables are computed from. */
export interface SessionFacts extends SharedFacts {
  readonly upstream: Link | undefined
  readonly hello: HelloInfo | undefined
}

const last = (session: SessionFacts) => session.attempts.at(-1)

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
  ...sharedReaders,
  remote_addr: (s) => s.downstream.remoteAddress || undefined,
  remote_port: (s) => text(s.downstream.remotePort),
  protocol: (s) => (s.downstream.carrier === 'datagram' ? 'UDP' : 'TCP'),
  bytes_sent: (s) => text(s.downstream.bytesWritten),
  bytes_received: (s) => text(s.downstream.bytesRead),
  session_time: elapsed,
  upstream_addr: upstreamAddr,
  upstream_bytes_sent: (s) => text(s.upstream?.bytesWritten),
  upstream_bytes_received: (s) => text(s.upstream?.bytesRead),
  upstream_connect_time: connectTime,
  upstream_session_time: (s) =>
    s.upstream === undefined
      ? undefined
      : seconds((s.endedAt || performance.now()) - (last(s)?.startedAt ?? s.startedAt)),
  ssl_preread_server_name: (s) => s.hello?.serverName,
  ssl_preread_alpn_protocols: (s) => (s.hello === undefined ? undefined : s.hello.alpn.join(',')),
  // One name for "the SNI", wherever TLS ends: what hash keys and routes ask for.
  sni: (s) => s.downstream.tls?.serverName ?? s.hello?.serverName,
}
const known = new Map(Object.entries(readers))

/** The value of one variable for this session; undefined for unknown names and for names without a value here. */
export function streamVariable(session: SessionFacts, name: string): string | undefined {
  return known.get(name)?.(session)
}
