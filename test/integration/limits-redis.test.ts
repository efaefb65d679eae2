/** Limits that count in Redis: one, a cluster, a master behind sentinels; while it is killed, and when it comes back. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { JsonObject } from '../../src/base/json.ts'
import type { Chain } from '../../src/plugin/chain.ts'
import { runLog, runSteps } from '../../src/plugin/run.ts'
import { plugins } from '../../src/plugins/index.ts'
import { startTestGateway } from '../support/gateway.ts'
import { httpBackend } from '../support/http-backend.ts'
import { httpExchange } from '../support/http-exchange.ts'
import { PluginBench } from '../support/plugin-bench.ts'
import { fakeSentinel } from '../support/servers/fake-sentinel.ts'
import { redisCommand, redisConnections, redisMissing, startRedis } from '../support/servers/redis.ts'
import { startRedisCluster, startRedisSentinels, startRedisWith } from '../support/servers/redis-sets.ts'
import { until } from '../support/until.ts'

const skip = redisMissing()
const limits = plugins.filter(({ name, subsystem }) => name.startsWith('limit-') && subsystem === 'http')
const benches: PluginBench[] = []
after(() => {
  for (const bench of benches) bench.close()
})

/** As a gateway of its own. */
function gateway(): PluginBench {
  const bench = new PluginBench(limits)
  benches.push(bench)
  return bench
}

async function statusesOf(bench: PluginBench, by: Chain, times: number): Promise<readonly number[]> {
  return Promise.all(Array.from({ length: times }, async () => (await bench.run(by)).status))
}
const passed = (statuses: readonly number[]): number => statuses.filter((status) => status === 200).length
const count = (conf: JsonObject): JsonObject => ({ count: 300, time_window: 600, redis_timeout: 5000, ...conf })

/** Two gateways ask at the same time. */
async function together(conf: JsonObject): Promise<number> {
  const both = [gateway(), gateway()]
  const asked = both.map((bench) => statusesOf(bench, bench.chain({ 'limit-count': conf }), 400))
  return passed((await Promise.all(asked)).flat())
}

test('two gateways with one Redis let exactly count through, in fixed and in sliding windows', { skip }, async () => {
  const redis = await startRedis()
  const where = { policy: 'redis', redis_host: '127.0.0.1', redis_port: redis.port }
  try {
    assert.equal(await together(count(where)), 300)
    assert.equal(await together(count({ ...where, window_type: 'sliding', count: 299 })), 299)
    const connections = await redisConnections(redis.port)
    assert.ok(connections < 30, `${connections} connections`)
  } finally {
    await redis.stop()
  }
})

test('a window of Redis ends, and what is left of it is told', { skip }, async () => {
  const redis = await startRedis()
  try {
    const bench = gateway()
    const conf = { count: 1, time_window: 1, policy: 'redis', redis_host: '127.0.0.1', redis_port: redis.port }
    const by = bench.chain({ 'limit-count': { ...conf, redis_database: 3 } })
    const { headers } = await bench.run(by)
    assert.deepEqual([headers.get('x-ratelimit-limit'), headers.get('x-ratelimit-remaining')], ['1', '0'])
    assert.equal(headers.get('x-ratelimit-reset'), '1')
    assert.equal((await bench.run(by)).status, 503)
    await until(async () => (await bench.run(by)).status === 200, { what: 'the next window' })
    assert.match(await redisCommand(redis.port, 'INFO', 'keyspace'), /db3:keys=1/)
  } finally {
    await redis.stop()
  }
})

test('buckets in Redis fill for all gateways, and empty', { skip }, async () => {
  const redis = await startRedis()
  try {
    const where = { policy: 'redis', redis_host: '127.0.0.1', redis_port: redis.port, redis_timeout: 5000 }
    const conf = { 'limit-req': { rate: 0.01, burst: 19, nodelay: true, key: 'remote_addr', ...where } }
    const both = [gateway(), gateway()]
    const asked = both.map((bench) => statusesOf(bench, bench.chain(conf), 30))
    assert.equal(passed((await Promise.all(asked)).flat()), 20)
    const quick = gateway().chain({ 'limit-req': { rate: 20, burst: 0, key: 'remote_addr', ...where } })
    const bench = gateway()
    assert.deepEqual([(await bench.run(quick)).status, (await bench.run(quick)).status], [200, 503])
    await until(async () => (await bench.run(quick)).status === 200, { what: 'an empty bucket' })
  } finally {
    await redis.stop()
  }
})

