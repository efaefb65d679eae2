import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type RunningAdmin, startAdmin } from '../support/admin-server.ts'

const now = 1_700_000_000
const times = `"create_time":${now},"update_time":${now}`
const warning = '299 - "stored; nothing in this version uses it"'
const notFound = '{"message":"Key not found"}\n'
let admin: RunningAdmin
before(async () => {
  admin = await startAdmin({ now: () => now })
})
after(() => admin.close())

test('a consumer is stored under its name', async () => {
  const answer = await admin.call('PUT', '/consumers', { username: 'jack' })
  assert.equal(answer.status, 201)
  assert.equal(answer.text, `{"key":"/apisix/consumers/jack","value":{"username":"jack",${times}}}\n`)
  assert.equal(answer.headers['warning'], undefined)
  assert.equal((await admin.call('PUT', '/consumers/jack', { username: 'jack' })).status, 200)
  assert.equal((await admin.call('GET', '/consumers/jack')).headers['warning'], undefined)
})

test('an empty collection of credentials is not found', async () => {
  for (const user of ['jack', 'nobody']) {
    const answer = await admin.call('GET', `/consumers/${user}/credentials`)
    assert.deepEqual([answer.status, answer.text], [404, notFound])
  }
})

test('a credential needs its consumer', async () => {
  const answer = await admin.call('PUT', '/consumers/nobody/credentials/a', {})
  assert.deepEqual([answer.status, answer.text], [404, '{"error_msg":"consumer not found"}\n'])
})

