import assert from 'node:assert/strict'
import { after, before, beforeEach, type TestContext, test } from 'node:test'
import { ApiDrivenSource } from '../../src/config/api-driven.ts'
import { MemoryStore } from '../../src/config/resource-store.ts'
import { silentLog } from '../../src/observability/log.ts'
import { type Answer, adminKey, type RunningAdmin, startAdmin, startAdminFor } from '../support/admin-server.ts'

const now = 1_700_000_000
const upstream = { nodes: { '127.0.0.1:1980': 1 } }

let admin: RunningAdmin
before(async () => {
  admin = await startAdmin()
  // what a document would replace, and must not be held against it
  admin.source.putNow('global_rules', 'old', { id: 'old', plugins: { cors: {} } })
})
after(() => admin.close())

const validate = (body: unknown, type = 'application/json') =>
  admin.call('POST', '/configs/validate', body, { 'x-api-key': adminKey, 'content-type': type })

test('a good document is an empty object', async () => {
  const document = {
    routes: [{ id: 'r1', uri: '/', upstream_id: 'elsewhere', modifiedIndex: 1 }],
    services: [{ id: 's1' }],
    consumers: [{ username: 'jack' }, { id: 'jack/credentials/a', desc: 'x' }],
    stream_routes: [{ id: 1, upstream }],
    global_rules: [{ id: 'cors', plugins: {} }],
    plugin_metadata: [{ id: 'limit-conn' }],
    secrets: [{ id: 'vault/1', uri: 'http://127.0.0.1:8200', prefix: 'kv', token: 'x' }],
    upstreams: [{ ...upstream }],
    ssls: [],
  }
  const answer = await validate(document)
  assert.deepEqual([answer.status, answer.text], [200, '{}\n'])
})

test('YAML is read when the content type says so', async () => {
  assert.equal((await validate('services:\n  - id: s1\n', 'application/yaml')).status, 200)
  const broken = await validate('services: [', 'application/yaml; charset=utf-8')
  assert.deepEqual(
    [broken.status, broken.text],
    [400, '{"error_msg":"invalid request body: invalid yaml request body"}\n'],
  )
  assert.equal((await validate('services:\n  - id: s1\n')).status, 400)
})

test('no body is refused', async () => {
  const answer = await validate(undefined)
  assert.deepEqual([answer.status, answer.text], [400, '{"error_msg":"invalid request body: empty request body"}\n'])
})

test('every fault is listed, with its place', async () => {
  const answer = await validate({
    routes: [
      { id: 'r1', uri: 1, upstream },
      { id: 'r2', uri: '/', upstream },
      { id: 'r2', uri: '/', upstream },
    ],
    routes_conf_version: 'x',
    consumers: [
      { username: 'u' },
      { username: 'u' },
      { id: 'u/credentials/c', desc: 'x' },
      { id: 'u/credentials/c', desc: 'x' },
    ],
    stream_routes: [{ plugins: { nobody: {} } }],
    secrets: [{ id: '1' }],
    services: { a: 1 },
  })
  assert.equal(answer.status, 400)
  const { error_msg, errors } = answer.json() as { error_msg: string; errors: Record<string, unknown>[] }
  assert.equal(error_msg, 'Configuration validation failed')
  const wrongUri =
    'invalid routes at index 0, err: invalid configuration: property "uri" validation failed: wrong type: expected string, got number'
  assert.deepEqual(errors, [
    { resource_type: 'routes', resource_id: '', error: 'routes_conf_version must be a number, got string' },
    { resource_type: 'routes', resource_id: 'r1', index: 0, error: wrongUri },
    { resource_type: 'routes', resource_id: 'r2', index: 2, error: 'found duplicate id r2 in routes' },
    {
      resource_type: 'stream_routes',
      resource_id: '',
      index: 0,
      error: 'invalid stream_routes at index 0, err: unknown plugin [nobody]',
    },
    { resource_type: 'services', resource_id: '', error: 'services must be an array, got table' },
    { resource_type: 'consumers', resource_id: 'u', index: 1, error: 'found duplicate username u in consumers' },
    {
      resource_type: 'consumers',
      resource_id: 'u/credentials/c',
      index: 3,
      error: 'found duplicate credential id u/credentials/c in consumers',
    },
    {
      resource_type: 'secrets',
      resource_id: '1',
      index: 0,
      error: 'invalid secrets at index 0, err: invalid secret id: 1',
    },
  ])
})

