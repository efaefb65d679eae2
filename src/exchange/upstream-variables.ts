/**
 * The `$upstream_…` variables of an HTTP exchange. As in nginx, what there is of every try is a list: `502, 200`, and `-` for
 * what a try never came to. Undefined as long as nothing was tried.
 */
import type { Attempt } from './exchange.ts'
import type { HeaderList } from './header-list.ts'
import type { Outgoing, ResponseHead } from './http-exchange.ts'
import type { SharedFacts } from './shared-variables.ts'
import { seconds } from './wall-time.ts'

/** What of a session they are computed from. Times are ms of the monotonic clock, 0 until the moment came. */
export interface UpstreamFacts extends SharedFacts {
  readonly outgoing: Outgoing
  readonly response: ResponseHead | undefined
  readonly upstreamHeadAt: number
  readonly upstreamEndedAt: number
  /** By attempt; 0: it had no answer. */
  readonly upstreamStatuses: readonly number[]
  readonly upstreamBytesSent: number
  readonly upstreamBytesReceived: number
  readonly sentScheme: string | undefined
  readonly sentHost: string | undefined
  readonly sentUri: string | undefined
}

type Read = (session: UpstreamFacts) => string | undefined
type ReadTry = (session: UpstreamFacts, attempt: Attempt, index: number) => string

/** One of each try; of the last the session may know more than of those before it. */
function ofEach(read: ReadTry): Read {
  return (session) => {
    const { attempts } = session
    if (attempts.length === 0) return undefined
    if (attempts.length === 1) return read(session, attempts[0] as Attempt, 0)
    return attempts.map((attempt, index) => read(session, attempt, index)).join(', ')
  }
}

const isLast = ({ attempts }: UpstreamFacts, index: number): boolean => index === attempts.length - 1

/** A try that failed lasted until the next one began. */
function tryEnd(session: UpstreamFacts, index: number): number {
  const next = session.attempts[index + 1]
  return next === undefined ? session.upstreamEndedAt || session.endedAt || performance.now() : next.startedAt
}

/** Without an answer nginx shows what its client would get: 504 after a time-out, else 502. */
const statusOf: ReadTry = ({ upstreamStatuses }, { error }, index) => {
  const status = upstreamStatuses[index]
  if (status !== undefined && status !== 0) return String(status)
  return error === undefined ? '-' : error.kind === 'timeout' ? '504' : '502'
}

const responseTime: ReadTry = (session, { startedAt }, index) => seconds(tryEnd(session, index) - startedAt)

export const upstreamReaders: Readonly<Record<string, Read>> = {
  upstream_addr: ofEach((_, { endpoint }) => endpoint.id),
  upstream_status: ofEach(statusOf),
  upstream_response_time: ofEach(responseTime),
  apisix_upstream_response_time: (s) => {
    const last = s.attempts.at(-1)
    return last === undefined ? undefined : responseTime(s, last, s.attempts.length - 1)
  },
  upstream_connect_time: ofEach((_, { connectedAt, startedAt }) =>
    connectedAt === 0 ? '-' : seconds(connectedAt - startedAt),
  ),
  upstream_header_time: ofEach((s, { startedAt }, index) =>
    isLast(s, index) && s.upstreamHeadAt !== 0 ? seconds(s.upstreamHeadAt - startedAt) : '-',
  ),
  upstream_bytes_sent: ofEach((s, _, index) => (isLast(s, index) ? String(s.upstreamBytesSent) : '0')),
  upstream_bytes_received: ofEach((s, _, index) => (isLast(s, index) ? String(s.upstreamBytesReceived) : '0')),
  upstream_scheme: (s) => s.outgoing.scheme ?? s.sentScheme,
  upstream_host: (s) => s.outgoing.host ?? s.sentHost,
  upstream_uri: (s) => s.outgoing.uri ?? s.sentUri,
}

/** The fields of the answer as the endpoint sent them, if one did. */
export function upstreamFields(session: {
  readonly upstreamHeaders: HeaderList | undefined
  readonly response: ResponseHead | undefined
}): HeaderList | undefined {
  const { upstreamHeaders, response } = session
  return upstreamHeaders ?? (response?.fromUpstream === true ? response.headers : undefined)
}
