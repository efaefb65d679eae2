/** The one rule of further tries. */
import type { GatewayError } from '../errors.ts'
import type { Attempt, Exchange } from '../exchange/exchange.ts'
import type { HttpSession } from '../exchange/http-session.ts'
import type { Upstream } from '../upstream/upstream.ts'

/**
 * Whether another endpoint may be tried after `failed` ended with `error`: the table allows it, nothing went out that may
 * not go out twice, no answer has begun, and tries and time are left.
 */
export function mayRetry(
  exchange: Exchange,
  failed: Attempt,
  error: GatewayError,
  upstream: Upstream,
  now: number,
): boolean {
  if (!leftToTry(exchange, upstream, now)) return false
  switch (error.retry) {
    case 'unsent':
      return !failed.sent
    case 'reused':
      return failed.reused && !failed.sent
    default:
      return false
  }
}

/**
 * The same for a request, which may be sent again where repeating it means the same as sending it once: the method is
 * idempotent and its body, if any, is still there. nginx's rule: POST, PATCH and LOCK are not. [RFC 9110 §9.2.2]
 */
export function mayRetryRequest(
  session: HttpSession,
  failed: Attempt,
  error: GatewayError,
  upstream: Upstream,
  now: number,
): boolean {
  if (!leftToTry(session, upstream, now)) return false
  return repeatable(session, failed, error)
}

/**
 * Whether the same endpoint is asked again on a fresh connection: the pool handed out one that the endpoint was just closing.
 * It says nothing about the endpoint, so it does not count as a try.
 */
export function isStale(session: HttpSession, failed: Attempt, error: GatewayError): boolean {
  return failed.reused && !session.begun && error.retry === 'reused' && repeatable(session, failed, error)
}

const once = new Set(['POST', 'PATCH', 'LOCK', 'CONNECT'])

function repeatable({ request }: HttpSession, failed: Attempt, error: GatewayError): boolean {
  if (error.origin !== 'upstream' || error.code === 'bad_response') return false
  if (!failed.sent) return true
  const { body } = request
  return !once.has(request.method) && (body.length === 0 || body.replayable)
}

function leftToTry(exchange: Exchange, upstream: Upstream, now: number): boolean {
  if (exchange.begun || exchange.attempts.length >= upstream.tries) return false
  const first = exchange.attempts[0]
  return upstream.retryTimeoutMs === 0 || first === undefined || now - first.startedAt < upstream.retryTimeoutMs
}
