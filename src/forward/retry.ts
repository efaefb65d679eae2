/** The one rule of further tries. */
import type { GatewayError } from '../errors.ts'
import type { Attempt, Exchange } from '../exchange/exchange.ts'
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
  if (exchange.begun || exchange.attempts.length >= upstream.tries) return false
  const first = exchange.attempts[0]
  if (upstream.retryTimeoutMs > 0 && first !== undefined && now - first.startedAt >= upstream.retryTimeoutMs)
    return false
  switch (error.retry) {
    case 'unsent':
      return !failed.sent
    case 'reused':
      return failed.reused && !failed.sent
    default:
      return false
  }
}
