import assert from 'node:assert/strict'
import { test } from 'node:test'
import { httpNumbers } from '../../../../src/threads/http-numbers.ts'

test('connections and requests are told by the states of nginx', () => {
  const told = httpNumbers({ open: 5, accepted: 9, underway: 2, requests: 40 })
  const lines = told.flatMap(({ name, labelValues, values, total }) =>
    Array.from(values, (value, at) => [name, labelValues[at] ?? '', value, total ?? false] as const),
  )
  const connections = 'nginx_http_current_connections'
  assert.deepEqual(lines, [
    ['http_requests_total', '', 40, true],
    [connections, 'accepted', 9, true],
    [connections, 'handled', 9, true],
    [connections, 'active', 5, false],
    [connections, 'reading', 0, false],
    [connections, 'writing', 2, false],
    [connections, 'waiting', 3, false],
  ])
})
