/** Plugins that change, split, copy or answer traffic, in a whole gateway: what clients get and what endpoints see. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import { constants, gunzipSync } from 'node:zlib'
import type { JsonObject } from '../../src/base/json.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import type { AskOptions, Reply } from '../support/http-ask.ts'
import { type HttpBackend, httpBackend } from '../support/http-backend.ts'
import { HttpClient } from '../support/http-client.ts'
import { resourcesOf } from '../support/resources.ts'
import { until } from '../support/until.ts'

let gateway: TestGateway
let backend: HttpBackend
let other: HttpBackend
const { put } = resourcesOf(() => gateway)
const page = '<p>hello</p>\n'.repeat(100)
/** Ends an answer that is held open at `/stream`. */
let finishStream: () => void = () => undefined

before(async () => {
  backend = await httpBackend({
    name: 'first',
    answer: ({ method, url, headers }, response) => {
      if (url === '/page') {
        response.setHeader('content-type', 'text/html')
        response.setHeader('etag', '"tag"')
        return void response.end(page)
      }
      if (url === '/stream' && headers['x-hold'] !== undefined) {
        response.setHeader('content-type', 'text/html')
        response.write('begun ')
        finishStream = () => response.end('ended')
        return
      }
      response.setHeader('content-type', 'text/plain')
      response.setHeader('x-seen', `${method} ${url} ${headers['host']}`)
      response.end('first')
    },
  })
  other = await httpBackend({ name: 'second', answer: (_, response) => void response.end('second') })
  gateway = await startTestGateway()
})
after(async () => {
  await gateway?.stop()
  await backend?.stop()
  await other?.stop()
})

const nodesOf = ({ node }: HttpBackend): JsonObject => ({ nodes: { [node]: 1 } })
const ask = (path: string, headers: Record<string, string> = {}, more: AskOptions = {}): Promise<Reply> =>
  gateway.ask('http', path, { headers: { host: 'traffic.test', ...headers }, ...more })

/** A route of these plugins at `path`, in force: they mark their answers until then. */
async function route(path: string, plugins: JsonObject, more: JsonObject = {}): Promise<void> {
  const id = path.slice(1).replaceAll('/', '-').replace('*', 'all')
  await put(`/routes/${id}`, { uri: path, plugins, upstream: nodesOf(backend), ...more })
  const probe = path.replace('*', '')
  await until(async () => !String((await ask(probe)).body).includes('404 Route Not Found'), {
    what: `${path} in force`,
  })
}

test('cors answers preflights itself and marks other answers', async () => {
  await route('/cors', {
    cors: {
      allow_headers: 'x-a',
      expose_headers: 'x-b',
      allow_origins: 'https://a.test',
      allow_methods: 'GET,PUT',
      max_age: 9,
      allow_credential: true,
    },
  })
  const origin = { origin: 'https://a.test' }
  const before = backend.requests.length
  const preflight = await ask('/cors', { ...origin, 'access-control-request-method': 'PUT' }, { method: 'OPTIONS' })
  assert.equal(backend.requests.length, before)
  const allowed = preflight.headers['access-control-allow-methods']
  assert.deepEqual([preflight.status, allowed, preflight.headers['access-control-max-age']], [200, 'GET,PUT', '9'])
  const plain = await ask('/cors', origin)
  const fields = [plain.headers['access-control-allow-origin'], plain.headers['access-control-allow-credentials']]
  assert.deepEqual([plain.status, ...fields], [200, 'https://a.test', 'true'])
  const stranger = await ask('/cors', { origin: 'https://b.test' })
  assert.deepEqual([stranger.status, stranger.headers['access-control-allow-origin']], [200, undefined])
})

test('proxy-rewrite changes what the endpoint sees, response-rewrite what the client gets', async () => {
  await route('/rewrite/*', {
    'proxy-rewrite': { regex_uri: ['^/rewrite/(.*)$', '/in/$1'], host: 'inner.test', method: 'PUT' },
    'response-rewrite': {
      status_code: 203,
      headers: { set: { 'X-New': '$status' } },
      filters: [{ regex: 'first', replace: '1st' }],
    },
  })
  const { status, headers, body } = await ask('/rewrite/a?x=1')
  assert.deepEqual([status, body, headers['x-seen']], [203, '1st', 'PUT /in/a?x=1 inner.test'])
  assert.equal(headers['content-length'], undefined)
})

test('redirect sends elsewhere', async () => {
  await route('/old/*', {
    redirect: { regex_uri: ['^/old/(.*)$', '/new/$1'], ret_code: 308, append_query_string: true },
  })
  const { status, headers } = await ask('/old/a?x=1')
  assert.deepEqual([status, headers['location']], [308, '/new/a?x=1'])
})

