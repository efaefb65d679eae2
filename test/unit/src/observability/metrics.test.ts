/** Instruments, their bound, snapshots across threads, merging, and what stays of a worker that is gone. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import { Metrics } from '../../../../src/observability/metrics.ts'
import { type MetricsSnapshot, mergeSnapshots } from '../../../../src/observability/metrics-snapshot.ts'
import { SnapshotRetention } from '../../../../src/observability/snapshot-retention.ts'

const fresh = (maxSeries = 1000, onOverflow: (family: string) => void = () => {}) =>
  new Metrics({ maxSeries, onOverflow })

/** `name{values}` → numbers. */
function flat(snapshot: MetricsSnapshot): Record<string, number[]> {
  const seen: Record<string, number[]> = {}
  for (const { name, labels, labelValues, values, buckets, type } of snapshot) {
    const width = type === 'histogram' ? buckets.length + 2 : 1
    for (let i = 0; i * width < values.length; i++) {
      const of = labelValues.slice(i * labels.length, (i + 1) * labels.length)
      seen[`${name}{${of.join()}}`] = Array.from(values.subarray(i * width, (i + 1) * width))
    }
  }
  return seen
}

describe('instruments', () => {
  test('a family gives the same instrument for the same label values', () => {
    const sessions = fresh().counter('sessions', '', ['route', 'node'])
    sessions.with('a', 'b').add(2)
    sessions.with('a', 'b').add(3)
    assert.equal(sessions.with('a', 'b').value, 5)
    assert.equal(sessions.with('a,b', '').value, 0)
  })

  test('a histogram counts a value in the first bucket whose bound is not below it', () => {
    const metrics = fresh()
    const seconds = metrics.histogram('seconds', '', [], [1, 2]).with()
    for (const value of [0, 1, 1.5, 2, 2.1, 100]) seconds.observe(value)
    assert.deepEqual(flat(metrics.snapshot()), { 'seconds{}': [2, 2, 2, 106.6] })
  })

  test('series beyond the bound share one overflow series, which is told once', () => {
    const told: string[] = []
    const metrics = fresh(2, (family) => told.push(family))
    const family = metrics.counter('c', '', ['l'])
    for (const label of ['a', 'b', 'c', 'd', 'c']) family.with(label).add(1)
    assert.deepEqual(flat(metrics.snapshot()), { 'c{a}': [1], 'c{b}': [1], 'c{overflow}': [3] })
    assert.deepEqual(told, ['c'])
  })

  test('a family asked for again is the same one, and with another shape is refused', () => {
    const metrics = fresh()
    assert.equal(metrics.counter('c', 'h', ['l']), metrics.counter('c', 'h', ['l']))
    assert.throws(() => metrics.counter('c', 'h', ['other']), /another shape/)
    assert.throws(() => metrics.counter('c', 'h', ['l']).with('a', 'b'), RangeError)
  })
})

describe('snapshots', () => {
  test('a snapshot passes between threads as it is', () => {
    const metrics = fresh()
    metrics.counter('c', 'help', ['l']).with('a').add(7)
    const { port1, port2 } = new MessageChannel()
    port1.postMessage(metrics.snapshot())
    assert.deepEqual(receiveMessageOnPort(port2)?.message, metrics.snapshot())
    port1.close()
  })

  test('merging adds series of the same labels and keeps the others', () => {
    const [a, b] = [fresh(), fresh()]
    a.counter('c', '', ['l']).with('x').add(1)
    b.counter('c', '', ['l']).with('x').add(2)
    b.counter('c', '', ['l']).with('y').add(4)
    a.histogram('h', '', [], [1]).with().observe(0.5)
    b.histogram('h', '', [], [1]).with().observe(2)
    b.gauge('g', '', []).with().set(3)
    const merged = flat(mergeSnapshots([a.snapshot(), b.snapshot()]))
    assert.deepEqual(merged, { 'c{x}': [3], 'c{y}': [4], 'h{}': [1, 1, 2.5], 'g{}': [3] })
  })

  test('merging leaves out a family whose shape differs from the first of its name', () => {
    const [a, b] = [fresh(), fresh()]
    a.counter('c', '', ['l']).with('x').add(1)
    b.counter('c', '', ['l', 'm']).with('x', 'y').add(2)
    assert.deepEqual(flat(mergeSnapshots([a.snapshot(), b.snapshot()])), { 'c{x}': [1] })
  })

  test('a counter does not go down when a worker is replaced, a gauge forgets what it held', () => {
    const retention = new SnapshotRetention(100)
    const counted = (value: number, open: number): MetricsSnapshot => {
      const metrics = fresh()
      metrics.counter('c', '', []).with().add(value)
      metrics.gauge('g', '', []).with().set(open)
      return metrics.snapshot()
    }
    const sum = () => flat(mergeSnapshots(retention.all()))
    retention.keep('1#1', counted(10, 4))
    retention.keep('2#1', counted(5, 2))
    assert.deepEqual(sum(), { 'c{}': [15], 'g{}': [6] })
    retention.retire('1#1')
    assert.deepEqual(sum(), { 'c{}': [15], 'g{}': [2] })
    retention.keep('1#2', counted(1, 1))
    retention.retire('1#2')
    retention.retire('1#2')
    assert.deepEqual(sum(), { 'c{}': [16], 'g{}': [2] })
  })

  test('what is kept of dead workers is bounded', () => {
    const retention = new SnapshotRetention(3)
    for (let n = 0; n < 10; n++) {
      const metrics = fresh()
      metrics.counter('c', '', ['l']).with(`route ${n}`).add(1)
      retention.keep(`w${n}`, metrics.snapshot())
      retention.retire(`w${n}`)
    }
    const kept = flat(mergeSnapshots(retention.all()))
    assert.equal(Object.keys(kept).length, 4)
    assert.deepEqual(kept['c{overflow}'], [7])
  })
})

test('a series that stands still is dropped after its time, makes room, and tells who kept it', () => {
  let now = 0
  const metrics = new Metrics({ maxSeries: 1, onOverflow() {}, now: () => now })
  const family = metrics.configuredCounter('c', 'help', ['a'], { expireMs: 1000 })
  family.with('x').add(1)
  const labels = (): readonly string[] => metrics.snapshot().flatMap(({ labelValues }) => labelValues)
  assert.deepEqual(labels(), ['x'])
  now = 900
  family.with('x').add(1)
  assert.deepEqual(labels(), ['x'])
  now = 1800
  assert.deepEqual(labels(), ['x'])
  const { generation } = metrics
  now = 2000
  assert.deepEqual(labels(), [])
  assert.notEqual(metrics.generation, generation)
  family.with('y').add(1)
  assert.deepEqual(labels(), ['y'])
})

test('a family whose shape is a setting is replaced by one of another shape, and kept by one of the same', () => {
  const metrics = new Metrics({ maxSeries: 1, onOverflow() {} })
  const never = { expireMs: 0 }
  metrics.configuredHistogram('h', 'help', [], [1], never).with().observe(1)
  metrics.configuredHistogram('h', 'help', [], [1], never).with().observe(1)
  assert.equal(metrics.snapshot()[0]?.values[0], 2)
  metrics.configuredHistogram('h', 'help', [], [1, 2], never).with().observe(1)
  assert.deepEqual([...(metrics.snapshot()[0]?.values ?? [])], [1, 0, 0, 1])
})
