import assert from 'node:assert/strict'
import { test } from 'node:test'
import { basicAuth } from '../../../../src/plugins/basic-auth.ts'
import { PluginBench } from '../../../support/plugin-bench.ts'

const consumers = {
  'consumers/foo': { plugins: { 'basic-auth': { username: 'foo', password: 'b ar:baz' } } },
  'consumers/nobody': {},
}
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

async function ask(authorization: string | undefined, conf: object = {}) {
  const bench = new PluginBench([basicAuth], { consumers })
  const headers = authorization === undefined ? {} : { authorization }
  const passage = await bench.run({ 'basic-auth': { ...conf } }, { headers })
  bench.close()
  return passage
}

test('name and password let in; blanks and colons are part of a password', async () => {
  const { status, exchange } = await ask(basic('foo:b ar:baz'))
  assert.equal(status, 200)
  assert.equal(exchange.consumer?.username, 'foo')
  assert.ok(exchange.request.headers.has('authorization'))
  assert.equal((await ask(basic('foo:b ar:baz').replace('Basic', 'bAsIc'))).status, 200)
})

const refusals: readonly [what: string, authorization: string | undefined, message: string][] = [
  ['no field', undefined, 'Missing authorization in request'],
  ['another scheme', 'Bearer abc', 'Invalid authorization in request'],
  ['no base64', 'Basic ??', 'Invalid authorization in request'],
  ['no colon', basic('foo'), 'Invalid authorization in request'],
  ['an unknown name', basic('bar:x'), 'Invalid user authorization'],
  ['a wrong password', basic('foo:bar'), 'Invalid user authorization'],
  ['an empty password of an unknown name', basic('bar:'), 'Invalid user authorization'],
]

for (const [what, authorization, message] of refusals) {
  test(`${what}: ${message}`, async () => {
    const { status, body, headers } = await ask(authorization)
    assert.deepEqual([status, body], [401, `{"message":"${message}"}\n`])
    assert.equal(headers.get('www-authenticate'), 'Basic realm="basic"')
  })
}

test('hidden credentials do not reach the endpoint', async () => {
  const { exchange } = await ask(basic('foo:b ar:baz'), { hide_credentials: true })
  assert.equal(exchange.request.headers.has('authorization'), false)
})

test('who cannot be authenticated is the anonymous consumer', async () => {
  const { exchange } = await ask(basic('foo:wrong'), { anonymous_consumer: 'nobody' })
  assert.equal(exchange.consumer?.username, 'nobody')
})
