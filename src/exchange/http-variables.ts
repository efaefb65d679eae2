/**
 * The variables of an HTTP exchange, by their nginx names and APISIX's, computed only when somebody asks for one. Those that
 * look into the body are in `body-variables.ts`; those that plugins set come before all of these.
 */
import { type BodyVariables, bodyReader } from './body-variables.ts'
import { cookieValue } from './cookies.ts'
import { foldedField } from './folded-field.ts'
import { formValue } from './form-values.ts'
import type { HeaderList } from './header-list.ts'
import type { ConsumerInfo, HttpRequest } from './http-exchange.ts'
import { elapsed, sharedReaders, text } from './shared-variables.ts'
import { type UpstreamFacts, upstreamFields, upstreamReaders } from './upstream-variables.ts'
import type { VariableValue } from './variable-value.ts'

/** What of a session its variables are computed from. */
export interface HttpFacts extends UpstreamFacts {
  readonly request: HttpRequest
  readonly sentMethod: string
  readonly remoteAddress: string
  readonly remotePort: number
  readonly connectionRequests: number
  readonly consumer: ConsumerInfo | undefined
  readonly params: Readonly<Record<string, string>> | undefined
  readonly matchedHost: string | undefined
  readonly matchedUri: string | undefined
  readonly headBytesSent: number
  readonly bodyBytesSent: number
  readonly upstreamHeaders: HeaderList | undefined
  readonly upstreamTrailers: HeaderList | undefined
  readonly requestId: string
  readonly bodyVariables: BodyVariables
}

type Read = (session: HttpFacts) => VariableValue

/** `uri` and what followed the first `?` of the target as it was sent. */
function requestUri({ request: { target, path } }: HttpFacts): string {
  const mark = target.indexOf('?')
  return mark === -1 || mark === target.length - 1 ? path : path + target.slice(mark)
}

const protocols: Readonly<Record<number, string>> = { 10: 'HTTP/1.0', 11: 'HTTP/1.1', 20: 'HTTP/2.0' }
const protocolOf = ({ request: { version } }: HttpFacts): string => protocols[version] ?? `HTTP/${version / 10}`
const requestLine = (s: HttpFacts): string => `${s.sentMethod} ${s.request.target} ${protocolOf(s)}`
const query = (s: HttpFacts): string | undefined => s.request.query || undefined

/** nginx writes IPv6 addresses in brackets. */
function hostOf({ request: { host } }: HttpFacts): string | undefined {
  return host.includes(':') ? `[${host}]` : host || undefined
}

function contentLength({ request: { headers, body } }: HttpFacts): string | undefined {
  return (
    headers.get('content-length') ?? (body.length === undefined || body.length === 0 ? undefined : text(body.length))
  )
}

/** The name before the first colon of Basic credentials. [RFC 7617 §2] */
function remoteUser({ request }: HttpFacts): string | undefined {
  const [, credentials] = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(request.headers.get('authorization') ?? '') ?? []
  if (credentials === undefined) return undefined
  const pair = Buffer.from(credentials, 'base64').toString()
  const colon = pair.indexOf(':')
  return colon > 0 ? pair.slice(0, colon) : undefined
}

function forwardedFor(s: HttpFacts): string {
  const before = s.request.headers.joined('x-forwarded-for')
  return before === undefined ? s.remoteAddress : `${before}, ${s.remoteAddress}`
}

