/** The plugins of limits in whole gateways: exact over four workers, over two gateways with one Redis, and refused when wrong. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { after, before, test } from 'node:test'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { type HttpBackend, httpBackend } from '../support/http-backend.ts'
import { resourcesOf } from '../support/resources.ts'
import { until } from '../support/until.ts'

let gateway: TestGateway
let backend: HttpBackend
const { put } = resourcesOf(() => gateway)
const nodes = () => ({ upstream: { nodes: { [backend.node]: 1 }, type: 'roundrobin' } })

before(async () => {
  backend = await httpBackend({ answer: (_, response) => void response.end('in') })
  gateway = await startTestGateway({ workers: 4 })
})
after(async () => {
  await gateway?.stop()
  await backend?.stop()
})

/** Sends `each` requests on each of so many connections, all at once and without waiting, and counts answers by status. */
async function flood(port: number, path: string, connections: number, each: number): Promise<Map<number, number>> {
  const counts = new Map<number, number>()
  const one = async (): Promise<void> => {
    const socket = net.connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const request = `GET ${path} HTTP/1.1\r\nHost: limits.test\r\n\r\n`
    let left = each
    let asked = 0
    let text = ''
    const ask = (): void => {
      const more = Math.min(50, each - asked)
      asked += more
      if (more > 0) socket.write(request.repeat(more))
    }
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part
      let end = 0
      for (const { 1: status, index } of text.matchAll(/HTTP\/1\.1 (\d{3}) [^\r]*\r\n[\s\S]*?\r\n\r\n/g)) {
        counts.set(Number(status), (counts.get(Number(status)) ?? 0) + 1)
        left -= 1
        end = index + 1
        if ((each - left) % 50 === 0) ask()
      }
      text = text.slice(end)
      if (left === 0) socket.destroy()
    })
    ask()
    await once(socket, 'close')
    assert.equal(left, 0, `${left} answers are missing`)
  }
  await Promise.all(Array.from({ length: connections }, one))
  return counts
}

async function serving(path: string, status = 200): Promise<void> {
  await until(async () => (await gateway.ask('http', path)).status === status, { what: `${path} in force` })
}

test('of 100000 requests at once over four workers exactly count pass', async () => {
  const limit = { count: 12_345, time_window: 3600, key: 'all', key_type: 'constant', rejected_code: 429 }
  await put('/routes/exact', { uri: '/exact', ...nodes(), plugins: { 'limit-count': limit } })
  await put('/routes/after', { uri: '/after', ...nodes() })
  // All four have the route when a later one answers on many connections.
  for (let round = 0; round < 8; round += 1) await serving('/after')
  const seen = backend.requests.filter(({ url }) => url === '/exact').length
  const counts = await flood(gateway.port('http'), '/exact', 100, 1000)
  assert.equal(counts.get(200), 12_345 - seen)
  assert.equal(counts.get(429), 100_000 - 12_345 + seen)
  assert.equal(backend.requests.filter(({ url }) => url === '/exact').length, 12_345)
})

/** Statuses of requests one after the other. */
async function statuses(path: string, times: number, headers: Record<string, string> = {}): Promise<readonly number[]> {
  const all: number[] = []
  for (let at = 0; at < times; at += 1) all.push((await gateway.ask('http', path, { headers })).status)
  return all
}

/** Whichever worker is asked has that quota in force. Asks as users that are nobody else. */
async function everywhere(path: string, quota: string): Promise<void> {
  let user = 0
  const told = async (): Promise<boolean> => {
    user += 1
    const { headers } = await gateway.ask('http', path, { headers: { user: `${quota}-${user}` } })
    return headers['x-ratelimit-limit'] === quota
  }
  await until(async () => (await Promise.all(Array.from({ length: 16 }, told))).every(Boolean), { what: quota })
}

