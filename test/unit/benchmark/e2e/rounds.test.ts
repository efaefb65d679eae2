import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Measured, median, medians, paired, type Series } from '../../../../benchmark/e2e/rounds.ts'

const run = (perSecond: number, cpuPerUnit: number | undefined = 1, failures = 0): Measured => ({
  perSecond,
  cpuPerUnit,
  p50: 1,
  p99: 2,
  p999: 3,
  failures,
})
const series = (name: string, ...runs: readonly Measured[]): Series => ({ name, runs })

test('a ratio is taken round by round, so that what slows both down is in none', () => {
  const slowing = [100, 50, 25]
  const one = series('one', ...slowing.map((rate) => run(rate)))
  const other = series('other', ...slowing.map((rate) => run(rate * 2)))
  assert.deepEqual(
    paired(one, other, ({ perSecond }) => perSecond),
    { median: 0.5, low: 0.5, high: 0.5 },
  )
})

test('the lowest and the highest ratio of the rounds are told beside their median', () => {
  const one = series('one', run(1), run(2), run(6))
  const other = series('other', run(2), run(2), run(2))
  assert.deepEqual(
    paired(one, other, ({ perSecond }) => perSecond),
    { median: 1, low: 0.5, high: 3 },
  )
})

test('there is no ratio to a contender that has not that figure, or is not there', () => {
  const one = series('one', run(1))
  assert.equal(
    paired(one, series('direct', run(1)), () => undefined),
    undefined,
  )
  assert.equal(
    paired(one, undefined, ({ perSecond }) => perSecond),
    undefined,
  )
  assert.equal(
    paired(one, series('none', run(0)), ({ perSecond }) => perSecond),
    undefined,
  )
})

test('figures of a series are medians, failures are added up', () => {
  const { perSecond, failures, cpuPerUnit } = medians(series('one', run(1, 5, 2), run(9, 7, 0), run(3, 6, 1)))
  assert.deepEqual([perSecond, cpuPerUnit, failures], [3, 6, 3])
  assert.equal(median([4, 1, 2, 3]), 2.5)
})