interface Standalone {
  readonly source: ApiDrivenSource
  readonly store: MemoryStore
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
}
let standalone: Standalone
let clock = now
beforeEach(async (t) => {
  clock = now
  const source = new ApiDrivenSource()
  const store = new MemoryStore({ check: () => undefined, log: silentLog })
  await source.follow(store, new AbortController().signal)
  const { call } = await startAdminFor(t as TestContext, { source, store, standalone: source, now: () => clock })
  standalone = {
    source,
    store,
    call: (method, path, body, headers = {}) => call(method, path, body, { 'x-api-key': adminKey, ...headers }),
  }
})
const put = (body: unknown, digest = 'd1') => standalone.call('PUT', '/configs', body, { 'x-digest': digest })

test('before the first document there are only versions, all zero', async () => {
  const { status, text, headers } = await standalone.call('GET', '/configs')
  assert.equal(status, 200)
  const keys = 'routes stream_routes services upstreams consumers consumer_groups global_rules plugin_configs'.split(
    ' ',
  )
  keys.push('plugin_metadata', 'plugins', 'protos', 'secrets', 'ssls')
  assert.deepEqual(JSON.parse(text), Object.fromEntries(keys.map((key) => [`${key}_conf_version`, 0])))
  assert.deepEqual([headers['x-digest'], headers['x-last-modified']], [undefined, undefined])
})

test('nothing else of the Admin API is there', async () => {
  for (const path of ['/routes', '/plugins/list', '/schema/route']) {
    const answer = await standalone.call('GET', path)
    assert.equal(answer.status, 404)
    assert.match(answer.text, /<title>404 Not Found<\/title>/)
  }
  assert.equal((await standalone.call('HEAD', '')).status, 200)
  assert.equal((await standalone.call('POST', '/configs/validate', {})).status, 200)
})

test('an accepted document is 202 and empty, with when and which', async () => {
  const answer = await put({ routes: [{ id: 'r1', uri: '/', upstream }] })
  assert.deepEqual([answer.status, answer.text], [202, ''])
  assert.deepEqual([answer.headers['x-digest'], answer.headers['x-last-modified']], ['d1', String(now)])
  assert.equal(standalone.store.get('routes', 'r1')?.value['uri'], '/')
  const head = await standalone.call('HEAD', '/configs')
  assert.deepEqual([head.status, head.headers['x-digest'], head.headers['x-last-modified']], [200, 'd1', String(now)])
  const shown = await standalone.call('GET', '/configs')
  const document = JSON.parse(shown.text) as Record<string, unknown>
  assert.deepEqual(document['routes'], [{ id: 'r1', uri: '/', upstream }])
  assert.deepEqual([document['X-Digest'], document['X-Last-Modified'], document['routes_conf_version']], ['d1', now, 1])
})

test('the document is shown as YAML when that is asked for', async () => {
  await put({ routes: [{ id: 'r1', uri: '/', upstream }] })
  const answer = await standalone.call('GET', '/configs', undefined, { accept: 'application/yaml' })
  assert.equal(answer.headers['content-type'], 'application/yaml')
  assert.match(answer.text, /^routes_conf_version: 1\nroutes:\n {2}- id: r1\n/)
})

test('a document may be YAML', async () => {
  const headers = { 'x-digest': 'd', 'content-type': 'application/yaml' }
  const answer = await standalone.call('PUT', '/configs', 'services:\n  - id: 5\n', headers)
  assert.equal(answer.status, 202)
  assert.deepEqual(standalone.store.get('services', '5')?.value, { id: '5' })
})

