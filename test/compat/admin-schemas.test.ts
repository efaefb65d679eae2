import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type RunningAdmin, startAdmin, startAdminFor } from '../support/admin-server.ts'

let admin: RunningAdmin
before(async () => {
  admin = await startAdmin()
})
after(() => admin.close())

for (const name of [
  'route',
  'service',
  'upstream',
  'consumer',
  'credential',
  'consumer_group',
  'global_rule',
  'plugin_config',
  'plugins',
  'proto',
  'ssl',
  'stream_route',
]) {
  test(`the schema of ${name} is shown by its singular name`, async () => {
    const answer = await admin.call('GET', `/schema/${name}`)
    assert.equal(answer.status, 200)
    assert.equal((answer.json() as { type: string }).type, 'object')
    assert.equal(answer.text.endsWith('}\n'), true)
    assert.equal(answer.headers['x-api-version'], 'v3')
  })
}

const refusals: [method: string, path: string, status: number, text: string][] = [
  ['GET', '/schema/x', 400, '{"error_msg":"not found schema: x"}\n'],
  ['GET', '/schema/plugins/x', 404, '{"error_msg":"plugin not found in subsystem http"}\n'],
  ['GET', '/plugins/x', 404, '{"error_msg":"plugin not found in subsystem http"}\n'],
  ['GET', '/schema/plugins/x?subsystem=stream', 404, '{"error_msg":"plugin not found in subsystem stream"}\n'],
  ['GET', '/schema/plugins/limit-conn?subsystem=x', 400, '{"error_msg":"unsupported subsystem: x"}\n'],
  ['GET', '/plugins/limit-conn?subsystem=stream&schema_type=consumer', 400, '{"error_msg":"not found schema"}\n'],
  ['GET', '/plugins/list?subsystem=x', 400, 'invalid subsystem passed'],
  ['POST', '/schema/validate/routs', 404, '{"error_msg":"Unsupported resource type: routs"}\n'],
]
for (const method of ['GET', 'POST', 'DELETE', 'PATCH']) {
  const text = `{"error_msg":"please use PUT method to reload the plugins, ${method} method is not allowed."}\n`
  refusals.push([method, '/plugins/reload', 405, text])
}
for (const [method, path, status, text] of refusals) {
  test(`${method} ${path} is refused with ${status}`, async () => {
    const answer = await admin.call(method, path)
    assert.deepEqual([answer.status, answer.text], [status, text])
  })
}

test('the schema of a plugin comes with _meta, by either path', async () => {
  const [one, other] = await Promise.all([
    admin.call('GET', '/schema/plugins/limit-conn?subsystem=stream'),
    admin.call('GET', '/plugins/limit-conn?subsystem=stream'),
  ])
  assert.equal(one.status, 200)
  assert.equal(one.text, other.text)
  const { properties, required } = one.json() as { properties: Record<string, object>; required: string[] }
  assert.ok('_meta' in properties)
  assert.deepEqual(required, ['conn', 'burst', 'default_conn_delay', 'key'])
})

test('all plugins of a subsystem are described by name', async () => {
  const all = (await admin.call('GET', '/plugins?all=true&subsystem=stream')).json() as Record<
    string,
    { version: number; priority: number; schema: object }
  >
  assert.deepEqual(Object.keys(all['limit-conn'] ?? {}), ['version', 'priority', 'schema'])
  assert.equal(all['limit-conn']?.priority, 1003)
  assert.equal((await admin.call('GET', '/plugins?all=true')).status, 200)
})

test('the list of plugins has names only, highest priority first', async () => {
  const names = (await admin.call('GET', '/plugins/list?subsystem=stream')).json() as string[]
  assert.deepEqual(
    names.filter((name) => name === 'ip-restriction' || name === 'limit-conn'),
    ['ip-restriction', 'limit-conn'],
  )
  assert.ok(Array.isArray((await admin.call('GET', '/plugins/list')).json()))
})

test('reloading plugins answers in plain text when it is done, and 503 when it failed', async (t) => {
  let reloads = 0
  const counting = await startAdminFor(t, {
    reloadPlugins: async () => {
      if (++reloads > 1) throw new Error('config.yaml: no such plugin')
    },
  })
  const done = await counting.call('PUT', '/plugins/reload')
  assert.deepEqual([done.status, done.text, reloads], [200, 'done', 1])
  const failed = await counting.call('PUT', '/plugins/reload')
  assert.deepEqual([failed.status, failed.text], [503, '{"error_msg":"config.yaml: no such plugin"}\n'])
})

test('a key is needed for schemas and plugins too', async () => {
  for (const [method, path] of [
    ['GET', '/schema/route'],
    ['GET', '/plugins/list'],
    ['PUT', '/plugins/reload'],
    ['POST', '/schema/validate/routes'],
    ['POST', '/configs/validate'],
  ] as const) {
    assert.equal((await admin.call(method, path, undefined, {})).status, 401, path)
  }
})

const upstream = { nodes: { '127.0.0.1:1': 1 } }
const validations: [resource: string, body: unknown, status: number, text: string][] = [
  ['routes', { uri: '/', upstream }, 200, ''],
  ['routes', { uri: '/', plugins: { unknown: {} } }, 200, ''],
  ['routes', { uri: '/', upstream_id: 'nowhere' }, 200, ''],
  [
    'routes',
    { uri: 1, upstream },
    400,
    '{"error_msg":"property \\"uri\\" validation failed: wrong type: expected string, got number"}\n',
  ],
  [
    'routes',
    { upstream },
    400,
    '{"error_msg":"allOf 1 failed: value should match only one schema, but matches none"}\n',
  ],
  ['routes', undefined, 400, '{"error_msg":"wrong type: expected object, got nil"}\n'],
  ['consumers', {}, 400, '{"error_msg":"property \\"username\\" is required"}\n'],
]
for (const [resource, body, status, text] of validations) {
  test(`the schema of ${resource} says ${status} to ${JSON.stringify(body)}`, async () => {
    const answer = await admin.call('POST', `/schema/validate/${resource}`, body)
    assert.deepEqual([answer.status, answer.text], [status, text])
  })
}

test('validating against a schema refuses bad JSON as everywhere', async () => {
  const answer = await admin.call('POST', '/schema/validate/routes', '{')
  assert.equal(answer.status, 400)
  assert.match(answer.text, /^{"error_msg":"invalid request body: .*","req_body":"{"}\n$/)
})