test('places in Redis are taken by all gateways together, and given back', { skip }, async () => {
  const redis = await startRedis()
  try {
    const where = { policy: 'redis', redis_host: '127.0.0.1', redis_port: redis.port, redis_timeout: 5000 }
    const limit = { conn: 2, burst: 0, default_conn_delay: 0.1, key: 'remote_addr', ...where }
    const chains = [gateway(), gateway()].map((bench) => bench.chain({ 'limit-conn': limit }))
    const begin = async (at: number) => {
      const exchange = httpExchange()
      const answer = await runSteps(chains[at]?.access ?? [], exchange)
      const end = (): void => runLog(chains[at]?.log ?? [], exchange, (error) => assert.fail(String(error)))
      return { status: answer?.status ?? 200, end }
    }
    const all = [await begin(0), await begin(1), await begin(0), await begin(1)]
    assert.deepEqual(
      all.map(({ status }) => status),
      [200, 200, 503, 503],
    )
    for (const { end } of all) end()
    await until(async () => (await redisCommand(redis.port, 'DBSIZE')) === ':0', { what: 'free places' })
    assert.deepEqual([(await begin(1)).status, (await begin(0)).status], [200, 200])
  } finally {
    await redis.stop()
  }
})

test('a password is used, and a wrong one is a Redis that fails', { skip }, async () => {
  const redis = await startRedisWith(['--requirepass', 'secret'])
  try {
    const bench = gateway()
    const where = { policy: 'redis', redis_host: '127.0.0.1', redis_port: redis.port }
    const right = bench.chain({ 'limit-count': count({ ...where, redis_password: 'secret' }) })
    assert.deepEqual(await statusesOf(bench, right, 2), [200, 200])
    const named = { ...where, redis_username: 'default', redis_password: 'secret' }
    assert.equal((await bench.run(bench.chain({ 'limit-count': count(named) }))).status, 200)
    const wrong = bench.chain({ 'limit-count': count({ ...where, redis_password: 'other' }) })
    assert.equal((await bench.run(wrong)).status, 500)
  } finally {
    await redis.stop()
  }
})

test('a Redis that is killed half-way fails the limit or lets pass; back again, it counts again', {
  skip,
}, async () => {
  const redis = await startRedis()
  const where = { policy: 'redis', redis_host: '127.0.0.1', redis_port: redis.port, redis_timeout: 1000 }
  const bench = gateway()
  const strict = bench.chain({ 'limit-count': count(where) })
  const lenient = bench.chain({ 'limit-count': count({ ...where, allow_degradation: true }) }, 'routes/2')
  assert.deepEqual(await statusesOf(bench, strict, 3), [200, 200, 200])
  assert.deepEqual(await statusesOf(bench, lenient, 1), [200])
  process.kill(redis.pid, 'SIGSTOP')
  const hanging = performance.now()
  assert.equal((await bench.run(strict)).status, 500)
  assert.ok(performance.now() - hanging < 5000, 'the time-out holds')
  process.kill(redis.pid, 'SIGCONT')
  await redis.stop()
  await until(async () => (await bench.run(strict)).status === 500, { what: 'a failure' })
  const started = performance.now()
  const { status, body } = await bench.run(strict)
  assert.equal(status, 500)
  assert.equal(body, '{"error_msg":"failed to limit count"}\n')
  assert.ok(performance.now() - started < 900, 'it does not wait for a Redis that is known to be down')
  assert.deepEqual(await statusesOf(bench, lenient, 3), [200, 200, 200])
  const again = await startRedisWith([], redis.port)
  try {
    await until(async () => (await bench.run(strict)).status === 200, { ms: 20_000, what: 'Redis again' })
  } finally {
    await again.stop()
  }
})

test('connections end with the last configuration that needs them', { skip }, async () => {
  const redis = await startRedis()
  try {
    const bench = new PluginBench(limits)
    const conf = count({ policy: 'redis', redis_host: '127.0.0.1', redis_port: redis.port })
    await bench.run(bench.chain({ 'limit-count': conf }))
    await bench.run(bench.chain({ 'limit-count': { ...conf, count: 5 } }, 'routes/2'))
    const clients = async (): Promise<number> =>
      Number(/connected_clients:(\d+)/.exec(await redisCommand(redis.port, 'INFO', 'clients'))?.[1])
    assert.equal(await clients(), 2)
    bench.close()
    await until(async () => (await clients()) === 1, { what: 'the end of the connection' })
  } finally {
    await redis.stop()
  }
})

test('a connection that nobody uses is closed after redis_keepalive_timeout, and there again for the next', {
  skip,
}, async () => {
  const redis = await startRedis()
  try {
    const bench = gateway()
    const clients = async (): Promise<number> =>
      Number(/connected_clients:(\d+)/.exec(await redisCommand(redis.port, 'INFO', 'clients'))?.[1]) - 1
    const where = { policy: 'redis', redis_host: '127.0.0.1', redis_port: redis.port, redis_keepalive_pool: 1 }
    const by = bench.chain({ 'limit-count': count({ ...where, count: 100, redis_keepalive_timeout: 1000 }) })
    for (const left of ['95', '90']) {
      await statusesOf(bench, by, 4)
      assert.equal((await bench.run(by)).headers.get('x-ratelimit-remaining'), left)
      await until(async () => (await clients()) === 1, { what: 'one connection' })
      await until(async () => (await clients()) === 0, { what: 'the end of the connection' })
    }
    const lasting = bench.chain({ 'limit-count': count(where) }, 'routes/2')
    await bench.run(lasting)
    await bench.run(by)
    await until(async () => (await clients()) === 2, { what: 'a connection for each time' })
    await until(async () => (await clients()) === 1, { what: 'the end of the one alone' })
    await bench.run(lasting)
    assert.deepEqual(bench.logged, [])
  } finally {
    await redis.stop()
  }
})