test('the digest is required, and the same one again changes nothing', async () => {
  const missing = await standalone.call('PUT', '/configs', {})
  assert.deepEqual([missing.status, missing.text], [400, '{"error_msg":"missing digest header"}\n'])
  await put({ services: [{ id: 's1' }] })
  clock = now + 10
  const same = await put({ services: [{ id: 's2' }] })
  assert.deepEqual([same.status, same.text], [204, ''])
  assert.equal(standalone.store.get('services', 's2'), undefined)
  assert.equal(standalone.source.lastModified, now)
})

test('an older version is refused, an equal one keeps the old data, a newer one replaces it', async () => {
  await put({ routes_conf_version: 1062, routes: [{ id: 'a', uri: '/', upstream }] })
  const older = await put({ routes_conf_version: 1061, routes: [] }, 'd2')
  const message = '{"error_msg":"routes_conf_version must be greater than or equal to (1062)"}\n'
  assert.deepEqual([older.status, older.text], [400, message])
  assert.equal((await put({ routes_conf_version: 1062, routes: [{ bad: 1 }] }, 'd3')).status, 202)
  assert.deepEqual(
    [...standalone.store.all('routes')].map(({ id }) => id),
    ['a'],
  )
  assert.equal((await put({ routes_conf_version: 1063, routes: [{ id: 'b', uri: '/', upstream }] }, 'd4')).status, 202)
  assert.deepEqual(
    [...standalone.store.all('routes')].map(({ id }) => id),
    ['b'],
  )
})

test('without a version it is one more, and an absent list empties', async () => {
  await put({ routes: [{ id: 'a', uri: '/', upstream }], routes_conf_version: 7 })
  await put({}, 'd2')
  assert.deepEqual([...standalone.store.all('routes')], [])
  assert.equal(standalone.source.document()['routes_conf_version'], 8)
})

const faults: [what: string, document: object, message: RegExp][] = [
  ['a version that is no number', { routes_conf_version: '1' }, /^routes_conf_version must be a number$/],
  [
    'an item that is not valid',
    { routes: [{ id: 'a', uri: 1, upstream }] },
    /^invalid routes at index 0, err: invalid configuration: property "uri" validation failed/,
  ],
  ['two of one id', { services: [{ id: 'r1' }, { id: 'r1' }] }, /^found duplicate id r1 in services$/],
  ['a list that is none', { routes: 'x' }, /^routes must be an array/],
]
for (const [what, document, message] of faults) {
  test(`a document with ${what} is refused as a whole`, async () => {
    await put({ upstreams: [{ id: 'kept', ...upstream }] })
    const answer = await put({ upstreams: [], ...document }, 'd2')
    assert.equal(answer.status, 400)
    assert.match((JSON.parse(answer.text) as { error_msg: string }).error_msg, message)
    assert.ok(standalone.store.get('upstreams', 'kept'))
    assert.equal(standalone.source.digest, 'd1')
  })
}

test('an item with the modifiedIndex that it had is left as it is', async () => {
  await put({
    services: [
      { id: 'a', desc: 'one', modifiedIndex: 5 },
      { id: 'b', desc: 'one' },
    ],
  })
  const before = standalone.store.get('services', 'a')
  await put(
    {
      services: [
        { id: 'a', desc: 'two', modifiedIndex: 5 },
        { id: 'b', desc: 'two' },
      ],
    },
    'd2',
  )
  assert.equal(standalone.store.get('services', 'a')?.value['desc'], 'one')
  assert.equal(standalone.store.get('services', 'a')?.modifiedIndex, before?.modifiedIndex)
  assert.equal(standalone.store.get('services', 'b')?.value['desc'], 'two')
})

test('credentials are elements of consumers', async () => {
  await put({ consumers: [{ username: 'jack' }, { id: 'jack/credentials/a', desc: 'x' }] })
  assert.deepEqual(standalone.store.get('consumers', 'jack/credentials/a')?.value, { id: 'a', desc: 'x' })
})

test('the list of plugins is kept and is no resource', async () => {
  await put({ plugins: [{ name: 'limit-conn', stream: true }] })
  assert.deepEqual(standalone.source.plugins, [{ name: 'limit-conn', stream: true }])
  assert.deepEqual([...standalone.store.all('plugins')], [])
})
