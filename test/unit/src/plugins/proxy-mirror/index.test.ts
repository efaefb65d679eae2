import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import type { JsonObject } from '../../../../../src/base/json.ts'
import { proxyMirror } from '../../../../../src/plugins/proxy-mirror/index.ts'
import { type HttpBackend, httpBackend, type SeenRequest } from '../../../../support/http-backend.ts'
import { httpExchange, type TestRequest } from '../../../../support/http-exchange.ts'
import { PluginBench } from '../../../../support/plugin-bench.ts'
import { until } from '../../../../support/until.ts'

let backend: HttpBackend
let seen: SeenRequest[] = []
let answer = (_request: SeenRequest): string => 'ok'

before(async () => {
  backend = await httpBackend({
    answer: (request, response) => {
      seen.push(request)
      response.end(answer(request))
    },
  })
})
beforeEach(() => {
  seen = []
  answer = () => 'ok'
})
after(() => backend.stop())

const confOf = (more: JsonObject = {}): JsonObject => ({ host: `http://${backend.node}`, ...more })

async function mirrored(more: JsonObject, asked: TestRequest, attributes?: JsonObject): Promise<SeenRequest> {
  const bench = new PluginBench(
    [proxyMirror],
    attributes === undefined ? {} : { attributes: { 'proxy-mirror': attributes } },
  )
  const { status, body } = await bench.run({ 'proxy-mirror': confOf(more) }, asked)
  assert.deepEqual([status, body], [200, 'upstream'])
  await until(() => seen.length === 1, { what: 'a copy' })
  bench.close()
  return seen.shift() as SeenRequest
}

test('the copy has the method, target, fields and body of the request', async () => {
  const asked: TestRequest = {
    method: 'PUT',
    target: '/a%20b?x=1',
    host: 'example.com:80',
    headers: [
      ['X-One', '1'],
      ['X-One', '2'],
      ['Content-Type', 'text/plain'],
    ],
    body: ['hel', 'lo'],
    chunked: true,
  }
  const { method, url, headers, rawHeaders, body } = await mirrored({}, asked)
  assert.deepEqual([method, url, body.toString()], ['PUT', '/a%20b?x=1', 'hello'])
  assert.deepEqual([headers['host'], headers['x-one'], headers['content-length']], ['example.com:80', '1, 2', '5'])
  assert.equal(rawHeaders.filter((name) => name.toLowerCase() === 'host').length, 1)
  const bare = await mirrored({}, { target: '/' })
  assert.deepEqual([bare.method, bare.headers['content-length'], bare.body.length], ['GET', undefined, 0])
})

test('a path replaces that of the request, or stands before it', async () => {
  const asked = { target: '/a?x=1' }
  assert.equal((await mirrored({ path: '/copy' }, asked)).url, '/copy?x=1')
  assert.equal((await mirrored({ path: '/copy', path_concat_mode: 'prefix' }, asked)).url, '/copy/a?x=1')
  assert.equal((await mirrored({ path_concat_mode: 'prefix' }, asked)).url, '/a?x=1')
})

test('what plugins decided about the request is in the copy', async () => {
  const exchange = httpExchange({ target: '/a?x=1', body: 'old' })
  exchange.outgoing.uri = '/new?y=2'
  exchange.outgoing.host = 'inner'
  exchange.request.body.replace(Buffer.from('new body'))
  const bench = new PluginBench([proxyMirror])
  await bench.run({ 'proxy-mirror': confOf() }, exchange)
  await until(() => seen.length === 1, { what: 'a copy' })
  assert.deepEqual(
    [seen[0]?.url, seen[0]?.headers['host'], seen[0]?.body.toString()],
    ['/new?y=2', 'inner', 'new body'],
  )
  bench.close()
})

