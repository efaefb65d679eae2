import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type HttpFindings, httpVerdict } from '../../../../benchmark/soak/http-verdict.ts'

const samples = (mib: (index: number) => number) =>
  Array.from({ length: 100 }, (_, index) => ({ seconds: index * 2, mib: mib(index) }))
const status = (restarts: number, active: number): HttpFindings['status'] =>
  ({ workers: [{ restarts }], connections: { active, accepted: 9 } }) as unknown as HttpFindings['status']
const fine: HttpFindings = {
  wire: 'uring',
  seconds: 60,
  load: { plain: { requests: 10 } },
  changes: { routes: { changes: 5, checks: 9 } },
  bodies: { requests: 1, bytes: 1, gone: 1 },
  looked: 10,
  failures: { count: 0, first: [] },
  early: undefined,
  leftOpen: [],
  status: status(0, 0),
  log: '{"level":"warn","msg":"a warning is no harm"}\n',
  samples: samples(() => 200),
  workers: [],
  pools: { slots: 4 },
  poolsBefore: { slots: 4 },
}

test('a soak in which nothing happened that must not has no violations', () => {
  assert.deepEqual(httpVerdict(fine).violations, [])
})

test('each thing that must not happen is one violation, in words', () => {
  const cases: readonly (readonly [Partial<HttpFindings>, RegExp])[] = [
    [{ failures: { count: 3, first: ['GET /a: status 500'] } }, /^3 failed requests, the first: GET \/a: status 500$/],
    [{ early: 'refused' }, /ended early: refused/],
    [{ load: { plain: { requests: 0 } } }, /wrk, plain: no request at all/],
    [{ changes: { routes: { changes: 0, checks: 0 } } }, /routes: no change at all/],
    [{ leftOpen: ['1 × socket'] }, /not open before: 1 × socket/],
    [{ status: undefined }, /does not answer/],
    [{ status: status(1, 0) }, /replaced 1 times/],
    [{ status: status(0, 2) }, /counts 2 connections/],
    [{ log: '{"level":"error","msg":"bad"}\n' }, /1 times in the log: bad/],
    [{ samples: samples((index) => 200 + index) }, /memory rose by/],
    [{ pools: { slots: 5 } }, /5 of 'slots' are in use at the end, 4 were before/],
  ]
  for (const [finding, expected] of cases) {
    const { violations } = httpVerdict({ ...fine, ...finding })
    assert.equal(violations.length, 1, violations.join('; '))
    assert.match(violations[0] ?? '', expected)
  }
})