test("traffic-split: by rules and weights to upstreams by id, inline, by name, or the route's own", async () => {
  await put('/upstreams/second', { nodes: [{ host: 'localhost', port: other.port, weight: 1 }] })
  const when = (value: string): JsonObject[] => [{ vars: [['http_to', '==', value]] }]
  const inline = { nodes: { [`localhost:${other.port}`]: 1 }, pass_host: 'rewrite', upstream_host: 'split.test' }
  const rules = [
    { match: when('id'), weighted_upstreams: [{ upstream_id: 'second' }] },
    { match: when('inline'), weighted_upstreams: [{ upstream: inline }] },
    { match: when('share'), weighted_upstreams: [{ upstream: nodesOf(other), weight: 3 }, { weight: 1 }] },
  ]
  await route('/split', { 'traffic-split': { rules } })
  assert.equal((await ask('/split')).body, 'first')
  await until(async () => (await ask('/split', { to: 'id' })).body === 'second', { what: 'the upstream with an id' })
  await until(async () => (await ask('/split', { to: 'inline' })).body === 'second', { what: 'the inline upstream' })
  assert.equal(other.requests.at(-1)?.headers['host'], 'split.test')
  const shares: unknown[] = []
  for (let round = 0; round < 40; round++) shares.push((await ask('/split', { to: 'share' })).body)
  const own = shares.filter((body) => body === 'first').length
  assert.ok(Math.abs(own - 10) <= 1, `${own} of 40`)
})

test('traffic-split follows its configuration, and tells an upstream that is gone', async () => {
  await put('/upstreams/gone', nodesOf(other))
  const to = (weighted: JsonObject): JsonObject => ({
    'traffic-split': { rules: [{ weighted_upstreams: [weighted] }] },
  })
  await route('/moving', to({ upstream: nodesOf(other) }))
  await until(async () => (await ask('/moving')).body === 'second', { what: 'the second' })
  await route('/moving', to({ upstream: nodesOf(backend) }))
  await until(async () => (await ask('/moving')).body === 'first', { what: 'the first' })
  await route('/moving', to({ upstream_id: 'gone' }))
  await until(async () => (await ask('/moving')).body === 'second', { what: 'the upstream with an id' })
  assert.equal((await gateway.admin('DELETE', '/upstreams/gone')).status, 400)
  assert.equal((await gateway.admin('DELETE', '/upstreams/gone?force=true')).status, 200)
  await until(async () => (await ask('/moving')).status === 500, { what: 'the refusal' })
  assert.equal((await ask('/moving')).body, 'failed to fetch upstream info by upstream id: gone')
})

test('gzip: one member that any client reads, its parts as soon as they are there', async () => {
  await route('/page', { gzip: { comp_level: 6, vary: true } })
  await route('/stream', { gzip: {} })
  using client = await HttpClient.connect(gateway.port('http'))
  client.send('GET /page HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n')
  const { status, headers, body } = await client.answer()
  const told = [headers['content-encoding'], headers['vary'], headers['etag'], headers['transfer-encoding']]
  assert.deepEqual([status, ...told], [200, 'gzip', 'Accept-Encoding', 'W/"tag"', 'chunked'])
  assert.equal(gunzipSync(body).toString(), page)
  client.send('GET /page HTTP/1.1\r\nHost: a\r\n\r\n')
  const plain = await client.answer()
  assert.deepEqual([plain.headers['content-encoding'], plain.body.toString()], [undefined, page])

  const options = { host: '127.0.0.1', port: gateway.port('http'), path: '/stream', agent: false }
  let bytes = Buffer.alloc(0)
  let ended = false
  const asked = request(
    { ...options, headers: { host: 'a', 'accept-encoding': 'gzip', 'x-hold': '1' } },
    (response) => {
      response.on('data', (part: Buffer) => {
        bytes = Buffer.concat([bytes, part])
      })
      response.on('end', () => {
        ended = true
      })
    },
  )
  asked.end()
  const readable = (): string => gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).toString()
  await until(() => bytes.length > 10 && readable() === 'begun ', { what: 'the part before the end' })
  finishStream()
  await until(() => ended, { what: 'the end' })
  assert.equal(gunzipSync(bytes).toString(), 'begun ended')
})

