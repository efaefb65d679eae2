import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultInjection } from '../../../../src/plugins/fault-injection.ts'
import { PluginBench } from '../../../support/plugin-bench.ts'

const run = async (conf: object, target = '/') => {
  const bench = new PluginBench([faultInjection])
  try {
    return await bench.run({ 'fault-injection': { ...conf } }, { target })
  } finally {
    bench.close()
  }
}

test('a request is answered with the fault, variables filled in', async () => {
  const abort = { http_status: 418, body: 'no $arg_name', headers: { 'X-For': '$arg_name', 'X-N': 3 } }
  const { status, body, headers } = await run({ abort }, '/?name=jack')
  assert.deepEqual([status, body, headers.get('x-for'), headers.get('x-n')], [418, 'no jack', 'jack', '3'])
})

test('a fault without a body is the page of its status', async () => {
  const { status, body } = await run({ abort: { http_status: 503 } })
  assert.equal(status, 503)
  assert.match(body, /503 Service Temporarily Unavailable/)
})

test('a delay holds the request back, and then lets it go on', async () => {
  const from = performance.now()
  assert.equal((await run({ delay: { duration: 0.05 } })).body, 'upstream')
  assert.ok(performance.now() - from >= 49)
})

test('a percentage of 0 never strikes, one of 100 always, one between now and then', async () => {
  assert.equal((await run({ abort: { http_status: 500, percentage: 0 } })).status, 200)
  assert.equal((await run({ abort: { http_status: 500, percentage: 100 } })).status, 500)
  const bench = new PluginBench([faultInjection])
  const chain = bench.chain({ 'fault-injection': { abort: { http_status: 500, percentage: 50 } } })
  let struck = 0
  for (let i = 0; i < 400; i++) if ((await bench.run(chain)).status === 500) struck++
  assert.ok(struck > 100 && struck < 300, `${struck} of 400`)
  bench.close()
})

test('of several expressions one that holds is enough', async () => {
  const vars = [[['arg_a', '==', '1']], [['arg_b', '==', '1']]]
  const abort = { http_status: 403, vars }
  assert.equal((await run({ abort }, '/?a=1')).status, 403)
  assert.equal((await run({ abort }, '/?b=1')).status, 403)
  assert.equal((await run({ abort }, '/?c=1')).status, 200)
})