test('the quota is told, a refusal has its message, an edit counts anew', async () => {
  const limit = { count: 2, time_window: 60, rejected_msg: 'no more', rejected_code: 429, key: 'http_user' }
  const jack = { headers: { user: 'jack' } }
  const route = (plugin: object) =>
    put('/routes/told', { uri: '/told', ...nodes(), plugins: { 'limit-count': plugin } })
  await route(limit)
  await everywhere('/told', '2')
  await gateway.ask('http', '/told', jack)
  const second = await gateway.ask('http', '/told', jack)
  assert.deepEqual([second.headers['x-ratelimit-limit'], second.headers['x-ratelimit-remaining']], ['2', '0'])
  const third = await gateway.ask('http', '/told', jack)
  assert.equal(third.status, 429)
  assert.equal(third.body, '{"error_msg":"no more"}\n')
  assert.equal(third.headers['x-ratelimit-remaining'], '0')
  assert.match(String(third.headers['x-ratelimit-reset']), /^5\d(\.\d{1,2})?$/)
  await route({ ...limit, count: 3 })
  await everywhere('/told', '3')
  assert.deepEqual(await statuses('/told', 4, jack.headers), [200, 200, 200, 429])
})

test('routes with their plugins from one service count together', async () => {
  const limit = { count: 4, time_window: 60, key: 'http_user' }
  await put('/services/counted', { ...nodes(), plugins: { 'limit-count': limit } })
  await put('/routes/s1', { uri: '/s1', service_id: 'counted' })
  await put('/routes/s2', { uri: '/s2', service_id: 'counted' })
  await serving('/s1')
  await serving('/s2')
  const headers = { user: 'jack' }
  assert.deepEqual(await statuses('/s1', 2, headers), [200, 200])
  assert.deepEqual(await statuses('/s2', 3, headers), [200, 200, 503])
})

test('limit-req lets through its rate and burst over all workers', async () => {
  const limit = { rate: 0.01, burst: 49, nodelay: true, key: 'http_host' }
  await put('/routes/req', { uri: '/req', ...nodes(), plugins: { 'limit-req': limit } })
  await serving('/req')
  const counts = await flood(gateway.port('http'), '/req', 20, 50)
  assert.ok([49, 50].includes(counts.get(200) ?? 0), `${counts.get(200)} got in`)
})

test('limit-conn lets in conn requests over all workers, and the next when one has ended', async () => {
  const waiting: (() => void)[] = []
  const finish = (): void => {
    for (const end of waiting.splice(0)) end()
  }
  await using slow = await httpBackend({ answer: (_, response) => void waiting.push(() => response.end('in')) })
  const upstream = { nodes: { [slow.node]: 1 }, type: 'roundrobin' }
  const limit = { conn: 3, burst: 0, default_conn_delay: 0.1, key: 'server_addr', rejected_code: 429 }
  await put('/routes/conn', { uri: '/conn', upstream, plugins: { 'limit-conn': limit } })
  await until(
    async () => {
      const reply = gateway.ask('http', '/conn')
      await until(() => waiting.length > 0, { ms: 500, what: 'the request' }).catch(() => {})
      finish()
      return (await reply).status === 200
    },
    { what: '/conn in force' },
  )
  const going = Array.from({ length: 3 }, () => gateway.ask('http', '/conn'))
  await until(() => waiting.length === 3, { what: 'three requests' })
  assert.deepEqual(await statuses('/conn', 5), [429, 429, 429, 429, 429])
  finish()
  for (const reply of going) assert.equal((await reply).status, 200)
  const again = gateway.ask('http', '/conn')
  await until(() => waiting.length === 1, { what: 'the next' })
  finish()
  assert.equal((await again).status, 200)
})