test("proxy-mirror: a copy goes elsewhere, with its body, and its failure is nobody's", async () => {
  await route('/mirrored', {
    'proxy-rewrite': { uri: '/renamed' },
    'proxy-mirror': { host: `http://${other.node}`, path: '/copy', path_concat_mode: 'prefix' },
  })
  const { body, headers } = await ask('/mirrored?x=1', { 'x-one': '1' }, { method: 'POST', body: 'hello' })
  assert.deepEqual([body, headers['x-seen']], ['first', 'POST /renamed?x=1 traffic.test'])
  const copyOf = (url: string) => other.requests.find((each) => each.url === url && each.method === 'POST')
  await until(() => copyOf('/copy/renamed?x=1') !== undefined, { what: 'the copy' })
  const copy = copyOf('/copy/renamed?x=1')
  assert.deepEqual(
    [copy?.body.toString(), copy?.headers['x-one'], copy?.headers['host']],
    ['hello', '1', 'traffic.test'],
  )
  await route('/unmirrored', { 'proxy-mirror': { host: 'http://127.0.0.1:1' } })
  assert.equal((await ask('/unmirrored', {}, { method: 'POST', body: 'hello' })).body, 'first')
})

test('mocking and request-validation answer in the place of the endpoint', async () => {
  await route('/mock', {
    mocking: { response_status: 201, content_type: 'application/json', response_example: '{"uri":"$uri"}' },
  })
  const mocked = await ask('/mock')
  assert.deepEqual([mocked.status, mocked.body, mocked.headers['x-mock-by']], [201, { uri: '/mock' }, 'APISIX/3.18.0'])
  await route('/valid', {
    'request-validation': { body_schema: { required: ['a'], properties: { b: { default: 2 } } } },
  })
  const send = (body: string): Promise<Reply> =>
    ask('/valid', { 'content-type': 'application/json' }, { method: 'POST', body })
  assert.equal((await send('{ "a": 1 }')).status, 200)
  assert.equal(backend.requests.at(-1)?.body.toString(), '{"a":1,"b":2}')
  const refused = await send('{}')
  assert.deepEqual([refused.status, refused.body], [400, 'property "a" is required'])
})

test('public-api shows the numbers of all workers on a route, and 404 where there is nothing to show', async () => {
  await route('/numbers', { 'public-api': { uri: '/apisix/prometheus/metrics' } })
  await route('/apisix/prometheus/metrics', { 'public-api': {} })
  for (const path of ['/numbers', '/apisix/prometheus/metrics']) {
    const { status, headers, body } = await ask(path)
    assert.deepEqual([status, headers['content-type']], [200, 'text/plain; version=0.0.4; charset=utf-8'])
    assert.match(String(body), /^apisix_http_requests_total \d+$/m)
  }
  assert.equal((await ask('/numbers', {}, { method: 'POST', body: 'x' })).status, 404)
  await route('/nothing', { 'public-api': { uri: '/apisix/other' } })
  const { status, body } = await ask('/nothing')
  assert.equal(status, 404)
  assert.match(String(body), /<title>404 Not Found<\/title>/)
})

test('configurations that cannot be are refused with plugin, path and reason', async () => {
  const split = (upstream: JsonObject): JsonObject => ({ rules: [{ weighted_upstreams: [{ upstream }] }] })
  const cases: readonly (readonly [string, JsonObject, string])[] = [
    ['cors', { allow_credential: true }, 'you can not'],
    ['redirect', {}, 'value should match only one schema'],
    ['gzip', { comp_level: 10 }, 'property "comp_level" validation failed'],
    ['proxy-mirror', { host: 'nowhere' }, 'property "host" validation failed'],
    ['mocking', { response_example: 'a', content_type: 'image/png' }, 'unsupported content type!'],
    ['request-validation', { body_schema: { type: 'x' } }, 'body_schema: schema is invalid'],
    ['traffic-split', {}, 'property "rules" is required'],
    [
      'traffic-split',
      split({ ...nodesOf(other), pass_host: 'rewrite' }),
      "`upstream_host` can't be empty when `pass_host` is `rewrite`",
    ],
    ['traffic-split', split({ ...nodesOf(other), type: 'chash' }), 'missing key'],
    [
      'traffic-split',
      split({ service_name: 'a', discovery_type: 'dns' }),
      'upstream.service_name: service discovery is not built in this version',
    ],
  ]
  for (const [plugin, conf, reason] of cases) {
    const { status, body } = await gateway.admin('PUT', '/routes/bad', { uri: '/bad', plugins: { [plugin]: conf } })
    const { error_msg: message } = body as { error_msg: string }
    assert.equal(status, 400, `${plugin}: ${message}`)
    assert.ok(message.startsWith(`failed to check the configuration of plugin ${plugin} err: `), message)
    assert.ok(message.includes(reason), message)
  }
})
