/**
 * The one table of what can go wrong with an exchange. It says whose fault it is and whether a further try
 * may be possible; it knows no wire values: each protocol maps kinds (and, where needed, codes) to its own answer.
 */

export type Kind =
  | 'absent'
  | 'malformed'
  | 'forbidden'
  | 'gone'
  | 'unavailable'
  | 'unreachable'
  | 'broken'
  | 'timeout'
  | 'internal'
/** Who caused it: the client, this program, or the endpoint behind it. */
export type Origin = 'client' | 'gateway' | 'upstream'
/** `unsent`: safe when nothing was sent; `reused`: only when a pooled connection turned out to be closed. */
export type Retry = 'never' | 'unsent' | 'reused'

interface Row {
  readonly kind: Kind
  readonly origin: Origin
  readonly retry: Retry
}
const row = (kind: Kind, origin: Origin, retry: Retry): Row => ({ kind, origin, retry })

export const codes = {
  no_route: row('absent', 'client', 'never'),
  bad_request: row('malformed', 'client', 'never'),
  bad_tls: row('malformed', 'client', 'never'),
  no_certificate: row('forbidden', 'client', 'never'),
  client_certificate: row('forbidden', 'client', 'never'),
  body_too_large: row('malformed', 'client', 'never'),
  client_timeout: row('timeout', 'client', 'never'),
  client_gone: row('gone', 'client', 'never'),
  refused_by_plugin: row('forbidden', 'client', 'never'),
  no_upstream: row('unavailable', 'gateway', 'never'),
  unknown_upstream: row('unavailable', 'gateway', 'never'),
  no_endpoint: row('unavailable', 'gateway', 'never'),
  too_many_links: row('unavailable', 'gateway', 'never'),
  out_of_descriptors: row('unavailable', 'gateway', 'never'),
  draining: row('unavailable', 'gateway', 'never'),
  connect_refused: row('unreachable', 'upstream', 'unsent'),
  connect_failed: row('unreachable', 'upstream', 'unsent'),
  connect_timeout: row('timeout', 'upstream', 'unsent'),
  upstream_tls: row('unreachable', 'upstream', 'unsent'),
  bad_response: row('broken', 'upstream', 'never'),
  upstream_closed: row('broken', 'upstream', 'reused'),
  upstream_reset: row('broken', 'upstream', 'reused'),
  upstream_timeout: row('timeout', 'upstream', 'never'),
  idle_timeout: row('timeout', 'gateway', 'never'),
  internal: row('internal', 'gateway', 'never'),
} as const satisfies Record<string, Row>

export type Code = keyof typeof codes

/** What each protocol supplies: an answer for every kind, and for single codes where the kind's answer is wrong. */
export type Failures<Wire> = Record<Kind, Wire> & Partial<Record<Code, Wire>>

/**
 * The only error that travels along the road. `message` and `cause` are for the log, never for a client.
 * Cheap on purpose: only `internal` captures a stack.
 */
export class GatewayError extends Error {
  readonly code: Code

  constructor(code: Code, message?: string, cause?: unknown) {
    const limit = Error.stackTraceLimit
    if (code !== 'internal') Error.stackTraceLimit = 0
    super(message ?? code, cause === undefined ? undefined : { cause })
    Error.stackTraceLimit = limit
    this.name = 'GatewayError'
    this.code = code
  }

  get kind(): Kind {
    return codes[this.code].kind
  }

  get origin(): Origin {
    return codes[this.code].origin
  }

  get retry(): Retry {
    return codes[this.code].retry
  }

  /** Whatever was thrown, as a GatewayError: one is returned as it is, anything else becomes `internal`. */
  static from(thrown: unknown): GatewayError {
    if (thrown instanceof GatewayError) return thrown
    return new GatewayError('internal', thrown instanceof Error ? thrown.message : String(thrown), thrown)
  }
}
