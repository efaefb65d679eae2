import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type RunningAdmin, startAdmin, startAdminFor } from '../support/admin-server.ts'

const now = 1_700_000_000
let clock = now
let admin: RunningAdmin
before(async () => {
  admin = await startAdmin({ now: () => clock })
})
after(() => admin.close())

const upstream = { type: 'roundrobin', nodes: { '127.0.0.1:1980': 1 } }
const times = `"create_time":${now},"update_time":${now}`

test('a new resource is 201 without indexes, and the same put again is 200', async () => {
  const created = await admin.call('PUT', '/upstreams/1', upstream)
  const value = `{"id":"1","type":"roundrobin","nodes":{"127.0.0.1:1980":1},${times}}`
  assert.deepEqual([created.status, created.text], [201, `{"key":"/apisix/upstreams/1","value":${value}}\n`])
  assert.equal(created.headers['x-api-version'], 'v3')
  const replaced = await admin.call('PUT', '/upstreams/1', upstream)
  assert.deepEqual([replaced.status, replaced.text], [200, created.text])
})

test('no defaults are stored and none are shown', async () => {
  const { text } = await admin.call('GET', '/upstreams/1')
  assert.equal(/scheme|pass_host|hash_on/.test(text), false)
})

test('one resource is shown with its indexes', async () => {
  const { status, json } = await admin.call('GET', '/upstreams/1')
  assert.equal(status, 200)
  const { key, value, createdIndex, modifiedIndex } = json() as {
    key: string
    value: { id: string }
    createdIndex: number
    modifiedIndex: number
  }
  assert.deepEqual([key, value.id], ['/apisix/upstreams/1', '1'])
  assert.ok(createdIndex < modifiedIndex)
})

test('what is not there is 404 with a message of its own form', async () => {
  for (const [method, path, body] of [
    ['GET', '/upstreams/none', undefined],
    ['PATCH', '/upstreams/none', { desc: 'x' }],
    ['DELETE', '/upstreams/none', undefined],
    ['GET', '/ssls/none', undefined],
  ] as const) {
    const answer = await admin.call(method, path, body)
    assert.deepEqual([answer.status, answer.text], [404, '{"message":"Key not found"}\n'], method)
  }
})

test('an empty list has no items, and a list has all of them', async () => {
  assert.equal((await admin.call('GET', '/ssls')).text, '{"list":[],"total":0}\n')
  const { list, total } = (await admin.call('GET', '/upstreams')).json() as {
    list: { key: string; value: object; createdIndex: number; modifiedIndex: number }[]
    total: number
  }
  assert.equal(total, 1)
  assert.deepEqual(Object.keys(list[0] ?? {}), ['key', 'value', 'createdIndex', 'modifiedIndex'])
})

test('a POST makes an id of twenty digits', async () => {
  const { status, text } = await admin.call('POST', '/upstreams', upstream)
  assert.equal(status, 201)
  const { key, value } = JSON.parse(text) as { key: string; value: { id: string } }
  assert.match(value.id, /^\d{20}$/)
  assert.equal(key, `/apisix/upstreams/${value.id}`)
  assert.equal((await admin.call('GET', `/upstreams/${value.id}`)).status, 200)
})

test('a delete tells what it deleted as text, and then it is gone', async () => {
  await admin.call('PUT', '/upstreams/gone', upstream)
  const deleted = await admin.call('DELETE', '/upstreams/gone')
  assert.deepEqual([deleted.status, deleted.text], [200, '{"deleted":"1","key":"/apisix/upstreams/gone"}\n'])
  assert.equal((await admin.call('GET', '/upstreams/gone')).status, 404)
})

test('a PUT replaces the whole value, keeps the time it was made and sets the time of change', async () => {
  await admin.call('PUT', '/services/times', { name: 'a', desc: 'old' })
  clock = now + 60
  const { text } = await admin.call('PUT', '/services/times', { name: 'b' })
  clock = now
  const value = `{"id":"times","name":"b","create_time":${now},"update_time":${now + 60}}`
  assert.equal(text, `{"key":"/apisix/services/times","value":${value}}\n`)
})

test('an id may come from the body alone, also as a number', async () => {
  const answer = await admin.call('PUT', '/services', { id: 77, name: 'x' })
  assert.equal(answer.status, 201)
  assert.equal(answer.text, `{"key":"/apisix/services/77","value":{"id":77,"name":"x",${times}}}\n`)
  assert.equal((await admin.call('PUT', '/services/77', { id: 77, name: 'x' })).status, 200)
})

test('labels that a tool uses for itself are kept', async () => {
  const labels = { __ADC_NAME: 'x', __ADC_UPSTREAM_SERVICE_ID: 'y' }
  const { text } = await admin.call('PUT', '/upstreams/labels', { ...upstream, labels })
  assert.deepEqual((JSON.parse(text) as { value: { labels: object } }).value.labels, labels)
})

test('ttl is handed to the store, and a PUT without it makes the key permanent', async () => {
  await admin.call('PUT', '/services/ttl?ttl=5', { name: 'x' })
  assert.deepEqual(admin.source.lastPut, { ttl: 5 })
  await admin.call('PUT', '/services/ttl', { name: 'x' })
  assert.deepEqual(admin.source.lastPut, {})
  await admin.call('POST', '/services?ttl=6', { name: 'x' })
  assert.equal(admin.source.lastPut?.ttl, 6)
  await admin.call('PATCH', '/services/ttl?ttl=7', { name: 'y' })
  assert.equal(admin.source.lastPut?.ttl, 7)
})

test('no warning stands on resources that traffic uses', async () => {
  assert.equal((await admin.call('PUT', '/services/w', { name: 'x' })).headers['warning'], undefined)
  assert.equal((await admin.call('PUT', '/upstreams/w', upstream)).headers['warning'], undefined)
})

test('while stream mode is off every call for stream routes is refused', async (t) => {
  const httpOnly = await startAdminFor(t, { streamEnabled: false })
  for (const method of ['GET', 'PUT', 'POST', 'PATCH', 'DELETE']) {
    const answer = await httpOnly.call(method, '/stream_routes/1', '{}')
    const refused = '{"error_msg":"stream mode is disabled, can not add stream routes"}\n'
    assert.deepEqual([answer.status, answer.text], [400, refused], method)
  }
})
