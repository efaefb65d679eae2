/** Shared counters, in one thread and with several real ones that add, die and are replaced. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import test from 'node:test'
import { Worker } from 'node:worker_threads'
import {
  attachSharedCounters,
  createSharedCounters,
  releaseWorker,
  type SharedCounter,
  type SharedMemory,
} from '../../../../src/base/shared-counters.ts'
import { until } from '../../../support/until.ts'

const source = new URL('../../../../src/base/shared-counters.ts', import.meta.url).href

function worker(memory: SharedMemory, index: number, body: string): Worker {
  const code = `import { workerData, parentPort } from 'node:worker_threads'
    import { attachSharedCounters } from '${source}'
    const counters = attachSharedCounters(workerData.memory, workerData.index)
    ${body}`
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { workerData: { memory, index } })
}

test('a counter opened by the same name is the same counter', () => {
  const memory = createSharedCounters({ slots: 64, workers: 2 })
  const one = attachSharedCounters(memory, 0)
  const two = attachSharedCounters(memory, 1)
  const here = one.open('endpoint 10.0.0.1:80')
  const there = two.open('endpoint 10.0.0.1:80')
  const other = two.open('endpoint 10.0.0.2:80')
  assert.ok(here && there && other)
  assert.equal(here.add(2), 2)
  assert.equal(there.add(3), 5)
  assert.equal(here.value, 5)
  assert.equal(other.value, 0)
  assert.equal(here.add(-2), 3)
})

test('a counter in use is never forgotten, one out of use gives its place away', () => {
  const memory = createSharedCounters({ slots: 16, workers: 1 })
  const counters = attachSharedCounters(memory, 0)
  const held: SharedCounter[] = []
  for (let index = 0; index < 16; index += 1) {
    const counter = counters.open(`name ${index}`)
    assert.ok(counter)
    held.push(counter)
  }
  assert.equal(counters.open('one too many'), undefined)
  held[3]?.add(1)
  held[3]?.release()
  assert.equal(counters.open('one too many'), undefined, 'released, but its total is not 0')
  assert.equal(counters.open('name 3')?.value, 1)
  held[3]?.add(-1)
  held[4]?.release()
  held[4]?.release()
  assert.equal(counters.open('one too many')?.value, 0)
  assert.equal(counters.open('another too many'), undefined)
})

test('names spread over the table: two thirds of it find a place', () => {
  const memory = createSharedCounters({ slots: 4096, workers: 4 })
  const counters = attachSharedCounters(memory, 3)
  let refused = 0
  for (let index = 0; index < 2400; index += 1)
    if (counters.open(`10.0.${index >> 8}.${index & 255}`) === undefined) refused += 1
  assert.ok(refused < 24, `${refused} refused`)
})

test('an index outside the table is refused', () => {
  const memory = createSharedCounters({ slots: 16, workers: 2 })
  assert.throws(() => attachSharedCounters(memory, 2), RangeError)
  assert.throws(() => attachSharedCounters(memory, -1), RangeError)
  assert.throws(() => createSharedCounters({ slots: 0, workers: 1 }), RangeError)
})

test('totals are exact when threads add at once', async () => {
  const memory = createSharedCounters({ slots: 256, workers: 4 })
  const watch = attachSharedCounters(memory, 3)
  const threads = [0, 1, 2].map((index) =>
    worker(
      memory,
      index,
      `for (let round = 0; round < 20000; round += 1) {
         const counter = counters.open('name ' + (round % 50))
         counter.add(round % 3 + 1)
         counter.release()
       }`,
    ),
  )
  await Promise.all(threads.map((thread) => once(thread, 'exit')))
  let sum = 0
  for (let name = 0; name < 50; name += 1) sum += watch.open(`name ${name}`)?.value ?? 0
  let expected = 0
  for (let round = 0; round < 20_000; round += 1) expected += 3 * ((round % 3) + 1)
  assert.equal(sum, expected)
})

test('what a terminated worker had added and pinned is taken back, and its successor counts on', async () => {
  const memory = createSharedCounters({ slots: 64, workers: 3 })
  const watch = attachSharedCounters(memory, 2)
  const names = Array.from({ length: 20 }, (_, index) => `name ${index}`)
  const totals = (): number[] => names.map((name) => watch.open(name)?.value ?? Number.NaN)
  const hammer = `for (let round = 0; ; round += 1) {
      const counter = counters.open('name ' + (round % 20))
      counter.add(1)
      if (round % 3 !== 0) counter.add(-1)
      if (round % 5 !== 0) counter.release()
    }`
  const steady = worker(memory, 0, `${hammer.replace("'name '", "'steady '").replace('round % 20', 'round % 7')}`)
  for (let life = 0; life < 3; life += 1) {
    const dying = worker(memory, 1, hammer)
    await until(() => totals().every((total) => total > 0), { what: 'the worker to count' })
    await dying.terminate()
    assert.ok(totals().every((total) => total > 0))
    releaseWorker(memory, 1)
    assert.deepEqual(
      totals(),
      names.map(() => 0),
    )
  }
  await steady.terminate()
  releaseWorker(memory, 0)
  releaseWorker(memory, 2)
  const fresh = attachSharedCounters(memory, 2)
  for (let index = 0; index < 7; index += 1) assert.equal(fresh.open(`steady ${index}`)?.value, 0)
})

test('a worker that died with a lock holds nobody up for ever', () => {
  const memory = createSharedCounters({ slots: 16, workers: 2 })
  const counters = attachSharedCounters(memory, 0)
  // With 16 slots there is one set, and its lock is the first word after the header of 16.
  const words = new Int32Array(memory.buffer)
  words[16] = 2
  assert.ok(counters.open('after a wait'))
  words[16] = 2
  releaseWorker(memory, 1)
  assert.equal(words[16], 0, 'the main thread opened the lock')
  assert.ok(counters.open('without a wait'))
})
