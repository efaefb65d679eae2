import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SnapshotRetention } from '../../../../src/observability/snapshot-retention.ts'

test('gauges that only go up are kept of a worker that is gone', () => {
  const retention = new SnapshotRetention(10)
  const shape = { help: '', type: 'gauge', labels: [], buckets: [], labelValues: [] } as const
  retention.keep('1', [
    { ...shape, name: 'open', values: Float64Array.of(3) },
    { ...shape, name: 'requests', values: Float64Array.of(5), total: true },
  ])
  retention.retire('1')
  assert.deepEqual(
    retention.all().flatMap((snapshot) => snapshot.map(({ name, values }) => [name, values[0]])),
    [['requests', 5]],
  )
})
