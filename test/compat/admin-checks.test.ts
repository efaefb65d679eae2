import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type RunningAdmin, startAdmin } from '../support/admin-server.ts'

let admin: RunningAdmin
before(async () => {
  admin = await startAdmin()
  for (const [kind, id, value] of [
    ['upstreams', '1', { id: '1', nodes: {} }],
    ['services', '1', { id: '1' }],
    ['global_rules', '1', { id: '1', plugins: { cors: {} } }],
    ['ssls', 'server', { id: 'server', type: 'server' }],
    ['consumers', 'jack', { username: 'jack' }],
  ] as const) {
    admin.source.putNow(kind, id, value)
  }
})
after(() => admin.close())

const nodes = { '127.0.0.1:1980': 1 }
const upstream = { nodes }
const refused = (message: string) => `${JSON.stringify({ error_msg: message })}\n`

/** The order of the list is the order of the checks: each body would also fail those below its own. */
const cases: [what: string, method: string, path: string, body: unknown, status: number, message: string][] = [
  ['a bad ttl before all else', 'PUT', '/routes?ttl=abc', undefined, 400, 'invalid argument ttl: should be a number'],
  ['an empty ttl', 'PUT', '/routes/1?ttl=', '{}', 400, 'invalid argument ttl: should be a number'],
  ['a ttl before the method', 'POST', '/consumers?ttl=x', '{}', 400, 'invalid argument ttl: should be a number'],

  ['no body', 'PUT', '/routes/1', undefined, 400, 'missing configurations'],
  ['no body before no id', 'PUT', '/routes', undefined, 400, 'missing configurations'],
  ['null', 'PUT', '/routes/1', 'null', 400, 'missing configurations'],
  ['no body of a POST', 'POST', '/routes', undefined, 400, 'missing configurations'],
  ['text', 'PUT', '/routes/1', '"x"', 400, 'invalid configuration: wrong type: expected object, got string'],
  ['an array', 'PUT', '/routes/1', '[]', 400, 'invalid configuration: wrong type: expected object, got table'],

  ['no id at all', 'PUT', '/routes', { create_time: 1 }, 400, 'missing route id'],
  ['another id in the body', 'PUT', '/routes/1', { id: '2', create_time: 1 }, 400, 'wrong route id'],
  ['an id in the path of a POST', 'POST', '/routes/1', {}, 400, 'wrong route id, do not need it'],
  ['an id in the body of a POST', 'POST', '/routes', { id: 1 }, 400, 'wrong route id, do not need it'],
  ['the noun of two words', 'PUT', '/stream_routes', {}, 400, 'missing stream route id'],
  ['the noun of a kind with plugins', 'PUT', '/global_rules', {}, 400, 'missing global rule id'],
  ['a secret without a manager', 'PUT', '/secrets', {}, 400, 'missing secret type'],
  ['a secret without an id', 'PUT', '/secrets/vault', {}, 400, 'missing secret id'],

  ['a time', 'PUT', '/routes/1', { create_time: 1, bad: 1 }, 400, 'the property is forbidden:  create_time'],
  [
    'both times',
    'PUT',
    '/routes/1',
    { update_time: 1, create_time: 1 },
    400,
    'the property is forbidden:  create_time update_time',
  ],
  [
    'a time one level down',
    'PUT',
    '/routes/1',
    { upstream: { create_time: 1 } },
    400,
    'the property is forbidden:  upstream.create_time',
  ],
  ['a time of a POST', 'POST', '/upstreams', { update_time: 1 }, 400, 'the property is forbidden:  update_time'],

  [
    'a property that is not known',
    'PUT',
    '/services/1',
    { xxx: 1 },
    400,
    'invalid configuration: additional properties forbidden, found xxx',
  ],
  [
    'a wrong type',
    'PUT',
    '/services/1',
    { name: 1 },
    400,
    'invalid configuration: property "name" validation failed: wrong type: expected string, got number',
  ],
  [
    'an empty text',
    'PUT',
    '/services/1',
    { name: '' },
    400,
    'invalid configuration: property "name" validation failed: string too short, expected at least 1, got 0',
  ],
  [
    'a long text',
    'PUT',
    '/services/1',
    { name: 'x'.repeat(257) },
    400,
    'invalid configuration: property "name" validation failed: string too long, expected at most 256, got 257',
  ],
  [
    'a number too small',
    'PUT',
    '/upstreams/1',
    { ...upstream, retries: -1 },
    400,
    'invalid configuration: property "retries" validation failed: expected -1 to be at least 0',
  ],
  [
    'a value out of a list',
    'PUT',
    '/upstreams/1',
    { ...upstream, pass_host: 'x' },
    400,
    'invalid configuration: property "pass_host" validation failed: matches none of the enum values',
  ],
  [
    'an empty list',
    'PUT',
    '/services/1',
    { hosts: [] },
    400,
    'invalid configuration: property "hosts" validation failed: expect array to have at least 1 items',
  ],
  [
    'a repeated item',
    'PUT',
    '/services/1',
    { hosts: ['a', 'a'] },
    400,
    'invalid configuration: property "hosts" validation failed: expected unique items but items 1 and 2 are equal',
  ],
  ['what is required', 'PUT', '/consumers', {}, 400, 'invalid configuration: property "username" is required'],

  ['a plugin that nobody knows', 'PUT', '/stream_routes/1', { plugins: { x: {} } }, 400, 'unknown plugin [x]'],
  [
    'a configuration that is no object',
    'PUT',
    '/stream_routes/1',
    { plugins: { 'limit-conn': 'x' } },
    400,
    'invalid plugin conf "x" for plugin [limit-conn]',
  ],
  [
    'a wrong configuration',
    'PUT',
    '/stream_routes/1',
    { plugins: { 'limit-conn': {} } },
    400,
    'failed to check the configuration of stream plugin [limit-conn]: property "conn" is required',
  ],
  [
    'a plugin of a consumer',
    'PUT',
    '/consumers',
    { username: 'a', plugins: { x: {} } },
    400,
    'invalid plugins configuration: unknown plugin [x]',
  ],
  ['metadata of no plugin', 'PUT', '/plugin_metadata/x', {}, 400, 'invalid plugin name'],

  [
    'an upstream that is not there',
    'PUT',
    '/stream_routes/1',
    { upstream_id: '9' },
    400,
    'failed to fetch upstream info by upstream id [9], response code: 404',
  ],
  [
    'a service that is not there',
    'PUT',
    '/stream_routes/1',
    { service_id: 9 },
    400,
    'failed to fetch service info by service id [9], response code: 404',
  ],
  [
    'a plugin config that is not there',
    'PUT',
    '/routes/1',
    { uri: '/', plugin_config_id: '9', upstream },
    400,
    'failed to fetch plugin config info by plugin config id [9], response code: 404',
  ],
  [
    'a group that is not there',
    'PUT',
    '/consumers',
    { username: 'a', group_id: '9' },
    400,
    'failed to fetch consumer group info by consumer group id [9], response code: 404',
  ],
  [
    'a certificate that is not there',
    'PUT',
    '/upstreams/1',
    { ...upstream, tls: { client_cert_id: '9' } },
    400,
    'failed to fetch ssl info by ssl id [9], response code: 404',
  ],
  [
    'a certificate of the wrong type',
    'PUT',
    '/upstreams/1',
    { ...upstream, tls: { client_cert_id: 'server' } },
    400,
    'failed to fetch ssl info by ssl id [server], wrong ssl type',
  ],
  [
    'a plugin that another global rule has',
    'PUT',
    '/global_rules/2',
    { plugins: { cors: {} } },
    400,
    "plugin 'cors' already exists in global rule with id '1'",
  ],
  ['another name than that of the path', 'PUT', '/consumers/jack', { username: 'jim' }, 400, 'wrong username'],
  ['a secret manager that nobody knows', 'PUT', '/secrets/x/1', {}, 400, 'invalid secret manager: x'],

  ['POST of a consumer', 'POST', '/consumers', '{}', 405, 'not supported `POST` method for consumer'],
  ['PATCH of a consumer', 'PATCH', '/consumers/a', '{}', 405, 'not supported `PATCH` method for consumer'],
  ['PATCH of a stream route', 'PATCH', '/stream_routes/1', '{}', 405, 'not supported `PATCH` method for stream route'],
  ['PATCH of a proto', 'PATCH', '/protos/1', '{}', 405, 'not supported `PATCH` method for proto'],
  ['POST of a global rule', 'POST', '/global_rules', '{}', 405, 'not supported `POST` method for global rule'],
  ['POST of a plugin config', 'POST', '/plugin_configs', '{}', 405, 'not supported `POST` method for plugin config'],
  ['POST of a consumer group', 'POST', '/consumer_groups', '{}', 405, 'not supported `POST` method for consumer group'],
  ['POST of metadata', 'POST', '/plugin_metadata', '{}', 405, 'not supported `POST` method for plugin_metadata'],
  ['POST of a secret', 'POST', '/secrets/vault', '{}', 405, 'not supported `POST` method for secret'],
  [
    'POST of a credential',
    'POST',
    '/consumers/jack/credentials',
    '{}',
    405,
    'not supported `POST` method for credential',
  ],
  [
    'PATCH of a credential',
    'PATCH',
    '/consumers/jack/credentials/a',
    '{}',
    405,
    'not supported `PATCH` method for credential',
  ],
]
for (const [what, method, path, body, status, message] of cases) {
  test(`refused: ${what} (${method} ${path})`, async () => {
    const answer = await admin.call(method, path, body)
    assert.deepEqual([answer.status, answer.text], [status, refused(message)])
  })
}

test('a plugin that is switched off may be configured wrongly', async () => {
  const plugins = { 'limit-conn': { _meta: { disable: true } } }
  const answer = await admin.call('PUT', '/stream_routes/off', { plugins, upstream })
  assert.equal(answer.status, 201, answer.text)
})

test('a reference that the view does not have yet is looked for in the store itself', async () => {
  const view = admin.store.get('upstreams', '1')
  assert.ok(view)
  admin.store.apply([{ type: 'delete', kind: 'upstreams', id: '1', revision: 99 }], 99)
  const answer = await admin.call('PUT', '/stream_routes/late', { upstream_id: 1 })
  assert.equal(answer.status, 201, answer.text)
})

test('a refused write stores nothing', async () => {
  assert.equal((await admin.call('PUT', '/services/never', { xxx: 1 })).status, 400)
  assert.equal((await admin.call('GET', '/services/never')).status, 404)
})

test('a value that this version cannot do is refused with a sentence that names it', async () => {
  const lua = { uri: '/', upstream, filter_func: 'function(vars) return true end' }
  const answer = await admin.call('PUT', '/routes/1', lua)
  assert.equal(answer.status, 400)
  assert.match((JSON.parse(answer.text) as { error_msg: string }).error_msg, /filter_func/)
})
