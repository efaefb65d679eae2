/** Shared windows: how they count, and that several real threads together take exactly what there is. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import test from 'node:test'
import { Worker } from 'node:worker_threads'
import { SharedCells } from '../../../../src/base/shared-cells.ts'
import {
  attachSharedWindows,
  type CellMemory,
  createSharedWindows,
  releaseWindows,
} from '../../../../src/base/shared-windows.ts'
import { manualClock } from '../../../support/manual-clock.ts'

const source = new URL('../../../../src/base/shared-windows.ts', import.meta.url).href

function worker(memory: CellMemory, index: number, body: string): Worker {
  const code = `import { workerData, parentPort } from 'node:worker_threads'
    import { attachSharedWindows } from '${source}'
    const windows = attachSharedWindows(workerData.memory, workerData.index).open('limit')
    ${body}`
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { workerData: { memory, index } })
}

test('a fixed window begins with its first request, and the next with the first after its end', () => {
  const clock = manualClock(0)
  const windows = attachSharedWindows(createSharedWindows(64), 0, { clock }).open('a')
  const take = (cost = 1) => ({ ...windows.takeFixed('key', cost, 3, 1000) })
  clock.advance(700)
  assert.deepEqual(take(), { allowed: true, remaining: 2, resetMs: 1000 })
  clock.advance(400)
  assert.deepEqual(take(2), { allowed: true, remaining: 0, resetMs: 600 })
  assert.deepEqual(take(), { allowed: false, remaining: 0, resetMs: 600 })
  clock.advance(599)
  assert.equal(take().allowed, false)
  clock.advance(1)
  assert.deepEqual(take(), { allowed: true, remaining: 2, resetMs: 1000 })
  assert.deepEqual(take(4), { allowed: false, remaining: 2, resetMs: 1000 })
})

test('keys, scopes and tables count on their own; the same scope counts together', () => {
  const memory = createSharedWindows(64)
  const table = attachSharedWindows(memory, 0)
  const again = attachSharedWindows(memory, 1)
  const take = (windows: ReturnType<typeof table.open>, key: string) => windows.takeFixed(key, 1, 1, 60_000)?.allowed
  assert.equal(take(table.open('one'), 'k'), true)
  assert.equal(take(again.open('one'), 'k'), false)
  assert.equal(take(table.open('one'), 'l'), true)
  assert.equal(take(table.open('two'), 'k'), true)
})

test('a sliding window counts the part of the window before that it still reaches', () => {
  const clock = manualClock(0)
  const windows = attachSharedWindows(createSharedWindows(64), 0, { clock }).open('a')
  const take = () => ({ ...windows.takeSliding('key', 1, 10, 1000) })
  clock.advance(500)
  for (let left = 9; left >= 0; left -= 1) assert.deepEqual(take(), { allowed: true, remaining: left, resetMs: 500 })
  assert.deepEqual(take(), { allowed: false, remaining: 0, resetMs: 500 })
  clock.advance(500)
  assert.deepEqual(take(), { allowed: false, remaining: 0, resetMs: 0 })
  clock.advance(250)
  // Three quarters of the ten still count: 7.5, and what comes now.
  assert.deepEqual(take(), { allowed: true, remaining: 1, resetMs: 750 })
  assert.deepEqual(take(), { allowed: true, remaining: 0, resetMs: 750 })
  assert.equal(take().allowed, true)
  assert.deepEqual(take(), { allowed: false, remaining: 0, resetMs: 50 })
  clock.advance(3000)
  assert.deepEqual(take(), { allowed: true, remaining: 9, resetMs: 750 })
})

test('a state is remembered as long as it was asked to be', () => {
  const clock = manualClock(0)
  const windows = attachSharedWindows(createSharedWindows(64), 0, { clock }).open('a')
  const raise = () =>
    windows.change('key', (state) => {
      if (state.fresh) state.keepMs = 100
      state.first += 1
      return state.first
    })
  assert.equal(raise(), 1)
  clock.advance(99)
  assert.equal(raise(), 2)
  clock.advance(1)
  assert.equal(raise(), 1)
  windows.change('key', (state) => {
    state.keepMs = 0
  })
  assert.equal(raise(), 1)
  assert.throws(() =>
    windows.change('key', () => {
      throw new Error('no')
    }),
  )
  assert.equal(raise(), 2)
})

test('looking at a state makes none and changes none', () => {
  const clock = manualClock(0)
  let displaced = 0
  const windows = attachSharedWindows(createSharedWindows(8), 0, { clock, displaced: () => displaced++ }).open('a')
  for (let index = 0; index < 8; index += 1) windows.takeFixed(`key ${index}`, 1, 1, 1000)
  assert.equal(
    windows.look('other', () => 1),
    undefined,
  )
  assert.equal(displaced, 0)
  const seen = windows.look('key 3', (state) => {
    const { first } = state
    state.first = 9
    return first
  })
  assert.equal(seen, 1)
  assert.equal(
    windows.look('key 3', ({ first }) => first),
    1,
  )
  clock.advance(1000)
  assert.equal(
    windows.look('key 3', ({ first }) => first),
    undefined,
  )
})

test('what is over gives its place away; of a full table the key that ends soonest is forgotten, and that is told', () => {
  const clock = manualClock(0)
  let displaced = 0
  const options = {
    clock,
    displaced: () => {
      displaced += 1
    },
  }
  const windows = attachSharedWindows(createSharedWindows(8), 0, options).open('a')
  for (let index = 0; index < 8; index += 1) windows.takeFixed(`key ${index}`, 1, 1, 1000 + index)
  assert.equal(displaced, 0)
  assert.equal(windows.takeFixed('another', 1, 1, 5000)?.allowed, true)
  assert.equal(displaced, 1)
  assert.equal(windows.takeFixed('key 1', 1, 1, 1000)?.allowed, false)
  clock.advance(2000)
  for (let index = 0; index < 7; index += 1) windows.takeFixed(`later ${index}`, 1, 1, 1000)
  assert.equal(displaced, 1)
})

test('threads that take at once take exactly what there is', async () => {
  const memory = createSharedWindows(64)
  const threads = [0, 1, 2, 3].map((index) =>
    worker(
      memory,
      index,
      `let taken = 0
      for (let at = 0; at < 30000; at += 1) if (windows.takeFixed('key ' + at % 3, 1, 10007, 3600000).allowed) taken += 1
      parentPort.postMessage(taken)`,
    ),
  )
  const taken = await Promise.all(threads.map(async (thread) => (await once(thread, 'message'))[0] as number))
  assert.equal(
    taken.reduce((sum, each) => sum + each, 0),
    3 * 10_007,
  )
})

test('a lock that a thread died with is opened for the others', async () => {
  const memory = createSharedWindows(8)
  const cells = new SharedCells(memory, 5)
  cells.enter(1, 1, 0)
  const waiting = worker(memory, 1, `parentPort.postMessage(windows.takeFixed('key', 1, 1, 1000)?.allowed)`)
  const answer = once(waiting, 'message')
  await once(waiting, 'online')
  releaseWindows(memory, 4)
  assert.equal(attachSharedWindows(memory, 2).open('limit').takeFixed('other', 1, 1, 1000), undefined)
  releaseWindows(memory, 5)
  const [allowed] = await answer
  assert.ok(allowed === true || allowed === undefined)
  assert.equal(attachSharedWindows(memory, 2).open('limit').takeFixed('third', 1, 1, 1000)?.allowed, true)
})

test('time is the same in all threads', async () => {
  const memory = createSharedWindows(64)
  const here = attachSharedWindows(memory, 0).open('limit')
  here.takeFixed('key', 1, 2, 60_000)
  const there = worker(memory, 1, `parentPort.postMessage({ ...windows.takeFixed('key', 1, 2, 60000) })`)
  const [taken] = (await once(there, 'message')) as [{ allowed: boolean; resetMs: number }]
  assert.equal(taken.allowed, true)
  assert.ok(taken.resetMs <= 60_000 && taken.resetMs > 50_000, String(taken.resetMs))
})
