import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { type RunningAdmin, startAdmin } from '../support/admin-server.ts'

const now = 1_700_000_000
let clock = now
let admin: RunningAdmin
before(async () => {
  admin = await startAdmin({ now: () => clock })
})
after(() => admin.close())
beforeEach(async () => {
  clock = now
  await admin.call('PUT', '/upstreams/1', {
    type: 'roundrobin',
    nodes: { '127.0.0.1:1980': 1 },
    labels: { a: 'b' },
    timeout: { connect: 1, send: 2, read: 3 },
  })
  clock = now + 100
})

async function value(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await admin.call(method, path, body)
  assert.equal(answer.status, 200, answer.text)
  return (JSON.parse(answer.text) as { value: Record<string, unknown> }).value
}

test('the reply is 200 with the whole new value', async () => {
  const { status, text } = await admin.call('PATCH', '/upstreams/1', { desc: 'x' })
  assert.equal(status, 200)
  const nodes = '"nodes":{"127.0.0.1:1980":1},"labels":{"a":"b"},"timeout":{"connect":1,"send":2,"read":3}'
  const expected = `{"id":"1","type":"roundrobin",${nodes},"create_time":${now},"update_time":${now + 100},"desc":"x"}`
  assert.equal(text, `{"key":"/apisix/upstreams/1","value":${expected}}\n`)
})

test('objects merge: one more node, one more label', async () => {
  const changed = await value('PATCH', '/upstreams/1', { nodes: { '127.0.0.1:1981': 2 }, labels: { c: 'd' } })
  assert.deepEqual(changed['nodes'], { '127.0.0.1:1980': 1, '127.0.0.1:1981': 2 })
  assert.deepEqual(changed['labels'], { a: 'b', c: 'd' })
})

test('arrays are replaced', async () => {
  const node = (port: number) => ({ host: '127.0.0.1', port, weight: 1 })
  await admin.call('PUT', '/upstreams/arrays', { nodes: [node(1), node(2)] })
  assert.deepEqual((await value('PATCH', '/upstreams/arrays', { nodes: [node(3)] }))['nodes'], [node(3)])
})

test('null deletes a key, also inside', async () => {
  const changed = await value('PATCH', '/upstreams/1', {
    labels: null,
    nodes: { '127.0.0.1:1980': null, '[::1]:1': 1 },
  })
  assert.equal('labels' in changed, false)
  assert.deepEqual(changed['nodes'], { '[::1]:1': 1 })
})

test('a sub-path is replaced as a whole, with any JSON type', async () => {
  const nodes = { '127.0.0.1:2000': 5 }
  assert.deepEqual((await value('PATCH', '/upstreams/1/nodes', nodes))['nodes'], nodes)
  assert.equal((await value('PATCH', '/upstreams/1/desc', '"text"'))['desc'], 'text')
  assert.deepEqual((await value('PATCH', '/upstreams/1/timeout/read', '9'))['timeout'], {
    connect: 1,
    send: 2,
    read: 9,
  })
})

test('parents that are missing on a sub-path are made', async () => {
  const changed = await value('PATCH', '/upstreams/1/keepalive_pool/size', '7')
  assert.deepEqual(changed['keepalive_pool'], { size: 7 })
})

test('the time of change is now, unless a PATCH of the whole sets it', async () => {
  assert.equal((await value('PATCH', '/upstreams/1', { desc: 'x' }))['update_time'], now + 100)
  const set = await value('PATCH', '/upstreams/1', { create_time: 5, update_time: 6 })
  assert.deepEqual([set['create_time'], set['update_time']], [5, 6])
  assert.equal((await value('PATCH', '/upstreams/1/desc', '"y"'))['update_time'], now + 100)
})

const refused: [what: string, path: string, body: unknown, status: number, text: string][] = [
  ['no body', '/upstreams/1', undefined, 400, '{"error_msg":"missing new configuration"}\n'],
  ['null', '/upstreams/1', 'null', 400, '{"error_msg":"missing new configuration"}\n'],
  ['null below a path', '/upstreams/1/desc', 'null', 400, '{"error_msg":"missing new configuration"}\n'],
  ['no object', '/upstreams/1', '"text"', 400, '{"error_msg":"invalid configuration"}\n'],
  ['an array', '/upstreams/1', '[]', 400, '{"error_msg":"invalid configuration"}\n'],
  ['no id', '/upstreams', '{}', 400, '{"error_msg":"missing upstream id"}\n'],
  ['another id', '/upstreams/1', { id: '2' }, 400, '{"error_msg":"wrong upstream id"}\n'],
  ['a way through text', '/upstreams/1/type/a', '1', 400, '{"error_msg":"invalid sub-path: /type/a"}\n'],
  [
    'a way through a number',
    '/upstreams/1/timeout/read/a',
    '1',
    400,
    '{"error_msg":"invalid sub-path: /timeout/read/a"}\n',
  ],
  [
    'a result that is not valid',
    '/upstreams/1',
    { retries: -1 },
    400,
    '{"error_msg":"invalid configuration: property \\"retries\\" validation failed: expected -1 to be at least 0"}\n',
  ],
  ['a resource that is not there', '/upstreams/9', { desc: 'x' }, 404, '{"message":"Key not found"}\n'],
]
for (const [what, path, body, status, text] of refused) {
  test(`refused: ${what}`, async () => {
    const answer = await admin.call('PATCH', path, body)
    assert.deepEqual([answer.status, answer.text], [status, text])
  })
}

test('who loses a race is told so with 503, and the winner stays', async () => {
  const winner = { id: '1', type: 'roundrobin', nodes: { '127.0.0.1:1': 1 }, desc: 'winner' }
  admin.source.afterRead = () => admin.source.putNow('upstreams', '1', winner)
  const lost = await admin.call('PATCH', '/upstreams/1', { desc: 'loser' })
  assert.deepEqual([lost.status, lost.text], [503, '{"error_msg":"value changed before overwritten"}\n'])
  assert.equal((await value('GET', '/upstreams/1'))['desc'], 'winner')
})

test('a key of a prototype is refused before it does anything', async () => {
  const answer = await admin.call('PATCH', '/upstreams/1', '{"__proto__":{"polluted":1}}')
  assert.equal(answer.status, 400)
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
})
