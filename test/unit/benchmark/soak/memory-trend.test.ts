import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MemorySample, memoryTrend } from '../../../../benchmark/soak/memory-trend.ts'

/** A sample every 2 s. */
const samples = (count: number, mib: (index: number) => number): readonly MemorySample[] =>
  Array.from({ length: count }, (_, index) => ({ seconds: index * 2, mib: mib(index) }))

test('memory that rises steadily is seen with its slope', () => {
  const trend = memoryTrend(samples(400, (index) => 100 + index / 10))
  // A tenth of a MiB each 2 s, over the last three quarters of 800 s.
  assert.ok(trend !== undefined && Math.abs(trend.perMinute - 3) < 1e-6)
  assert.ok(Math.abs(trend.growth - 29.9) < 0.2)
})

test('memory that goes up and down is flat', () => {
  const trend = memoryTrend(samples(400, (index) => 100 + (index % 2) * 20))
  assert.ok(trend !== undefined && Math.abs(trend.growth) < 0.2)
})

test('what rises in the first quarter only does not count', () => {
  const trend = memoryTrend(samples(400, (index) => Math.min(index, 100)))
  assert.equal(trend?.growth, 0)
})

test('too few samples tell nothing', () => {
  assert.equal(memoryTrend(samples(12, () => 100)), undefined)
})
