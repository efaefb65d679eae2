import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, before, type TestContext, test } from 'node:test'
import { type ControlDeps, createControlServer } from '../../src/admin/control-server.ts'
import { createStatusServer } from '../../src/admin/status-server.ts'
import { MemoryStore } from '../../src/config/resource-store.ts'
import type { WireChoice } from '../../src/net/wires.ts'
import { silentLog } from '../../src/observability/log.ts'
import { createCatalogue } from '../../src/plugin/catalogue.ts'
import { plugins } from '../../src/plugins/index.ts'
import { kinds } from '../../src/resources/index.ts'
import { encrypt } from '../../src/resources/keyring.ts'
import { createResourceCheck } from '../../src/snapshot/check.ts'
import { type Answer, keyring, send } from '../support/admin-server.ts'
import { makeCa, makeCertificate } from '../support/certificates.ts'
import { MemorySource } from '../support/memory-source.ts'

interface Control {
  readonly source: MemorySource
  get(path: string, headers?: Record<string, string>): Promise<Answer>
  call(method: string, path: string): Promise<Answer>
  close(): Promise<void>
}

async function startControl(overrides: Partial<ControlDeps> = {}): Promise<Control> {
  const source = new MemorySource()
  const store = new MemoryStore({ check: () => undefined, log: silentLog })
  await source.follow(store)
  const catalogue = createCatalogue({ built: plugins })
  const environment = (name: string) => (name === 'SECRET' ? 'from the environment' : undefined)
  const app = createControlServer({
    source,
    store,
    kinds,
    catalogue,
    check: createResourceCheck({ kinds, catalogue, lookup: store, keyring, environment }),
    health: () => undefined,
    reloadPlugins: async () => {},
    log: silentLog,
    ...overrides,
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  return {
    source,
    get: (path, headers = {}) => send(port, 'GET', path, undefined, headers),
    call: (method, path) => send(port, method, path),
    close: () => app.close(),
  }
}

const { key: privateKey } = makeCertificate({ ca: makeCa(), names: ['a'] })
let control: Control
before(async () => {
  control = await startControl()
  const { source } = control
  source.putNow('upstreams', '1', { id: '1', nodes: { '127.0.0.1:80': 1 } })
  source.putNow('upstreams', '2', { id: '2', nodes: { 'example.com:80': 1 }, checks: { active: {} } })
  const tls = { client_cert: 'none', client_key: encrypt(keyring, privateKey) }
  source.putNow('upstreams', 'tls', { id: 'tls', nodes: { '127.0.0.1:443': 1 }, tls })
  source.putNow('services', '1', { id: '1' })
  source.putNow('services', '1/graphql_cost_decorations/a', { id: 'a', field_path: 'Query' })
  source.putNow('routes', '1', { id: '1', uri: '/', host: 'EXAMPLE.com', upstream_id: 1 })
  source.putNow('plugin_metadata', 'limit-conn', { x: 1 })
})
after(() => control.close())

test('dumps show what was loaded, with defaults and nodes as a list', async () => {
  const { status, text, headers } = await control.get('/v1/upstream/1')
  assert.deepEqual([status, headers['content-type']], [200, 'application/json'])
  const { key, value, createdIndex, modifiedIndex, has_domain } = JSON.parse(text) as {
    key: string
    value: { nodes: object[]; type: string; pass_host: string }
    createdIndex: number
    modifiedIndex: number
    has_domain: boolean
  }
  assert.deepEqual([key, createdIndex, modifiedIndex, has_domain], ['/apisix/upstreams/1', 1, 1, false])
  assert.deepEqual([value.type, value.pass_host, Array.isArray(value.nodes)], ['roundrobin', 'pass', true])
  assert.equal(((await control.get('/v1/upstream/2')).json() as { has_domain: boolean }).has_domain, true)
})

test('all of a kind are dumped by the plural, one by the singular', async () => {
  const keys = async (path: string) => ((await control.get(path)).json() as { key: string }[]).map(({ key }) => key)
  assert.deepEqual(await keys('/v1/upstreams'), ['/apisix/upstreams/1', '/apisix/upstreams/2', '/apisix/upstreams/tls'])
  assert.deepEqual(await keys('/v1/services'), ['/apisix/services/1'])
  assert.deepEqual(await keys('/v1/routes'), ['/apisix/routes/1'])
  const route = (await control.get('/v1/route/1')).json() as {
    orig_modifiedIndex: number
    modifiedIndex: number
    value: { host: string }
  }
  assert.equal(route.orig_modifiedIndex, route.modifiedIndex)
  assert.equal(route.value.host, 'example.com')
})

test('no dump shows a private key or what a reference to the environment stands for', async () => {
  control.source.putNow('services', 'env', { id: 'env', plugins: { 'limit-conn': { key: '$env://SECRET' } } })
  const all = `${(await control.get('/v1/upstreams')).text}${(await control.get('/v1/services')).text}`
  assert.equal(all.includes('PRIVATE KEY'), false)
  assert.equal(all.includes('from the environment'), false)
  assert.equal(all.includes('$env://SECRET'), true)
})

const absent: [path: string, status: number, text: string][] = [
  ['/v1/route/9', 404, '{"error_msg":"route[9] not found"}\n'],
  ['/v1/service/9', 404, '{"error_msg":"service[9] not found"}\n'],
  ['/v1/upstream/9', 404, '{"error_msg":"upstream[9] not found"}\n'],
  ['/v1/plugin_metadata/x', 404, '{"error_msg":"plugin metadata[x] not found"}\n'],
  ['/v1/healthcheck/upstreams/9', 404, '{"error_msg":"upstreams[9] not found"}\n'],
  ['/v1/healthcheck/upstreams/1', 404, '{"error_msg":"no checker for upstreams[1]"}\n'],
  ['/v1/healthcheck/routes', 404, '{"error_msg":"missing src id for src type routes"}\n'],
  ['/v1/healthcheck/x/1', 400, '{"error_msg":"invalid src type x"}\n'],
]
for (const [path, status, text] of absent) {
  test(`${path} is ${status}`, async () => {
    const answer = await control.get(path)
    assert.deepEqual([answer.status, answer.text], [status, text])
  })
}

test('paths that are not there get the page', async () => {
  for (const path of [
    '/v1/nothing',
    '/',
    '/v1/discovery/consul/dump',
    '/v1/discovery/consul/show_dump_file',
    '/v1/server_info',
  ]) {
    const answer = await control.get(path)
    assert.equal(answer.status, 404, path)
    assert.match(answer.text, /<title>404 Not Found<\/title>/)
  }
  assert.equal((await control.call('POST', '/v1/schema')).status, 404)
})

test('plugin metadata is shown with its id', async () => {
  assert.equal((await control.get('/v1/plugin_metadatas')).text, '[{"x":1,"id":"limit-conn"}]\n')
  assert.equal((await control.get('/v1/plugin_metadata/limit-conn')).text, '{"x":1,"id":"limit-conn"}\n')
})

test('every schema is in one object', async () => {
  const schema = (await control.get('/v1/schema')).json() as {
    main: Record<string, object>
    plugins: object
    stream_plugins: Record<string, { schema: object }>
  }
  const names =
    'consumer consumer_group global_rule graphql_cost_decoration plugin_config plugins proto route service ssl stream_route upstream upstream_hash_header_schema upstream_hash_vars_schema'
  assert.deepEqual(Object.keys(schema.main).sort(), names.split(' '))
  assert.ok(schema.stream_plugins['limit-conn']?.schema)
})

test('collecting garbage and reloading plugins are switches', async (t) => {
  const gc = await control.call('POST', '/v1/gc')
  assert.deepEqual([gc.status, gc.text], [200, ''])
  const done = await control.call('PUT', '/v1/plugins/reload')
  assert.deepEqual([done.status, done.text], [200, 'done'])
  const failing = await startControl({ reloadPlugins: () => Promise.reject(new Error('no')) })
  t.after(() => failing.close())
  const failed = await failing.call('PUT', '/v1/plugins/reload')
  assert.deepEqual([failed.status, failed.text], [503, '{"error_msg":"no"}\n'])
})

test('without checkers the health of everything is an empty list', async () => {
  const answer = await control.get('/v1/healthcheck')
  assert.deepEqual([answer.status, answer.text], [200, '[]\n'])
})

test('health is told as JSON, and to browsers as a table in which texts are only text', async (t) => {
  const counter = { success: 1, http_failure: 2, tcp_failure: 3, timeout_failure: 4 }
  const node = { ip: '10.0.0.1', port: 80, status: 'unhealthy', counter } as const
  const report = { name: '/apisix/upstreams/<2>', type: 'http', nodes: [node] }
  const healthy = await startControl({
    health: (kind, id) => (kind === 'upstreams' && id === '2' ? report : undefined),
  })
  t.after(() => healthy.close())
  healthy.source.putNow('upstreams', '2', { id: '2', nodes: {}, checks: { active: {} } })
  assert.equal((await healthy.get('/v1/healthcheck')).text, `${JSON.stringify([report])}\n`)
  assert.equal((await healthy.get('/v1/healthcheck/upstreams/2')).text, `${JSON.stringify(report)}\n`)
  const html = await healthy.get('/v1/healthcheck', { accept: 'text/html,*/*' })
  assert.equal(html.headers['content-type'], 'text/html')
  assert.match(html.text, /<title>APISIX upstream check status<\/title>/)
  assert.match(html.text, /<tr bgcolor="#FF0000"><td>1<\/td><td>\/apisix\/upstreams\/&#60;2&#62;<\/td>/)
})

async function startStatus(t: TestContext, readiness: () => string | undefined) {
  const wire: WireChoice = { name: 'portable', passedOver: [{ name: 'uring', reason: 'this is a test' }] }
  const app = createStatusServer({ readiness, wire })
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => app.close())
  const { port } = app.server.address() as AddressInfo
  return (path: string) => send(port, 'GET', path)
}

test('the status of a living process is ok, at any path that begins with /status', async (t) => {
  const get = await startStatus(t, () => 'not ready')
  for (const path of ['/status', '/status/', '/status/x', '/statusquo', '/status?x=1']) {
    const answer = await get(path)
    assert.deepEqual([answer.status, answer.text], [200, '{"status":"ok"}\n'], path)
  }
  assert.equal((await get('/other')).status, 404)
})

test('the wire that carries the traffic is told, with why it is no better one', async (t) => {
  const get = await startStatus(t, () => 'not ready')
  const { status, text } = await get('/status/wire')
  assert.equal(status, 200)
  assert.deepEqual(JSON.parse(text), {
    status: 'ok',
    wire: 'portable',
    passed_over: [{ name: 'uring', reason: 'this is a test' }],
  })
})

test('readiness is 503 with its reason until there is none', async (t) => {
  let reason: string | undefined = 'worker id: 1 has not received configuration'
  const get = await startStatus(t, () => reason)
  const waiting = await get('/status/ready')
  const text = '{"status":"error","error":"worker id: 1 has not received configuration"}\n'
  assert.deepEqual([waiting.status, waiting.text, waiting.headers['content-type']], [503, text, 'application/json'])
  reason = undefined
  const ready = await get('/status/ready')
  assert.deepEqual([ready.status, ready.text], [200, '{"status":"ok"}\n'])
})
