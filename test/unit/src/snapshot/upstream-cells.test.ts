/** The cells that routes point at: they outlive what is in them, and not those who point. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attachSharedCounters, createSharedCounters } from '../../../../src/base/shared-counters.ts'
import { silentLog } from '../../../../src/observability/log.ts'
import type { UpstreamValue } from '../../../../src/resources/upstream.ts'
import { UpstreamCells } from '../../../../src/snapshot/upstream-cells.ts'

const value: UpstreamValue = {
  type: 'roundrobin',
  scheme: 'tcp',
  hash_on: 'vars',
  retry_timeout: 0,
  pass_host: 'pass',
  nodes: [{ host: '10.0.0.1', port: 80, weight: 1, priority: 0 }],
}

function setUp(): UpstreamCells {
  const counters = attachSharedCounters(createSharedCounters({ slots: 64, workers: 1 }), 0)
  const around = { address: () => undefined, pending: () => false, ssl: () => undefined, trusted: undefined }
  return new UpstreamCells(counters, around, silentLog)
}

test('owners that come and go leave nothing behind', () => {
  const cells = setUp()
  for (let i = 0; i < 100; i++) {
    cells.put(`upstreams/${i}`, value)
    const cell = cells.cell(`upstreams/${i}`)
    cells.hold(cell)
    cells.put(`upstreams/${i}`, undefined)
    assert.equal(cell.current, undefined)
    assert.equal(cells.size, 1)
    cells.release(cell)
  }
  assert.equal(cells.size, 0)
})

test('an owner that comes back fills the cell that routes point at', () => {
  const cells = setUp()
  const cell = cells.cell('upstreams/1')
  cells.hold(cell)
  cells.put('upstreams/1', value)
  assert.equal(cell.current?.fleet.size, 1)
  cells.put('upstreams/1', undefined)
  cells.put('upstreams/1', value)
  assert.equal(cell.current?.fleet.size, 1)
})

test('a value that does not compile leaves the one before in force', () => {
  const cells = setUp()
  cells.put('upstreams/1', value)
  const before = cells.cell('upstreams/1').current
  cells.put('upstreams/1', { ...value, scheme: 'kafka' })
  assert.equal(cells.cell('upstreams/1').current, before)
  cells.put('upstreams/2', { ...value, scheme: 'kafka' })
  assert.equal(cells.cell('upstreams/2').current, undefined)
})
