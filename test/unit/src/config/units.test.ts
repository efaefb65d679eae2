import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytes, millis, parseSize, parseTime } from '../../../../src/config/units.ts'

test('times are read as nginx reads them, in milliseconds', () => {
  const cases: [string | number, number | undefined][] = [
    [60, 60_000],
    [0, 0],
    [0.5, 500],
    ['60', 60_000],
    ['240s', 240_000],
    ['500ms', 500],
    ['1h30m', 5_400_000],
    ['1h 30m', 5_400_000],
    ['1d', 86_400_000],
    ['1w 2d', 777_600_000],
    ['30m1h', undefined],
    ['1s1s', undefined],
    ['', undefined],
    ['s', undefined],
    ['-1s', undefined],
    ['1.5s', undefined],
    ['1y', undefined],
    [-1, undefined],
    [Number.NaN, undefined],
  ]
  for (const [written, expected] of cases) assert.equal(parseTime(written), expected, JSON.stringify(written))
})

test('sizes are read as nginx reads them, in bytes', () => {
  const cases: [string | number, number | undefined][] = [
    [0, 0],
    [16_384, 16_384],
    ['16k', 16_384],
    ['1M', 1_048_576],
    ['2g', 2_147_483_648],
    ['17', 17],
    ['1t', undefined],
    ['', undefined],
    ['-1k', undefined],
    [1.5, undefined],
    ['99999999999999999g', undefined],
  ]
  for (const [written, expected] of cases) assert.equal(parseSize(written), expected, JSON.stringify(written))
})

test('what is neither a time nor a size throws where the schema should have caught it', () => {
  assert.equal(millis('10s'), 10_000)
  assert.equal(bytes('1k'), 1024)
  assert.throws(() => millis('soon'), RangeError)
  assert.throws(() => bytes('big'), RangeError)
})