test('credentials are put, read, listed and deleted below their consumer', async () => {
  const key = '/apisix/consumers/jack/credentials/a'
  const value = `{"id":"a","desc":"x",${times}}`
  const created = await admin.call('PUT', '/consumers/jack/credentials/a', { desc: 'x' })
  assert.deepEqual([created.status, created.text], [201, `{"key":"${key}","value":${value}}\n`])
  assert.equal((await admin.call('PUT', '/consumers/jack/credentials/a', { desc: 'x' })).status, 200)
  const { list, total } = (await admin.call('GET', '/consumers/jack/credentials')).json() as {
    list: { key: string }[]
    total: number
  }
  assert.deepEqual([total, list[0]?.key], [1, key])
  assert.match((await admin.call('GET', '/consumers/jack/credentials/a')).text, /^{"key":"[^"]*\/credentials\/a"/)
  const consumers = (await admin.call('GET', '/consumers')).json() as { list: { key: string }[]; total: number }
  assert.deepEqual([consumers.total, consumers.list[0]?.key], [1, '/apisix/consumers/jack'])
  const deleted = await admin.call('DELETE', '/consumers/jack/credentials/a')
  assert.deepEqual([deleted.status, deleted.text], [200, `{"deleted":"1","key":"${key}"}\n`])
})

test('a credential holds at most one plugin, of the sort that identifies', async () => {
  const answer = await admin.call('PUT', '/consumers/jack/credentials/a', { plugins: { 'limit-conn': {} } })
  assert.equal(answer.text, '{"error_msg":"only supports auth type plugins in consumer credential"}\n')
  const two = await admin.call('PUT', '/consumers/jack/credentials/a', { plugins: { 'key-auth': {}, 'jwt-auth': {} } })
  assert.match(two.text, /expect object to have at most 1 properties/)
})

test('secrets are kept by manager and id, and listed together', async () => {
  const vault = { uri: 'http://127.0.0.1:8200', prefix: 'kv', token: 'a' }
  const created = await admin.call('PUT', '/secrets/vault/1', vault)
  assert.equal(created.status, 201)
  const value = `{"id":"vault/1","uri":"http://127.0.0.1:8200","prefix":"kv","token":"a",${times}}`
  assert.equal(created.text, `{"key":"/apisix/secrets/vault/1","value":${value}}\n`)
  await admin.call('PUT', '/secrets/aws/1', { access_key_id: 'a', secret_access_key: 'b' })
  assert.equal(((await admin.call('GET', '/secrets')).json() as { total: number }).total, 2)
  assert.equal((await admin.call('GET', '/secrets/vault/1')).status, 200)
  assert.equal((await admin.call('GET', '/secrets/vault/2')).text, notFound)
})

test('a secret is patched as a whole and at a path below its id', async () => {
  const patched = (await admin.call('PATCH', '/secrets/vault/1/token', '"b"')).json() as { value: { token: string } }
  assert.equal(patched.value.token, 'b')
  const merged = (await admin.call('PATCH', '/secrets/vault/1', { prefix: 'other' })).json() as {
    value: { token: string; prefix: string }
  }
  assert.deepEqual([merged.value.token, merged.value.prefix], ['b', 'other'])
  for (const path of ['/secrets', '/secrets/vault']) {
    const answer = await admin.call('PATCH', path, '{}')
    assert.deepEqual([answer.status, answer.text], [400, '{"error_msg":"no secret id"}\n'])
  }
  assert.equal((await admin.call('DELETE', '/secrets/vault/1')).status, 200)
})

test('plugin metadata is stored under the name of its plugin, without times', async () => {
  const answer = await admin.call('PUT', '/plugin_metadata/limit-conn', { x: 1 })
  const text = '{"key":"/apisix/plugin_metadata/limit-conn","value":{"id":"limit-conn","x":1}}\n'
  assert.deepEqual([answer.status, answer.text, answer.headers['warning']], [201, text, undefined])
})

test('kinds that nothing uses yet say so, others do not', async () => {
  const upstream = { nodes: { '127.0.0.1:1': 1 } }
  for (const [path, body, said] of [
    ['/routes/1', { uri: '/', upstream }, undefined],
    ['/plugin_configs/1', { plugins: {} }, undefined],
    ['/consumer_groups/1', { plugins: {} }, undefined],
    ['/global_rules/1', { plugins: {} }, undefined],
    ['/protos/1', { content: 'syntax = "proto3";' }, warning],
    ['/secrets/vault/9', { uri: 'http://127.0.0.1:8200', prefix: 'kv', token: 'a' }, warning],
  ] as const) {
    const answer = await admin.call('PUT', path, body)
    assert.deepEqual([answer.status, answer.headers['warning']], [201, said], `${path} ${answer.text}`)
  }
})

test('cost decorations belong to the service in their path', async () => {
  const path = '/services/7/graphql_cost_decorations'
  const missing = await admin.call('PUT', `${path}/a`, { field_path: 'Query.x' })
  assert.deepEqual([missing.status, missing.text], [404, '{"error_msg":"service not found"}\n'])
  await admin.call('PUT', '/services/7', {})
  assert.equal((await admin.call('GET', path)).status, 404)
  const created = await admin.call('PUT', `${path}/a`, { field_path: 'Query.x' })
  assert.equal(created.status, 201, created.text)
  assert.match(created.text, /"service_id":"7"/)
  const posted = await admin.call('POST', path, { field_path: 'Query.y' })
  assert.equal(posted.status, 201, posted.text)
  assert.match(posted.text, /\/graphql_cost_decorations\/\d{20}"/)
  const refused: [method: string, path: string, body: object, message: string][] = [
    ['PUT', `${path}/b`, { field_path: 'Query.x', service_id: '8' }, 'wrong service_id, it is taken from the path'],
    ['PUT', `${path}/b`, { field_path: 'Query.x' }, 'field_path Query.x is already decorated on this service by [a]'],
    ['POST', path, { field_path: 'Query.x' }, 'field_path Query.x is already decorated on this service by [a]'],
    ['PATCH', `${path}/a`, { service_id: '7' }, 'service_id can not be patched'],
  ]
  for (const [method, target, body, message] of refused) {
    const answer = await admin.call(method, target, body)
    assert.deepEqual([answer.status, answer.text], [400, `${JSON.stringify({ error_msg: message })}\n`])
  }
  const patched = await admin.call('PATCH', `${path}/a`, { mul_value: 3 })
  assert.equal((patched.json() as { value: { mul_value: number } }).value.mul_value, 3)
  assert.equal(((await admin.call('GET', path)).json() as { total: number }).total, 2)
  assert.deepEqual(
    ((await admin.call('GET', '/services')).json() as { list: { key: string }[] }).list.map(({ key }) => key),
    ['/apisix/services/7'],
  )
})
