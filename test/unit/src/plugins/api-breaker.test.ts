/** api-breaker within one worker: when it opens, for how long, what it answers, what closes it. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import type { JsonObject } from '../../../../src/base/json.ts'
import type { Attempt } from '../../../../src/exchange/exchange.ts'
import type { Chain } from '../../../../src/plugin/chain.ts'
import type { Answer } from '../../../../src/plugin/plugin.ts'
import { runLog, runSteps } from '../../../../src/plugin/run.ts'
import { apiBreaker } from '../../../../src/plugins/api-breaker.ts'
import { httpExchange, type TestRequest } from '../../../support/http-exchange.ts'
import { type ManualClock, manualClock } from '../../../support/manual-clock.ts'
import { PluginBench } from '../../../support/plugin-bench.ts'

let bench: PluginBench
let clock: ManualClock
beforeEach(() => {
  clock = manualClock(100_000)
  bench = new PluginBench(apiBreaker, { clock })
})
afterEach(() => bench.close())

const chain = (conf: JsonObject = {}, owner?: string): Chain =>
  bench.chain({ 'api-breaker': { break_response_code: 599, ...conf } }, owner)

/** One request that an endpoint answers with `status` if it comes to that; 0: there is none to ask. */
async function ask(by: Chain, status: number, request: TestRequest = {}): Promise<Answer | undefined> {
  const exchange = httpExchange(request)
  const answer = await runSteps(by.access ?? [], exchange)
  if (answer === undefined && status !== 0) {
    exchange.attempts.push({ error: undefined } as unknown as Attempt)
    exchange.upstreamStatuses.push(status)
  }
  runLog(by.log ?? [], exchange, (error) => assert.fail(String(error)))
  return answer
}
async function repeat(count: number, by: Chain, status: number): Promise<void> {
  for (let at = 0; at < count; at += 1) assert.equal(await ask(by, status), undefined, `request ${at + 1}`)
}
const isOpen = async (by: Chain): Promise<boolean> => (await ask(by, 0)) !== undefined

test('it opens at the configured number of failures, for two seconds, then four, up to the most', async () => {
  const by = chain({ max_breaker_sec: 5 })
  await repeat(2, by, 500)
  assert.equal(await isOpen(by), false)
  for (const seconds of [2, 4, 5, 5]) {
    await repeat(seconds === 2 ? 1 : 3, by, 500)
    assert.equal(await isOpen(by), true)
    clock.advance(seconds * 1000 + 999)
    assert.equal(await isOpen(by), true, `after ${seconds} s`)
    clock.advance(1)
    assert.equal(await isOpen(by), false)
  }
})

test('only listed statuses of endpoints count', async () => {
  const by = chain({ unhealthy: { http_statuses: [500, 503], failures: 2 } })
  await repeat(5, by, 502)
  await repeat(5, by, 0)
  await repeat(1, by, 503)
  assert.equal(await isOpen(by), false)
  await repeat(1, by, 500)
  assert.equal(await isOpen(by), true)
})

test('enough healthy answers clear everything, an unhealthy one starts their count anew', async () => {
  const by = chain({ healthy: { http_statuses: [200, 206], successes: 2 } })
  await repeat(2, by, 500)
  await repeat(1, by, 200)
  await repeat(1, by, 404)
  await repeat(1, by, 206)
  await repeat(2, by, 500)
  assert.equal(await isOpen(by), false)
  await repeat(1, by, 200)
  await repeat(1, by, 500)
  assert.equal(await isOpen(by), true)
})

test('it stands for a host and a path, on whatever route', async () => {
  const conf = { unhealthy: { failures: 1 } }
  const [one, other] = [chain(conf, 'routes/1'), chain(conf, 'routes/2')]
  await ask(one, 500, { host: 'a.test', target: '/x?q=1' })
  assert.notEqual(await ask(other, 200, { host: 'a.test:8080', target: '/x' }), undefined)
  assert.equal(await ask(one, 200, { host: 'b.test', target: '/x' }), undefined)
  assert.equal(await ask(one, 200, { host: 'a.test', target: '/y' }), undefined)
})

test('it answers with the code; with body and fields where there is a body', async () => {
  const unhealthy = { failures: 1 }
  const headers = [
    { key: 'X-Client', value: '$remote_addr:$arg_a' },
    { key: 'Content-Type', value: 'application/json' },
  ]
  const bare = chain({ unhealthy, break_response_headers: headers })
  await ask(bare, 500)
  assert.deepEqual(await ask(bare, 200), { status: 599 })
  const whole = chain({ unhealthy, break_response_body: '{"open":true}', break_response_headers: headers })
  const { status, body, headers: fields } = await bench.run(whole, { target: '/?a=1', remoteAddress: '10.0.0.1' })
  assert.deepEqual([status, body], [599, '{"open":true}'])
  assert.equal(fields.get('x-client'), '10.0.0.1:1')
  assert.equal(fields.get('content-type'), 'application/json')
})
