import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { responseRewrite } from '../../../../src/plugins/response-rewrite.ts'
import { PluginBench, type UpstreamAnswer } from '../../../support/plugin-bench.ts'

async function ask(conf: object, upstream: UpstreamAnswer = {}, target = '/') {
  const bench = new PluginBench([responseRewrite])
  const passage = await bench.run({ 'response-rewrite': { ...conf } }, { target }, upstream)
  bench.close()
  return passage
}

test('status and body of the configuration take the place of those of the answer', async () => {
  const upstream = { headers: { 'content-length': '8', etag: '"a"', 'last-modified': 'x', 'content-encoding': 'gzip' } }
  const { status, body, headers } = await ask({ status_code: 201, body: 'new' }, upstream)
  assert.deepEqual([status, body], [201, 'new'])
  for (const name of ['content-length', 'etag', 'last-modified', 'content-encoding']) {
    assert.equal(headers.has(name), false, name)
  }
})

test('a body in base64 is bytes', async () => {
  const { bytes } = await ask({ body: Buffer.from([0, 255, 1]).toString('base64'), body_base64: true })
  assert.deepEqual([...bytes], [0, 255, 1])
})

test('fields are added, set and removed, with variables in them', async () => {
  const headers = { add: ['X-Add: $arg_a', 'X-Add: two'], set: { 'X-Set': '$status', 'X-N': 5 }, remove: ['X-Old'] }
  const upstream = { headers: { 'x-set': 'old', 'x-old': 'old' } }
  const passage = await ask({ headers }, upstream, '/?a=1')
  assert.deepEqual(passage.headers.all('x-add'), ['1', 'two'])
  assert.deepEqual(passage.headers.all('x-set'), ['200'])
  assert.equal(passage.headers.get('x-n'), '5')
  assert.equal(passage.headers.has('x-old'), false)
  assert.equal(passage.body, 'upstream')
})

test('the flat form of fields sets', async () => {
  const { headers } = await ask({ headers: { 'X-A': 'new' } }, { headers: { 'x-a': 'old' } })
  assert.deepEqual(headers.all('x-a'), ['new'])
})

test('an expression over the answer decides', async () => {
  const conf = { vars: [['status', '==', 404]], body: 'not here' }
  assert.equal((await ask(conf)).body, 'upstream')
  assert.equal((await ask(conf, { status: 404 })).body, 'not here')
})

const edits: readonly [filters: object[], upstream: string[], body: string][] = [
  [[{ regex: 'hello', replace: 'bye' }], ['hello ', 'hello'], 'bye hello'],
  [[{ regex: 'hello', replace: 'bye', scope: 'global' }], ['hel', 'lo hello'], 'bye bye'],
  [[{ regex: '(\\w+) (\\w+)', replace: '$2 $1' }], ['one two'], 'two one'],
  [[{ regex: 'HELLO', replace: 'bye', options: 'i' }], ['hello'], 'bye'],
  [
    [
      { regex: 'a', replace: 'b' },
      { regex: 'b', replace: 'c', scope: 'global' },
    ],
    ['ab'],
    'cc',
  ],
]

for (const [filters, upstream, body] of edits) {
  test(`${upstream.join('|')} under ${JSON.stringify(filters)} becomes ${body}`, async () => {
    assert.equal((await ask({ filters }, { body: upstream })).body, body)
  })
}

test('a compressed body is edited as what it says', async () => {
  const filters = [{ regex: 'one', replace: 'two' }]
  const gzipped = { body: gzipSync('one'), headers: { 'content-encoding': 'gzip' } }
  const passage = await ask({ filters }, gzipped)
  assert.deepEqual([passage.body, passage.headers.has('content-encoding')], ['two', false])
  const strange = { body: 'one', headers: { 'content-encoding': 'zstd' } }
  const left = await ask({ filters }, strange)
  assert.deepEqual([left.body, left.headers.get('content-encoding')], ['one', 'zstd'])
})

test('a body above the limit is left as it is', async () => {
  const filters = [{ regex: 'a', replace: 'b', scope: 'global' }]
  assert.equal((await ask({ filters, max_resp_body_size: 4 }, { body: ['aaa', 'aaa'] })).body, 'aaaaaa')
})
