/** limit-conn for HTTP within one worker: who gets in at once, who waits, who is refused, and that all leave again. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how users write variables
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import type { Chain } from '../../../../src/plugin/chain.ts'
import type { Answer } from '../../../../src/plugin/plugin.ts'
import { runLog, runSteps } from '../../../../src/plugin/run.ts'
import { limitConn } from '../../../../src/plugins/limit-conn/index.ts'
import { httpExchange, type TestRequest } from '../../../support/http-exchange.ts'
import { PluginBench } from '../../../support/plugin-bench.ts'

let bench: PluginBench
beforeEach(() => {
  bench = new PluginBench(limitConn)
})
afterEach(() => bench.close())

const most = { conn: 2, burst: 0, default_conn_delay: 0.1, key: 'remote_addr', only_use_default_delay: true }
const chain = (conf: object = {}): Chain => bench.chain({ 'limit-conn': { ...most, ...conf } })

interface Going {
  readonly answer: Answer | undefined
  readonly ms: number
  end(): void
}

/** A request that has come in and has not ended. */
async function begin(by: Chain, request: TestRequest = {}): Promise<Going> {
  const exchange = httpExchange(request)
  const started = performance.now()
  const answer = await runSteps(by.access ?? [], exchange)
  const end = (): void => runLog(by.log ?? [], exchange, (error) => assert.fail(String(error)))
  return { answer, ms: performance.now() - started, end }
}
const statusOf = ({ answer }: Going): number => answer?.status ?? 200

test('conn requests of a key are let in at once, another one for each that ends', async () => {
  const by = chain()
  const [first, second, third] = [await begin(by), await begin(by), await begin(by)]
  assert.deepEqual([first, second, third].map(statusOf), [200, 200, 503])
  assert.equal(statusOf(await begin(by, { remoteAddress: '10.1.1.1' })), 200)
  third.end()
  assert.equal(statusOf(await begin(by)), 503)
  first.end()
  assert.deepEqual([await begin(by), await begin(by)].map(statusOf), [200, 503])
})

test('rejected_code and rejected_msg make the refusal', async () => {
  const by = chain({ conn: 1, rejected_code: 429, rejected_msg: 'busy' })
  await begin(by)
  assert.deepEqual((await begin(by)).answer, { status: 429, body: { error_msg: 'busy' } })
})

test('requests within the burst wait by the steps that they are above conn', async () => {
  const by = chain({ conn: 1, burst: 2 })
  const all = await Promise.all([begin(by), begin(by), begin(by), begin(by)])
  assert.deepEqual(all.map(statusOf), [200, 200, 200, 503])
  const [first, second, third] = all.map(({ ms }) => ms)
  assert.ok((first ?? 99) < 90 && (second ?? 0) >= 95 && (third ?? 0) >= 195, `${first} ${second} ${third}`)
})

test('real times take the place of the default delay unless that is switched off', async () => {
  const by = chain({ conn: 1, burst: 1, default_conn_delay: 1, only_use_default_delay: false })
  for (let round = 0; round < 8; round += 1) (await begin(by)).end()
  await begin(by)
  const late = await begin(by)
  assert.equal(statusOf(late), 200)
  assert.ok(late.ms < 500, `${late.ms} ms`)
})

test('numbers may come from variables; what is none gets 500', async () => {
  const by = chain({ conn: '${http_conn ?? 1}', burst: '0' })
  assert.deepEqual([await begin(by), await begin(by)].map(statusOf), [200, 503])
  assert.equal(statusOf(await begin(by, { headers: { conn: '2' } })), 200)
  assert.deepEqual((await begin(by, { headers: { conn: 'x' } })).answer, { status: 500 })
  const lenient = chain({ conn: '$http_conn', allow_degradation: true })
  assert.equal(statusOf(await begin(lenient)), 200)
})

test('each rule counts by its own key; none that fits is 500', async () => {
  const rules = [
    { conn: 1, burst: 0, key: '$http_user' },
    { conn: 2, burst: 0, key: '${http_project}' },
  ]
  const by = bench.chain({ 'limit-conn': { default_conn_delay: 0.1, rules } })
  assert.equal(statusOf(await begin(by)), 500)
  const ask = (user: string) => begin(by, { headers: { user, project: 'p' } })
  const first = await ask('a')
  assert.deepEqual([first, await ask('b'), await ask('c')].map(statusOf), [200, 200, 503])
  first.end()
  assert.deepEqual([await ask('b'), await ask('d')].map(statusOf), [503, 200])
})

test('a Redis that cannot be reached is 500 without JSON, or lets pass where that is allowed', async () => {
  const redis = { policy: 'redis', redis_host: '127.0.0.1', redis_port: 1, redis_timeout: 200 }
  const { status, body } = await bench.run(chain(redis))
  assert.equal(status, 500)
  assert.match(body, /500 Internal Server Error/)
  assert.equal((await bench.run(chain({ ...redis, allow_degradation: true }))).status, 200)
})
