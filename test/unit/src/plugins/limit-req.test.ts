/** limit-req within one worker: who passes at once, who waits, who is refused. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { limitReq } from '../../../../src/plugins/limit-req.ts'
import { PluginBench } from '../../../support/plugin-bench.ts'

let bench: PluginBench
beforeEach(() => {
  bench = new PluginBench(limitReq)
})
afterEach(() => bench.close())

const chain = (conf: object) => bench.chain({ 'limit-req': { rate: 0.01, burst: 0, key: 'remote_addr', ...conf } })

test('what is above rate and burst is refused with 503, each key for itself', async () => {
  const by = chain({})
  assert.equal((await bench.run(by)).status, 200)
  const { status, body } = await bench.run(by)
  assert.equal(status, 503)
  assert.match(body, /503 Service Temporarily Unavailable/)
  assert.equal((await bench.run(by, { remoteAddress: '10.1.1.1' })).status, 200)
})

test('rejected_code and rejected_msg make the refusal', async () => {
  const by = chain({ rejected_code: 429, rejected_msg: 'too many' })
  await bench.run(by)
  const { status, body } = await bench.run(by)
  assert.deepEqual([status, body], [429, '{"error_msg":"too many"}\n'])
})

test('with nodelay the burst passes at once', async () => {
  const by = chain({ burst: 3, nodelay: true })
  const statuses: number[] = []
  const started = performance.now()
  for (let at = 0; at < 5; at += 1) statuses.push((await bench.run(by)).status)
  assert.deepEqual(statuses, [200, 200, 200, 200, 503])
  assert.ok(performance.now() - started < 5000)
})

test('without it each request of the burst waits for its turn, and the bucket empties with time', async () => {
  const by = chain({ rate: 10, burst: 2 })
  const started = performance.now()
  const ends = await Promise.all(
    Array.from({ length: 4 }, async () => ({ ...(await bench.run(by)), at: performance.now() - started })),
  )
  assert.deepEqual(
    ends.map(({ status }) => status),
    [200, 200, 200, 503],
  )
  assert.ok((ends[1]?.at ?? 0) >= 80, `the second after ${ends[1]?.at} ms`)
  assert.ok((ends[2]?.at ?? 0) >= 180, `the third after ${ends[2]?.at} ms`)
  assert.equal((await bench.run(by)).status, 200)
})

test('a combination of variables is a key, the address where it has no value', async () => {
  const by = chain({ key: '$http_a $http_b', key_type: 'var_combination' })
  const ask = async (headers: Record<string, string>) => (await bench.run(by, { headers })).status
  assert.deepEqual([await ask({ a: '1' }), await ask({ b: '1' }), await ask({ a: '1' })], [200, 200, 503])
  assert.deepEqual([await ask({}), await ask({})], [200, 503])
})

test('a Redis that cannot be reached is 500 without JSON, or lets pass where that is allowed', async () => {
  const redis = { policy: 'redis', redis_host: '127.0.0.1', redis_port: 1, redis_timeout: 200 }
  const { status, body } = await bench.run(chain(redis))
  assert.equal(status, 500)
  assert.match(body, /500 Internal Server Error/)
  const lenient = chain({ ...redis, allow_degradation: true })
  assert.deepEqual([(await bench.run(lenient)).status, (await bench.run(lenient)).status], [200, 200])
})
