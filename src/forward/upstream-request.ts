/**
 * What an endpoint is sent for an exchange: the client's request with the fields that say where it came from, the Host that the
 * upstream wants, and what plugins decided. The client's own fields are left as they are: logs and retries read them.
 */
import type { IpSet } from '../base/ip-set.ts'
import type { Endpoint } from '../exchange/endpoint.ts'
import type { Derivation, FieldBlock } from '../exchange/field-block.ts'
import { HeaderList } from '../exchange/header-list.ts'
import type { HttpSession } from '../exchange/http-session.ts'
import type { UpstreamRequest } from '../protocol/http-protocol.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { FieldLine } from './field-line.ts'

/** Composes the request for one try. `trusted`: peers whose forwarding fields are kept; undefined: the setting is absent. */
export function upstreamRequest(
  session: HttpSession,
  upstream: Upstream,
  endpoint: Endpoint,
  trusted: IpSet | undefined,
  websocket: boolean,
): UpstreamRequest {
  const { request, outgoing } = session
  const scheme = outgoing.scheme ?? upstream.scheme
  const host = hostFor(session, upstream, endpoint, scheme)
  const uri = outgoing.uri ?? currentTarget(session)
  session.sentScheme = scheme
  session.sentHost = host
  session.sentUri = uri
  return {
    method: request.method,
    uri,
    headers: upstreamFields(session, host, trusted),
    body: request.body,
    upgrade: websocket ? request.upgrade : undefined,
    request,
  }
}

/** The target as the client wrote it, unless a plugin has changed the query since. */
function currentTarget({ request }: HttpSession): string {
  const { target, query } = request
  const mark = target.indexOf('?')
  if (mark < 0) return query === '' ? target : `${target}?${query}`
  if (target.length - mark - 1 === query.length && target.endsWith(query)) return target
  return query === '' ? target.slice(0, mark) : `${target.slice(0, mark)}?${query}`
}

const defaultPorts: Readonly<Record<string, number>> = { http: 80, https: 443 }

function hostFor({ request, outgoing }: HttpSession, upstream: Upstream, endpoint: Endpoint, scheme: string): string {
  const { passHost } = upstream
  if (passHost.by === 'rewrite') return passHost.host
  if (passHost.by === 'node') return nodeHost(endpoint, scheme)
  return outgoing.host ?? (request.authority === '' ? nodeHost(endpoint, scheme) : request.authority)
}

function nodeHost({ domain, host, port }: Endpoint, scheme: string): string {
  const name = domain ?? (host.includes(':') ? `[${host}]` : host)
  return defaultPorts[scheme] === port ? name : `${name}:${port}`
}

const lines = {
  realIp: new FieldLine('X-Real-IP'),
  forwardedFor: new FieldLine('X-Forwarded-For'),
  proto: new FieldLine('X-Forwarded-Proto'),
  host: new FieldLine('X-Forwarded-Host'),
  port: new FieldLine('X-Forwarded-Port'),
}

/** What a request was sent on with, and what that depended on. */
class ForwardedFields implements Derivation {
  readonly #host: string
  readonly #authority: string
  readonly #address: string
  readonly #peer: string
  readonly #scheme: string
  readonly #port: number
  readonly #trusted: IpSet | undefined
  readonly block: FieldBlock

  constructor(session: HttpSession, host: string, trusted: IpSet | undefined, block: FieldBlock) {
    const { request, remoteAddress, downstream } = session
    this.#host = host
    this.#authority = request.authority
    this.#address = remoteAddress
    this.#peer = downstream.remoteAddress
    this.#scheme = request.scheme
    this.#port = downstream.localPort
    this.#trusted = trusted
    this.block = block
  }

  hold(session: HttpSession, host: string, trusted: IpSet | undefined): boolean {
    const { request, remoteAddress, downstream } = session
    return (
      this.#host === host &&
      this.#authority === request.authority &&
      this.#address === remoteAddress &&
      this.#peer === downstream.remoteAddress &&
      this.#scheme === request.scheme &&
      this.#port === downstream.localPort &&
      this.#trusted === trusted
    )
  }
}

function upstreamFields(session: HttpSession, host: string, trusted: IpSet | undefined): HeaderList {
  const { block } = session.request.headers
  if (block === undefined) return composeFields(session, host, trusted)
  const { derived } = block
  if (derived instanceof ForwardedFields && derived.hold(session, host, trusted)) return HeaderList.over(derived.block)
  const fields = composeFields(session, host, trusted)
  block.derived = new ForwardedFields(session, host, trusted, fields.keep())
  return fields
}

/** One pass over the client's fields: those that the gateway answers for are left out and written anew behind them. */
function composeFields(session: HttpSession, host: string, trusted: IpSet | undefined): HeaderList {
  const { request, remoteAddress, downstream } = session
  const received = request.headers
  // Without the setting the received list is continued but everything else is our own word.
  const keeps = trusted?.has(downstream.remoteAddress) === true
  const fields = received.bare()
  // What plugins or the configuration chose is checked when it is written.
  if (host === request.authority) fields.push('host', 'Host', host)
  else fields.append('Host', host)
  let forwardedFor: string | undefined
  let proto: string | undefined
  let forwardedHost: string | undefined
  let forwardedPort: string | undefined
  const count = received.size
  for (let index = 0; index < count; index += 1) {
    const lower = received.lowerAt(index)
    const value = received.valueAt(index)
    switch (lower) {
      case 'host':
      case 'x-real-ip':
        continue
      case 'forwarded':
        if (keeps) fields.push(lower, received.nameAt(index), value, received.lineAt(index))
        continue
      case 'x-forwarded-for':
        forwardedFor = forwardedFor === undefined ? value : `${forwardedFor}, ${value}`
        continue
      case 'x-forwarded-proto':
        proto = value
        continue
      case 'x-forwarded-host':
        forwardedHost = value
        continue
      case 'x-forwarded-port':
        forwardedPort = value
        continue
      default:
        fields.push(lower, received.nameAt(index), value, received.lineAt(index))
    }
  }
  if (trusted !== undefined && !keeps) forwardedFor = undefined
  const list = forwardedFor === undefined || forwardedFor === '' ? remoteAddress : `${forwardedFor}, ${remoteAddress}`
  const sentProto = (keeps ? proto : undefined) ?? request.scheme
  const sentHost = (keeps ? forwardedHost : undefined) ?? request.authority
  const sentPort = (keeps ? forwardedPort : undefined) ?? portOf(session)
  if (remoteAddress === downstream.remoteAddress) {
    fields.push('x-real-ip', 'X-Real-IP', remoteAddress, lines.realIp.of(remoteAddress))
    fields.push('x-forwarded-for', 'X-Forwarded-For', list, lines.forwardedFor.of(list))
  } else {
    fields.append('X-Real-IP', remoteAddress)
    fields.append('X-Forwarded-For', list)
  }
  fields.push('x-forwarded-proto', 'X-Forwarded-Proto', sentProto, lines.proto.of(sentProto))
  fields.push('x-forwarded-host', 'X-Forwarded-Host', sentHost, lines.host.of(sentHost))
  fields.push('x-forwarded-port', 'X-Forwarded-Port', sentPort, lines.port.of(sentPort))
  return fields
}

/** The port in the Host field, else that of the listener. */
function portOf({ request, downstream }: HttpSession): string {
  const { authority } = request
  const colon = authority.lastIndexOf(':')
  if (colon > 0 && authority.indexOf(']', colon) < 0) return authority.slice(colon + 1)
  return String(downstream.localPort)
}
