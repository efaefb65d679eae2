/** The rule of further tries, as a table. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Code, codes, GatewayError } from '../../../../src/errors.ts'
import type { Attempt, Exchange } from '../../../../src/exchange/exchange.ts'
import { mayRetry } from '../../../../src/forward/retry.ts'
import type { Upstream } from '../../../../src/upstream/upstream.ts'
import { endpointOf } from '../../../support/endpoints.ts'

interface Situation {
  readonly code?: Code
  readonly sent?: boolean
  readonly reused?: boolean
  readonly begun?: boolean
  /** Attempts made, the failed one included. */
  readonly made?: number
  readonly tries?: number
  readonly retryTimeoutMs?: number
  /** Since the first attempt began. */
  readonly elapsedMs?: number
}

function retries(situation: Situation): boolean {
  const { code = 'connect_refused', sent = false, reused = false, begun = false } = situation
  const { made = 1, tries = 3, retryTimeoutMs = 0, elapsedMs = 10 } = situation
  const attempt: Attempt = {
    endpoint: endpointOf('10.0.0.1:80'),
    ...{ startedAt: 1000, connectedAt: 0, reused, sent, error: undefined },
  }
  const exchange = { begun, attempts: Array.from({ length: made }, () => attempt) } as unknown as Exchange
  return mayRetry(
    exchange,
    attempt,
    new GatewayError(code, ''),
    { tries, retryTimeoutMs } as Upstream,
    1000 + elapsedMs,
  )
}

const table: readonly (readonly [string, Situation, boolean])[] = [
  ['a node that refuses', {}, true],
  ['a node that does not answer in time', { code: 'connect_timeout' }, true],
  ['a node whose TLS fails', { code: 'upstream_tls' }, true],
  ['the last try', { made: 3 }, false],
  ['an upstream without further tries', { tries: 1 }, false],
  ['an answer that has begun', { begun: true }, false],
  ['a request that has left', { sent: true }, false],
  ['a connection that breaks', { code: 'upstream_reset' }, false],
  ['a pooled connection that was closed', { code: 'upstream_closed', reused: true }, true],
  [
    'a pooled connection that broke after the request had left',
    { code: 'upstream_closed', reused: true, sent: true },
    false,
  ],
  ['time that is left', { retryTimeoutMs: 100, elapsedMs: 99 }, true],
  ['time that is over', { retryTimeoutMs: 100, elapsedMs: 100 }, false],
]

for (const [name, situation, expected] of table) {
  test(`${name}: ${expected ? 'another try' : 'no further try'}`, () => assert.equal(retries(situation), expected))
}

test('what is not the upstream’s fault is never tried again', () => {
  for (const [code, { origin }] of Object.entries(codes)) {
    if (origin !== 'upstream') assert.equal(retries({ code: code as Code, reused: true }), false, code)
  }
})
