import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Metrics } from '../../../../src/observability/metrics.ts'
import { BatchQueue, type BatchSettings, type Deliver, PartialDelivery } from '../../../../src/plugin/batch-queue.ts'
import { Outputs } from '../../../../src/plugin/outputs.ts'
import { httpExchange } from '../../../support/http-exchange.ts'
import { until } from '../../../support/until.ts'

const settings: BatchSettings = {
  name: 'log buffer',
  batchMaxSize: 3,
  inactiveMs: 60_000,
  bufferMs: 60_000,
  maxRetryCount: 0,
  retryDelayMs: 0,
  maxPending: () => 100,
}

function queueOf(t: TestContext, changed: Partial<BatchSettings> = {}, deliver?: Deliver<number>) {
  const [batches, logged] = [[] as (readonly number[])[], [] as string[]]
  const outputs = new Outputs()
  const metrics = new Metrics({ maxSeries: 10, onOverflow() {} })
  const note = (_: object, message: string): void => void logged.push(message)
  const build = {
    owner: 'routes/1',
    metrics,
    log: { warn: note, error: note },
    output: (output: Parameters<Outputs['add']>[0]) => outputs.add(output),
  }
  const keep = async (entries: readonly number[]): Promise<void> => void batches.push(entries)
  const queue = new BatchQueue<number>({ ...settings, ...changed }, deliver ?? keep, build)
  t.after(() => queue.close())
  const exchange = httpExchange()
  const push = (...entries: readonly number[]): void => {
    for (const entry of entries) queue.push(entry, exchange)
  }
  const gauge = (): number | undefined =>
    metrics.snapshot().find(({ name }) => name === 'batch_process_entries')?.values[0]
  return { queue, batches, logged, outputs, push, gauge }
}

test('a full batch goes at once, the rest waits and shows in the gauge', async (t) => {
  const { queue, batches, push, gauge } = queueOf(t)
  push(1, 2, 3, 4)
  await until(() => batches.length === 1, { what: 'a batch' })
  assert.deepEqual(batches, [[1, 2, 3]])
  assert.deepEqual([queue.pending, gauge()], [1, 1])
})

test('batches of one are sent one by one', async (t) => {
  const { batches, push, queue } = queueOf(t, { batchMaxSize: 1 })
  push(1, 2)
  await queue.flush()
  assert.deepEqual(batches, [[1], [2]])
})

test('a batch goes when nothing has come for a while', async (t) => {
  const { batches, push } = queueOf(t, { inactiveMs: 20 })
  push(1)
  await until(() => batches.length === 1, { what: 'a batch' })
})

test('a batch goes when its first entry is old, though others keep coming', async (t) => {
  const { batches, push } = queueOf(t, { bufferMs: 30, inactiveMs: 10_000, batchMaxSize: 1000 })
  push(1)
  await until(() => batches.length === 1, { what: 'a batch' })
  assert.equal(batches[0]?.[0], 1)
})

test('what failed is tried again, then dropped and told', async (t) => {
  let tries = 0
  const { queue, push, logged } = queueOf(t, { maxRetryCount: 2 }, async () => {
    tries++
    throw new Error('nobody there')
  })
  push(1, 2, 3)
  await queue.flush()
  assert.deepEqual([tries, queue.dropped, queue.pending], [3, 3, 0])
  assert.equal(logged.length, 4)
  assert.equal(logged.at(-1), 'Batch Processor[log buffer] exceeded the max_retry_count[3] dropping the entries')
})

test('of a batch that arrived in part only the rest is sent again', async (t) => {
  const seen: (readonly number[])[] = []
  const { queue, push } = queueOf(t, { maxRetryCount: 1 }, async (entries) => {
    seen.push(entries)
    if (seen.length === 1) throw new PartialDelivery('half', 2)
  })
  push(1, 2, 3)
  await queue.flush()
  assert.deepEqual(seen, [[1, 2, 3], [3]])
  assert.deepEqual([queue.dropped, queue.pending], [0, 0])
})

test('beyond the limit new entries are dropped, counted and told once a second', async (t) => {
  const { queue, push, logged } = queueOf(t, { maxPending: () => 2, batchMaxSize: 10 })
  push(1, 2, 3, 4, 5)
  assert.deepEqual([queue.pending, queue.dropped], [2, 3])
  assert.deepEqual(logged, ['max pending entries limit exceeded. discarding entry.'])
})

test('entries under way count as pending', async (t) => {
  let finish = (): void => {}
  const stuck = new Promise<void>((resolve) => {
    finish = resolve
  })
  const { queue, push } = queueOf(t, { maxPending: () => 3, batchMaxSize: 1 }, () => stuck)
  push(1, 2, 3, 4)
  assert.deepEqual([queue.pending, queue.dropped], [3, 1])
  finish()
  await queue.flush()
  assert.equal(queue.pending, 0)
})

test('an output flushes what waits, and is none any more when it is closed', async (t) => {
  const { queue, batches, push, outputs } = queueOf(t)
  push(1)
  assert.equal(await outputs.flush(1000), 0)
  assert.deepEqual(batches, [[1]])
  push(2)
  await queue.close()
  assert.deepEqual([batches.length, outputs.size], [2, 0])
})

test('outputs that are not done in time are counted', async () => {
  const outputs = new Outputs()
  outputs.add({ flush: () => new Promise(() => {}) })
  outputs.add({ flush: async () => {} })
  assert.equal(await outputs.flush(20), 1)
})