test('api-breaker opens for all workers and routes, after answers of the endpoint and failures to reach it', async () => {
  await using broken = await httpBackend({
    answer: (_, response) => {
      response.statusCode = 503
      response.end('broken')
    },
  })
  const plugins = {
    'api-breaker': {
      break_response_code: 599,
      break_response_body: 'open',
      break_response_headers: [{ key: 'X-Why', value: 'broken $uri' }],
      unhealthy: { http_statuses: [502, 503], failures: 3 },
      max_breaker_sec: 300,
    },
  }
  const upstream = { nodes: { [broken.node]: 1 }, type: 'roundrobin' }
  await put('/routes/breaker', { uri: '/breaker*', upstream, plugins })
  await serving('/breaker-probe', 503)
  assert.deepEqual(await statuses('/breaker', 5), [503, 503, 503, 599, 599])
  const { body, headers } = await gateway.ask('http', '/breaker')
  assert.deepEqual([body, headers['x-why']], ['open', 'broken /breaker'])
  await broken.stop()
  assert.deepEqual(await statuses('/breaker-gone', 4), [502, 502, 502, 599])
})

test('workflow answers, and limits what a rule holds for', async () => {
  const limit = { count: 2, time_window: 60, rejected_code: 429 }
  const rules = [
    { case: [['arg_no', '==', '1']], actions: [['return', { code: 403 }]] },
    { case: [['arg_some', '==', '1']], actions: [['limit-count', limit]] },
  ]
  await put('/routes/flow', { uri: '/flow', ...nodes(), plugins: { workflow: { rules } } })
  await serving('/flow')
  const refused = await gateway.ask('http', '/flow?no=1')
  assert.deepEqual([refused.status, refused.body], [403, '{"error_msg":"rejected by workflow"}\n'])
  assert.deepEqual(await statuses('/flow?some=1', 3), [200, 200, 429])
  assert.deepEqual(await statuses('/flow', 3), [200, 200, 200])
})

test('routes of a group count together, and another configuration of the group is refused', async () => {
  const limit = { count: 4, time_window: 60, key: 'http_user', group: 'shared#1' }
  const route = (id: string, conf: object) => ({ uri: `/${id}`, ...nodes(), plugins: { 'limit-count': conf } })
  await put('/routes/g1', route('g1', limit))
  await put('/routes/g2', route('g2', { ...limit, policy: 'local' }))
  await everywhere('/g1', '4')
  await everywhere('/g2', '4')
  assert.deepEqual(await statuses('/g1', 2, { user: 'jack' }), [200, 200])
  assert.deepEqual(await statuses('/g2', 3, { user: 'jack' }), [200, 200, 503])
  for (const id of ['g1', 'g3']) {
    const reply = await gateway.admin('PUT', `/routes/${id}`, route(id, { ...limit, count: 5 }))
    assert.equal(reply.status, 400)
    assert.deepEqual(reply.body, {
      error_msg: 'failed to check the configuration of plugin limit-count err: group conf mismatched',
    })
  }
  await put('/routes/g3', route('g3', { ...limit, count: 5, group: 'shared#2' }))
})

test('wrong configurations are answered with 400 and the reason', async () => {
  const say = async (plugin: string, conf: object): Promise<string> => {
    const reply = await gateway.admin('PUT', '/routes/wrong', {
      uri: '/wrong',
      ...nodes(),
      plugins: { [plugin]: conf },
    })
    assert.equal(reply.status, 400, JSON.stringify(reply.body))
    return (reply.body as { error_msg: string }).error_msg
  }
  const of = (plugin: string): string => `failed to check the configuration of plugin ${plugin} err: `
  assert.equal(
    await say('limit-count', { count: 1, time_window: 1, rules: [{ count: 1, time_window: 1, key: 'a' }] }),
    `${of('limit-count')}count/time_window and rules cannot be specified at the same time`,
  )
  assert.match(await say('limit-req', { rate: 0, burst: 1, key: 'a' }), /property "rate" validation failed/)
  assert.match(await say('limit-conn', { conn: 1 }), /value should match only one schema/)
  assert.match(await say('api-breaker', {}), /property "break_response_code" is required/)
  assert.equal(
    await say('workflow', { rules: [{ actions: [['fake', {}]] }] }),
    `${of('workflow')}unsupported action: fake`,
  )
})
