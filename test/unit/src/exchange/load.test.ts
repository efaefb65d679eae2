/** What an endpoint's load counts and learns, on a clock that the test moves. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { attachSharedCounters, createSharedCounters } from '../../../../src/base/shared-counters.ts'
import { createLoad } from '../../../../src/exchange/load.ts'
import { manualClock } from '../../../support/manual-clock.ts'

const near = (value: number, expected: number): void =>
  assert.ok(Math.abs(value - expected) < 1e-6, `${value}, not ${expected}`)

test('exchanges in flight are counted over all workers', () => {
  const memory = createSharedCounters({ slots: 16, workers: 2 })
  const [here, there] = [0, 1].map((index) => createLoad(attachSharedCounters(memory, index).open('endpoint')))
  here?.begin()
  here?.begin()
  there?.begin()
  assert.equal(here?.inFlight, 3)
  here?.end()
  assert.equal(there?.inFlight, 2)
  there?.end()
  there?.end()
  assert.equal(here?.inFlight, 1, 'one end more than begins takes nothing from others')
})

test('without a shared counter the own ones are counted', () => {
  const load = createLoad(undefined)
  load.begin()
  assert.equal(load.inFlight, 1)
  load.end()
  load.end()
  assert.equal(load.inFlight, 0)
})

test('a counter released while exchanges are in flight comes down to 0', () => {
  const counters = attachSharedCounters(createSharedCounters({ slots: 16, workers: 1 }), 0)
  const counter = counters.open('endpoint')
  const load = createLoad(counter)
  load.begin()
  counter?.release()
  const successor = counters.open('endpoint')
  assert.equal(successor?.value, 1)
  load.end()
  assert.equal(successor?.value, 0)
})

test('the first latency counts in full and fades by e in ten seconds', () => {
  const clock = manualClock()
  const load = createLoad(undefined, clock)
  assert.equal(load.latencyMs, 0)
  load.end(200)
  near(load.latencyMs, 200)
  clock.advance(10_000)
  near(load.latencyMs, 200 / Math.E)
})

test('a later latency counts the more the longer nothing was heard', () => {
  const clock = manualClock()
  const load = createLoad(undefined, clock)
  load.end(100)
  load.end(500)
  near(load.latencyMs, 100)
  clock.advance(10_000)
  load.end(500)
  near(load.latencyMs, 100 / Math.E + 500 * (1 - 1 / Math.E))
})

test('after a minute of silence nothing is known', () => {
  const clock = manualClock()
  const load = createLoad(undefined, clock)
  load.end(100)
  clock.advance(60_001)
  assert.equal(load.latencyMs, 0)
  load.end(40)
  near(load.latencyMs, 40)
})

test('an exchange without an answer worth learning from teaches nothing', () => {
  const load = createLoad(undefined, manualClock())
  load.begin()
  load.end()
  assert.equal(load.latencyMs, 0)
})