test('only a share is copied, each request once, and no tunnel', async () => {
  const bench = new PluginBench([proxyMirror])
  const chain = bench.chain({ 'proxy-mirror': confOf({ sample_ratio: 0.3 }) })
  for (let round = 0; round < 400; round++) await bench.run(chain, {})
  const all = bench.chain({ 'proxy-mirror': confOf() }, 'routes/2')
  await bench.run(all, { target: '/tunnel', upgrade: 'websocket' })
  const again = httpExchange({ target: '/again' })
  again.attempts.push({} as never)
  await bench.run(all, again)
  await bench.run(all, { target: '/last' })
  await until(() => seen.some(({ url }) => url === '/last'), { what: 'the last copy' })
  const copies = seen.filter(({ url }) => url === '/').length
  assert.ok(copies > 60 && copies < 180, String(copies))
  assert.deepEqual(
    seen.filter(({ url }) => url === '/tunnel' || url === '/again'),
    [],
  )
  bench.close()
})

test('a body above the limit goes upstream only', async () => {
  const attributes = { 'proxy-mirror': { max_body_bytes: 4 } }
  for (const chunked of [true, false]) {
    const bench = new PluginBench([proxyMirror], { attributes })
    const chain = bench.chain({ 'proxy-mirror': confOf() })
    const { status, exchange } = await bench.run(chain, { method: 'POST', target: '/large', body: 'hello', chunked })
    assert.deepEqual([status, exchange.request.body.text], [200, 'hello'])
    await bench.run(chain, { method: 'POST', target: '/small', body: 'four', chunked })
    await until(() => seen.length > 0, { what: 'a copy' })
    assert.deepEqual(
      seen.splice(0).map(({ url }) => url),
      ['/small'],
    )
    bench.close()
  }
})

test('a mirror that fails is told once, and hurts nobody', async () => {
  const bench = new PluginBench([proxyMirror])
  const chain = bench.chain({ 'proxy-mirror': { host: 'http://127.0.0.1:1' } })
  for (let round = 0; round < 5; round++) assert.equal((await bench.run(chain, {})).status, 200)
  await until(() => bench.logged.length > 0, { what: 'a report' })
  await bench.run(chain, {})
  assert.equal(bench.logged.length, 1)
  assert.match(bench.logged[0] ?? '', /^requests cannot be mirrored: /)
  bench.close()
})

test('copies wait in no queue, and answers are not read for ever', async () => {
  answer = () => 'x'.repeat(100_000)
  const limits = { max_pending: 1, max_answer_bytes: 10, timeout: { read: '500ms' } }
  const bench = new PluginBench([proxyMirror], { attributes: { 'proxy-mirror': limits } })
  const chain = bench.chain({ 'proxy-mirror': confOf() })
  await Promise.all([1, 2, 3].map((n) => bench.run(chain, { target: `/${n}` })))
  await until(() => seen.length > 0, { what: 'a copy' })
  assert.equal(seen.length, 1)
  assert.match(bench.logged.join(), /too many copies are under way/)
  // The one place is free again once the long answer was cut.
  await until(
    async () => {
      await bench.run(chain, { target: '/again' })
      return seen.some(({ url }) => url === '/again')
    },
    { what: 'another copy' },
  )
  bench.close()
})

test('a connection that no copy needs for a while is closed, and the next copy opens another', async () => {
  let [open, opened] = [0, 0]
  const server = createServer((_request, response) => response.end('ok'))
  server.keepAliveTimeout = 0
  server.on('connection', (socket) => {
    open++
    opened++
    socket.on('close', () => open--)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const bench = new PluginBench([proxyMirror], { attributes: { 'proxy-mirror': { timeout: { idle: '50ms' } } } })
  try {
    for (const expected of [1, 2]) {
      await bench.run({ 'proxy-mirror': { host } }, {})
      await until(() => opened === expected && open === 0, { ms: 5000, what: `the end of connection ${expected}` })
    }
  } finally {
    bench.close()
    server.closeAllConnections()
    server.close()
  }
})

test('settings that are none keep the plugin from starting, with their name', async () => {
  for (const [attributes, part] of [
    [{ timeout: { connect: 'soon' } }, 'plugin_attr.proxy-mirror.timeout.connect: "soon" is no time'],
    [{ max_pending: 0 }, 'plugin_attr.proxy-mirror.max_pending: 0 is no number of one or more'],
  ] as const) {
    const bench = new PluginBench([proxyMirror], { attributes: { 'proxy-mirror': attributes } })
    bench.chain({ 'proxy-mirror': confOf() })
    assert.match(bench.logged.join(), new RegExp(part.replaceAll('.', '\\.')))
    bench.close()
  }
})
