import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyAuth } from '../../../../src/plugins/key-auth.ts'
import { PluginBench } from '../../../support/plugin-bench.ts'

const consumers = {
  'consumers/jack': { plugins: { 'key-auth': { key: 'jack-key' } }, labels: { custom_id: '42' } },
  'consumers/rose': {},
  'consumers/rose/credentials/c1': { plugins: { 'key-auth': { key: 'rose-key' } } },
  'consumers/nobody': {},
}
const bench = (): PluginBench => new PluginBench([keyAuth], { consumers })

test('a key in the field or in the query names the consumer, the field first', async () => {
  const run = bench()
  const plugins = { 'key-auth': {} }
  const byField = await run.run(plugins, { headers: { apikey: 'jack-key', 'X-Consumer-Username': 'forged' } })
  assert.equal(byField.status, 200)
  assert.equal(byField.exchange.consumer?.username, 'jack')
  assert.equal(byField.exchange.request.headers.get('x-consumer-username'), 'jack')
  assert.equal(byField.exchange.request.headers.get('x-consumer-custom-id'), '42')
  const byQuery = await run.run(plugins, { target: '/?a=1&apikey=rose-key' })
  assert.equal(byQuery.exchange.consumer?.credentialId, 'c1')
  assert.equal(byQuery.exchange.request.headers.get('x-credential-identifier'), 'c1')
  const both = await run.run(plugins, { target: '/?apikey=rose-key', headers: { apikey: 'jack-key' } })
  assert.equal(both.exchange.consumer?.username, 'jack')
  run.close()
})

test('a key that is missing, empty or unknown is refused by its own message', async () => {
  const run = bench()
  for (const [asked, message] of [
    [{}, 'Missing API key in request'],
    [{ headers: { apikey: '' } }, 'Missing API key in request'],
    [{ target: '/?apikey=' }, 'Missing API key in request'],
    [{ headers: { apikey: 'other' } }, 'Invalid API key in request'],
  ] as const) {
    const { status, body, headers } = await run.run({ 'key-auth': {} }, asked)
    assert.deepEqual([status, body], [401, `{"message":"${message}"}\n`])
    assert.equal(headers.get('www-authenticate'), 'apikey realm="key"')
  }
  run.close()
})

test('other names for field and argument, another realm', async () => {
  const run = bench()
  const plugins = { 'key-auth': { header: 'X-Key', query: 'k', realm: 'inner' } }
  assert.equal((await run.run(plugins, { headers: { 'x-key': 'jack-key' } })).status, 200)
  assert.equal((await run.run(plugins, { target: '/?k=jack-key' })).status, 200)
  const refused = await run.run(plugins, { headers: { apikey: 'jack-key' } })
  assert.equal(refused.headers.get('www-authenticate'), 'apikey realm="inner"')
  run.close()
})

test('hidden credentials do not reach the endpoint, and are left where they were otherwise', async () => {
  const run = bench()
  const hiding = { 'key-auth': { hide_credentials: true } }
  const byField = await run.run(hiding, { headers: { apikey: 'jack-key' } })
  assert.equal(byField.exchange.request.headers.get('apikey'), undefined)
  const byQuery = await run.run(hiding, { target: '/?a=1&apikey=jack-key&b=apikey' })
  assert.equal(byQuery.exchange.request.query, 'a=1&b=apikey')
  const shown = await run.run({ 'key-auth': {} }, { headers: { apikey: 'jack-key' } })
  assert.equal(shown.exchange.request.headers.get('apikey'), 'jack-key')
  run.close()
})

test('who cannot be authenticated is the anonymous consumer, if there is such a one', async () => {
  const run = bench()
  const { exchange } = await run.run({ 'key-auth': { anonymous_consumer: 'nobody' } })
  assert.equal(exchange.consumer?.username, 'nobody')
  const refused = await run.run({ 'key-auth': { anonymous_consumer: 'missing' } })
  assert.deepEqual([refused.status, refused.body], [401, '{"message":"Invalid user authorization"}\n'])
  run.close()
})
