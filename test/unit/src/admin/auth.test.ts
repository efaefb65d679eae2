import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Gatekeeper } from '../../../../src/admin/auth.ts'

const gatekeeper = new Gatekeeper([
  { name: 'root', key: 'secret', role: 'admin' },
  { name: 'eyes', key: 'look', role: 'viewer' },
])
const call = (method: string, parts: { query?: string; header?: string; cookies?: string }) =>
  gatekeeper.verdict(method, {
    query: new URLSearchParams(parts.query ?? ''),
    header: parts.header,
    cookies: parts.cookies,
  })

test('the key is found in the query, the header and the cookie', () => {
  for (const parts of [
    { query: 'api_key=secret' },
    { header: 'secret' },
    { cookies: 'x_api_key=secret' },
    { cookies: 'a=b; x_api_key="secret"; c' },
  ]) {
    assert.deepEqual(call('PUT', parts), { allowed: true, name: 'root' })
  }
})

test('the query goes before the header and the header before the cookie, even when it is wrong', () => {
  assert.deepEqual(call('GET', { query: 'api_key=no', header: 'secret' }), {
    allowed: false,
    description: 'wrong apikey',
  })
  assert.deepEqual(call('GET', { header: 'no', cookies: 'x_api_key=secret' }), {
    allowed: false,
    description: 'wrong apikey',
  })
})

test('no key is missing, and an empty key is a wrong one', () => {
  assert.deepEqual(call('GET', {}), { allowed: false, description: 'missing apikey' })
  assert.deepEqual(call('GET', { header: '' }), { allowed: false, description: 'wrong apikey' })
  assert.deepEqual(call('GET', { cookies: 'other=secret' }), { allowed: false, description: 'missing apikey' })
})

test('a viewer may only GET', () => {
  assert.deepEqual(call('GET', { header: 'look' }), { allowed: true, name: 'eyes' })
  for (const method of ['PUT', 'POST', 'PATCH', 'DELETE', 'HEAD']) {
    assert.deepEqual(call(method, { header: 'look' }), {
      allowed: false,
      description: 'invalid method for role viewer',
    })
  }
})