test('with sync_interval nobody waits for Redis, and gateways learn of each other', { skip }, async () => {
  const redis = await startRedis()
  try {
    const where = { policy: 'redis', redis_host: '127.0.0.1', redis_port: redis.port, sync_interval: 0.2 }
    const [one, two] = [gateway(), gateway()]
    const conf = { 'limit-count': count({ ...where, count: 100 }) }
    const [first, second] = [one.chain(conf), two.chain(conf)]
    await one.run(first)
    await two.run(second)
    assert.equal(passed(await statusesOf(one, first, 60)), 60)
    await until(async () => Number((await two.run(second)).headers.get('x-ratelimit-remaining')) < 40, {
      what: 'what the other has let through',
    })
    assert.ok(passed(await statusesOf(two, second, 60)) < 40)
    await until(async () => (await one.run(first)).status === 503, { what: 'the end of the quota' })
  } finally {
    await redis.stop()
  }
})

test('a cluster counts as exactly, wherever its keys are', { skip }, async () => {
  const cluster = await startRedisCluster(3)
  try {
    const redis_cluster_nodes = cluster.ports.slice(0, 1).map((port) => `127.0.0.1:${port}`)
    const where = { policy: 'redis-cluster', redis_cluster_name: 'limits', redis_cluster_nodes }
    for (const key of ['a', 'b', 'c', 'd']) {
      assert.equal(await together(count({ ...where, key, key_type: 'constant' })), 300)
    }
    const bench = gateway()
    const by = bench.chain({ 'limit-count': count({ ...where, redis_timeout: 500 }) })
    assert.equal((await bench.run(by)).status, 200)
    await cluster.stop()
    await until(async () => (await bench.run(by)).status === 500, { ms: 20_000, what: 'a failure' })
  } finally {
    await cluster.stop()
  }
})

test('behind sentinels the master counts, and after a failover the next one', { skip }, async () => {
  const set = await startRedisSentinels(1)
  try {
    const redis_sentinels = set.ports.map((port) => ({ host: '127.0.0.1', port }))
    const where = { policy: 'redis-sentinel', redis_master_name: 'limits', redis_sentinels }
    assert.equal(await together({ ...count(where), redis_read_timeout: 5000 }), 300)
    const bench = gateway()
    const by = bench.chain({ 'limit-count': { ...count(where), count: 100_000, redis_read_timeout: 500 } })
    assert.equal((await bench.run(by)).status, 200)
    await set.master.stop()
    await until(async () => (await bench.run(by)).status === 500, { ms: 20_000, what: 'a failure' })
    await until(async () => (await bench.run(by)).status === 200, { ms: 60_000, what: 'the next master' })
  } finally {
    await set.stop()
  }
})

test('news of a failover just while the sentinels are asked for the master do not end the limit for good', {
  skip,
}, async () => {
  const redis = await startRedis()
  const sentinel = await fakeSentinel(redis.port)
  try {
    const bench = gateway()
    const redis_sentinels = [{ host: '127.0.0.1', port: sentinel.port }]
    const where = { policy: 'redis-sentinel', redis_master_name: 'limits', redis_sentinels }
    const by = bench.chain({ 'limit-count': count(where) })
    await until(async () => (await bench.run(by)).status === 200, { what: 'the master' })
    await until(() => sentinel.listeners() > 0, { what: 'somebody who hears of failovers' })
    const switched = sentinel.switchWhenAsked()
    await redisCommand(redis.port, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await switched
    await until(async () => (await bench.run(by)).status === 500, { what: 'a failure' })
    await until(async () => (await bench.run(by)).status === 200, { what: 'the master again' })
  } finally {
    sentinel.stop()
    await redis.stop()
  }
})

test('two gateways of two workers each let exactly count through', { skip }, async () => {
  const redis = await startRedis()
  const backend = await httpBackend()
  const limit = count({ policy: 'redis', redis_host: '127.0.0.1', redis_port: redis.port, key: 'server_addr' })
  const upstream = { nodes: { [backend.node]: 1 }, type: 'roundrobin' }
  const route = { uri: '/counted', upstream, plugins: { 'limit-count': limit } }
  const options = { workers: 2, resources: { '/routes/1': route, '/routes/2': { uri: '/other', upstream } } }
  const gateways = [await startTestGateway(options), await startTestGateway(options)]
  try {
    for (const each of gateways) {
      await until(async () => (await each.ask('http', '/other')).status === 200, { what: 'the routes' })
    }
    const asked = Array.from({ length: 400 }, async (_, at) => {
      const reply = await gateways[at % 2]?.ask('http', '/counted')
      return reply?.status ?? 0
    })
    const statuses = await Promise.all(asked)
    assert.equal(passed(statuses), 300)
    assert.equal(statuses.filter((status) => status === 503).length, 100)
  } finally {
    for (const each of gateways) await each.stop()
    await backend.stop()
    await redis.stop()
  }
})