const readers: Readonly<Record<string, Read>> = {
  ...sharedReaders,
  ...upstreamReaders,
  uri: (s) => s.request.path,
  document_uri: (s) => s.request.path,
  request_uri: requestUri,
  real_request_uri: (s) => s.request.target,
  args: query,
  query_string: query,
  is_args: (s) => (s.request.query === '' ? '' : '?'),
  method: (s) => s.request.method,
  request_method: (s) => s.request.method,
  scheme: (s) => s.request.scheme,
  https: (s) => (s.request.scheme === 'https' ? 'on' : ''),
  host: hostOf,
  http_host: (s) => s.request.authority || undefined,
  server_name: () => '_',
  server_protocol: protocolOf,
  remote_addr: (s) => s.remoteAddress || undefined,
  remote_port: (s) => text(s.remotePort),
  realip_remote_addr: (s) => s.downstream.remoteAddress || undefined,
  realip_remote_port: (s) => text(s.downstream.remotePort),
  proxy_add_x_forwarded_for: forwardedFor,
  remote_user: remoteUser,
  request: requestLine,
  request_line: requestLine,
  request_id: (s) => s.requestId,
  apisix_request_id: (s) => s.requestId,
  request_length: (s) => text(s.request.headBytes + s.request.body.received),
  request_time: elapsed,
  content_length: contentLength,
  content_type: (s) => s.request.headers.get('content-type'),
  connection_requests: (s) => text(s.connectionRequests),
  status: (s) => text(s.status || s.response?.status),
  body_bytes_sent: (s) => text(s.bodyBytesSent),
  bytes_sent: (s) => text(s.headBytesSent + s.bodyBytesSent),
  consumer_name: (s) => s.consumer?.username,
  consumer_group_id: (s) => s.consumer?.groupId,
  matched_host: (s) => s.matchedHost,
  matched_uri: (s) => s.matchedUri,
}

const cookies = foldedField('cookie')

/** Names that begin so name something in the request or the answer. */
const prefixes: Readonly<Record<string, (name: string) => Read>> = {
  http_: (name) => {
    const find = foldedField(name)
    return (s) => find(s.request.headers)
  },
  arg_: (name) => (s) => formValue(s.request.query, name),
  cookie_: (name) => (s) => {
    const field = cookies(s.request.headers)
    return field === undefined ? undefined : cookieValue(field, name)
  },
  uri_param_: (name) => (s) => {
    const { params } = s
    return params !== undefined && Object.hasOwn(params, name) ? params[name] : undefined
  },
  sent_http_: (name) => {
    const find = foldedField(name)
    return (s) => s.response && find(s.response.headers)
  },
  upstream_http_: (name) => {
    const find = foldedField(name)
    return (s) => {
      const fields = upstreamFields(s)
      return fields && find(fields)
    }
  },
  upstream_trailer_: (name) => {
    const find = foldedField(name)
    return (s) => s.upstreamTrailers && find(s.upstreamTrailers)
  },
}

const unset: Read = () => undefined

function makeReader(name: string): Read {
  const reader = bodyReader(name)
  if (reader !== undefined) return (session) => reader(session.bodyVariables)
  const end = prefixEnd(name)
  const make = Object.hasOwn(prefixes, name.slice(0, end)) ? prefixes[name.slice(0, end)] : undefined
  return make === undefined ? unset : make(name.slice(end))
}

function prefixEnd(name: string): number {
  for (const prefix of Object.keys(prefixes)) if (name.startsWith(prefix)) return prefix.length
  return 0
}

/** Names come from configuration, so there are few; nothing that clients send may make more of them. */
const maxKnown = 10_000
const known = new Map(Object.entries(readers))

/** The value of one variable for this session; undefined for unknown names and for names without a value here. */
export function httpVariable(session: HttpFacts, name: string): VariableValue {
  const read = known.get(name)
  if (read !== undefined) return read(session)
  const made = makeReader(name)
  if (known.size < maxKnown) known.set(name, made)
  return made(session)
}

/** Fields are text of one byte a character; what they are compared with is not. Others stay as they are. */
export function comparable(name: string, value: VariableValue): VariableValue {
  if (typeof value !== 'string' || !beyondAscii.test(value) || !ofFields.test(name)) return value
  const decoded = Buffer.from(value, 'latin1').toString('utf8')
  return decoded.includes('\ufffd') ? value : decoded
}

const beyondAscii = /[\u0080-\u00ff]/
const ofFields = /^(?:http_|cookie_|sent_http_|upstream_http_|upstream_trailer_|content_type$)/
