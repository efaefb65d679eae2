/** workflow: which rule runs, what its action answers, and that limits in it count for themselves. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import type { JsonObject } from '../../../../src/base/json.ts'
import type { Chain } from '../../../../src/plugin/chain.ts'
import { runLog, runSteps } from '../../../../src/plugin/run.ts'
import { limitConn } from '../../../../src/plugins/limit-conn/index.ts'
import { limitCount } from '../../../../src/plugins/limit-count/index.ts'
import { workflow } from '../../../../src/plugins/workflow.ts'
import { httpExchange } from '../../../support/http-exchange.ts'
import { PluginBench } from '../../../support/plugin-bench.ts'

let bench: PluginBench
beforeEach(() => {
  bench = new PluginBench([limitConn, limitCount, workflow])
})
afterEach(() => bench.close())

const limit = { count: 1, time_window: 60, rejected_code: 429 }
const chain = (rules: JsonObject[], more: Record<string, JsonObject> = {}): Chain =>
  bench.chain({ workflow: { rules }, ...more })
const status = async (by: Chain, target = '/'): Promise<number> => (await bench.run(by, { target })).status

test('the first rule that holds answers; none lets pass', async () => {
  const by = chain([
    { case: [['uri', '==', '/a']], actions: [['return', { code: 403 }]] },
    { case: ['OR', ['uri', '==', '/a'], ['arg_b', '==', '1']], actions: [['return', { code: 410 }]] },
  ])
  const { status: code, body } = await bench.run(by, { target: '/a?b=1' })
  assert.deepEqual([code, body], [403, '{"error_msg":"rejected by workflow"}\n'])
  assert.equal(await status(by, '/c?b=1'), 410)
  assert.equal(await status(by, '/c'), 200)
})

test('only the first action runs, and a rule without a case always holds', async () => {
  const by = chain([
    {
      actions: [
        ['return', { code: 401 }],
        ['return', { code: 402 }],
      ],
    },
  ])
  assert.equal(await status(by), 401)
  assert.equal(await status(chain([{ actions: [] }, { actions: [['return', { code: 401 }]] }])), 200)
})

test('limits count for each rule, and the quota is told', async () => {
  const by = chain([
    { case: [['uri', '==', '/a']], actions: [['limit-count', limit]] },
    { case: [['uri', '==', '/b']], actions: [['limit-count', limit]] },
  ])
  const first = await bench.run(by, { target: '/a' })
  assert.deepEqual([first.status, first.headers.get('x-ratelimit-remaining')], [200, '0'])
  assert.deepEqual([await status(by, '/a'), await status(by, '/b'), await status(by, '/b')], [429, 200, 429])
  assert.deepEqual([await status(by, '/c'), await status(by, '/c')], [200, 200])
})

test('a limit that ran as an action is not run again as the plugin of the route', async () => {
  const by = chain([{ case: [['uri', '==', '/a']], actions: [['limit-count', { ...limit, count: 2 }]] }], {
    'limit-count': { ...limit, rejected_code: 430 },
  })
  assert.deepEqual([await status(by, '/a'), await status(by, '/a'), await status(by, '/a')], [200, 200, 429])
  assert.deepEqual([await status(by, '/b'), await status(by, '/b')], [200, 430])
})

test('places of limit-conn are given back when the request ends', async () => {
  const conn = { conn: 1, burst: 0, default_conn_delay: 0.1, key: 'remote_addr' }
  const by = chain([{ actions: [['limit-conn', conn]] }])
  const exchanges = [httpExchange(), httpExchange()]
  const answers = await Promise.all(exchanges.map((exchange) => runSteps(by.access ?? [], exchange)))
  assert.deepEqual(
    answers.map((answer) => answer?.status),
    [undefined, 503],
  )
  for (const exchange of exchanges) runLog(by.log ?? [], exchange, (error) => assert.fail(String(error)))
  assert.equal(await status(by), 200)
})
