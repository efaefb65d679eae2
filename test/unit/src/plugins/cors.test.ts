import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cors } from '../../../../src/plugins/cors.ts'
import type { TestRequest } from '../../../support/http-exchange.ts'
import { PluginBench, type UpstreamAnswer } from '../../../support/plugin-bench.ts'

const metadata = { cors: { allow_origins: { key_1: 'http://meta.test' } } }

async function ask(conf: object, asked: TestRequest = {}, upstream: UpstreamAnswer = {}) {
  const bench = new PluginBench([cors], { metadata })
  const passage = await bench.run({ cors: { ...conf } }, asked, upstream)
  bench.close()
  return passage
}

const from = (origin: string) => ({ headers: { origin } })

test('without settings any origin may read, without credentials', async () => {
  const { headers, body } = await ask({}, from('http://a.test'))
  assert.equal(body, 'upstream')
  assert.equal(headers.get('access-control-allow-origin'), '*')
  assert.equal(headers.get('access-control-allow-methods'), '*')
  assert.equal(headers.get('access-control-allow-headers'), '*')
  assert.equal(headers.get('access-control-max-age'), '5')
  assert.equal(headers.get('access-control-allow-credentials'), undefined)
  assert.equal(headers.get('vary'), undefined)
})

test('a preflight is answered at once, with an empty body', async () => {
  const { status, body, answer, headers } = await ask({}, { method: 'OPTIONS', ...from('http://a.test') })
  assert.deepEqual([status, body, answer?.status], [200, '', 200])
  assert.equal(headers.get('access-control-allow-origin'), '*')
})

const origins: readonly [conf: object, origin: string, allowed: string | undefined][] = [
  [{ allow_origins: 'http://a.test,http://b.test' }, 'http://b.test', 'http://b.test'],
  [{ allow_origins: 'http://a.test,http://b.test' }, 'http://c.test', undefined],
  [{ allow_origins: '**' }, 'http://x.test', 'http://x.test'],
  [{ allow_origins_by_regex: ['^http://.*\\.a\\.test$'] }, 'http://x.a.test', 'http://x.a.test'],
  [{ allow_origins_by_regex: ['^http://.*\\.a\\.test$'] }, 'http://b.test', undefined],
  [{ allow_origins: 'http://c.test', allow_origins_by_regex: ['b'] }, 'http://c.test', 'http://c.test'],
  [{ allow_origins: 'http://c.test', allow_origins_by_metadata: ['key_1'] }, 'http://meta.test', 'http://meta.test'],
  [{ allow_origins: 'http://c.test', allow_origins_by_metadata: ['key_2'] }, 'http://meta.test', undefined],
]

for (const [conf, origin, allowed] of origins) {
  test(`${origin} under ${JSON.stringify(conf)} is ${allowed === undefined ? 'not allowed' : 'allowed'}`, async () => {
    const { headers } = await ask(conf, from(origin))
    assert.equal(headers.get('access-control-allow-origin'), allowed)
    assert.equal(headers.has('access-control-allow-methods'), allowed !== undefined)
  })
}

test('caches are told that the answer depends on the origin, where it does', async () => {
  const { headers } = await ask({ allow_origins: 'http://a.test' }, from('http://a.test'), {
    headers: { vary: 'Accept' },
  })
  assert.equal(headers.get('vary'), 'Accept, Origin')
})

test('with two stars methods are all, and fields those that were asked for', async () => {
  const conf = { allow_origins: '**', allow_methods: '**', allow_headers: '**', allow_credential: true }
  const headers = { origin: 'http://a.test', 'access-control-request-headers': 'X-One,X-Two' }
  const passage = await ask(conf, { method: 'OPTIONS', headers })
  const sent = passage.headers
  assert.equal(sent.get('access-control-allow-methods'), 'GET,POST,PUT,DELETE,PATCH,HEAD,OPTIONS,CONNECT,TRACE')
  assert.equal(sent.get('access-control-allow-headers'), 'X-One,X-Two')
  assert.equal(sent.get('access-control-allow-credentials'), 'true')
})

test("the endpoint's own fields are replaced", async () => {
  const upstream = { headers: { 'access-control-allow-origin': 'http://old', 'access-control-expose-headers': 'X' } }
  const { headers } = await ask({ expose_headers: 'X-B' }, from('http://a.test'), upstream)
  assert.deepEqual(headers.all('access-control-allow-origin'), ['*'])
  assert.deepEqual(headers.all('access-control-expose-headers'), ['X-B'])
})

test('origins may be allowed to see timings apart from all else', async () => {
  const conf = { timing_allow_origins: 'http://t.test', timing_allow_origins_by_regex: ['^http://u'] }
  assert.equal((await ask(conf, from('http://t.test'))).headers.get('timing-allow-origin'), 'http://t.test')
  assert.equal((await ask(conf, from('http://u.test'))).headers.get('timing-allow-origin'), 'http://u.test')
  assert.equal((await ask(conf, from('http://v.test'))).headers.get('timing-allow-origin'), undefined)
})
