/** The wheel against a clock that the test moves, and the exact timers against the real one. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { after, every, sleep, type Timer, TimerWheel } from '../../../../src/base/timers.ts'
import { manualClock } from '../../../support/manual-clock.ts'
import { until } from '../../../support/until.ts'

/** Node timers that keep the process alive now. */
const heldTimers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

/** A wheel with 2 ms ticks on a manual clock: it really moves every millisecond, but sees only the test's time. */
function rig() {
  const clock = manualClock()
  const wheel = new TimerWheel({ tickMs: 2, clock })
  const expired: Timer[] = []
  const owner = { expired: (timer: Timer) => void expired.push(timer) }
  /** Moves time, and waits until the wheel has seen it: a timer of no duration has run out since. */
  const advance = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 1) {
      clock.advance(1)
      const step = wheel.step
      if (wheel.size > 0) await until(() => wheel.step > step || wheel.size === 0, { what: 'a move of the wheel' })
    }
  }
  return { clock, wheel, expired, owner, advance }
}

test('a wheel timer is never early and late by at most a tick', async () => {
  for (const ms of [1, 2, 7, 20]) {
    const { wheel, expired, owner, advance } = rig()
    wheel.start(ms, owner)
    await advance(ms)
    assert.equal(expired.length, 0, `not yet after ${ms} ms`)
    await advance(2)
    assert.equal(expired.length, 1)
    assert.equal(wheel.size, 0)
  }
})

test('a refreshed wheel timer runs its whole time again', async () => {
  const { wheel, expired, owner, advance } = rig()
  const timer = wheel.start(10, owner)
  for (let round = 0; round < 3; round += 1) {
    await advance(9)
    timer.refresh()
  }
  await advance(10)
  assert.equal(expired.length, 0)
  await advance(2)
  assert.deepEqual(expired, [timer])
})

test('a timer refreshed at the end of a stall is not early by the length of the stall', async () => {
  const { clock, wheel, expired, owner, advance } = rig()
  const timer = wheel.start(50, owner)
  await advance(5)
  // The thread is busy: time passes, the wheel cannot move, and then the timer is refreshed.
  clock.advance(40)
  timer.refresh()
  await advance(50)
  assert.equal(expired.length, 0)
  await advance(3)
  assert.equal(expired.length, 1)
})

test('a timer longer than a turn of the wheel waits for its own turn', async () => {
  const { clock, wheel, expired, owner, advance } = rig()
  const other = { expired: () => undefined }
  wheel.start(5_000, owner)
  wheel.start(100_000, other)
  await advance(2)
  clock.advance(2_998)
  await advance(1)
  assert.equal(expired.length, 0)
  clock.advance(1_990)
  await advance(5)
  assert.equal(expired.length, 0)
  await advance(6)
  assert.equal(expired.length, 1)
  wheel.stop()
})

test('a stall longer than a turn expires what is due and nothing else', async () => {
  const { clock, wheel, expired, owner, advance } = rig()
  const due = wheel.start(500, owner)
  wheel.start(90_000, owner)
  await advance(2)
  clock.advance(60_000)
  await advance(1)
  await until(() => expired.length > 0)
  assert.deepEqual(expired, [due])
  assert.equal(wheel.size, 1)
  wheel.stop()
})

test('a cancelled timer does not expire, and cancel and refresh afterwards do nothing', async () => {
  const { wheel, expired, owner, advance } = rig()
  const first = wheel.start(3, owner)
  const second = wheel.start(3, owner)
  const third = wheel.start(3, owner)
  second.cancel()
  second.cancel()
  second.refresh()
  assert.equal(wheel.size, 2)
  await advance(6)
  assert.deepEqual(new Set(expired), new Set([first, third]))
  first.cancel()
  assert.equal(wheel.size, 0)
})

test('an owner may cancel a timer that is due in the same move', async () => {
  const { wheel, advance } = rig()
  const timers: Timer[] = []
  let calls = 0
  const owner = {
    expired: () => {
      calls += 1
      for (const timer of timers) timer.cancel()
    },
  }
  timers.push(wheel.start(3, owner), wheel.start(3, owner), wheel.start(3, owner))
  await advance(6)
  assert.equal(calls, 1)
  assert.equal(wheel.size, 0)
})

test('an owner may start a timer when one expires, and it runs its whole time', async () => {
  const { wheel, advance } = rig()
  let calls = 0
  const owner = {
    expired: () => {
      calls += 1
      if (calls < 3) wheel.start(5, owner)
    },
  }
  wheel.start(5, owner)
  await advance(12)
  assert.equal(calls, 1)
  await advance(20)
  assert.equal(calls, 3)
})

test('an empty wheel holds no Node timer, and a wheel asked to unref never keeps the process', () => {
  const before = heldTimers()
  const wheel = new TimerWheel()
  const owner = { expired: () => undefined }
  assert.equal(heldTimers(), before)
  const timer = wheel.start(60_000, owner)
  wheel.start(60_000, owner)
  assert.equal(heldTimers(), before + 1)
  timer.cancel()
  assert.equal(heldTimers(), before + 1)
  wheel.stop()
  assert.equal(wheel.size, 0)
  assert.equal(heldTimers(), before)
  const quiet = new TimerWheel({ unref: true })
  quiet.start(60_000, owner)
  assert.equal(heldTimers(), before)
  quiet.stop()
})

test('nine thousand idle timers cost little memory', () => {
  const wheel = new TimerWheel({ unref: true })
  const owner = { expired: () => undefined }
  const timers = new Array<Timer>(9_000)
  const before = process.memoryUsage().heapUsed
  for (let index = 0; index < timers.length; index += 1) timers[index] = wheel.start(60_000, owner)
  const each = (process.memoryUsage().heapUsed - before) / timers.length
  assert.ok(each < 200, `${each} bytes each`)
  for (const timer of timers) timer.cancel()
  assert.equal(wheel.size, 0)
})

test('durations that are none are refused', () => {
  const wheel = new TimerWheel()
  assert.throws(() => wheel.start(-1, { expired: () => undefined }), RangeError)
  assert.throws(() => wheel.start(Number.NaN, { expired: () => undefined }), RangeError)
  assert.throws(() => new TimerWheel({ tickMs: 0 }), RangeError)
})

test('after runs once, every runs until cancelled', async () => {
  let once = 0
  let often = 0
  after(1, () => {
    once += 1
  })
  after(1, () => {
    once += 100
  }).cancel()
  const repeated = every(1, () => {
    often += 1
  })
  await until(() => often >= 3 && once === 1)
  repeated.cancel()
  repeated.refresh()
  assert.equal(once, 1)
})

test('sleep tells whether the time passed or the signal came first', async () => {
  assert.equal(await sleep(1), true)
  const abort = new AbortController()
  assert.equal(await sleep(1, abort.signal), true)
  const long = sleep(60_000, abort.signal)
  abort.abort()
  assert.equal(await long, false)
  assert.equal(await sleep(60_000, abort.signal), false)
})
