/** Keys of hashing balancers: what `hash_on` and `key` make of an exchange. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Exchange } from '../../../../src/exchange/exchange.ts'
import { compileHashKey } from '../../../../src/upstream/hash-key.ts'
import { httpExchange, type TestRequest } from '../../../support/http-exchange.ts'

const exchange = (variables: Record<string, string>) => {
  const read = (name: string) => ({ remote_addr: '192.0.2.7', ...variables })[name]
  return { variable: read, value: read } as unknown as Exchange
}

const cases: readonly (readonly [string, string | undefined, Record<string, string>, string])[] = [
  ['vars', 'server_port', { server_port: '9100' }, '9100'],
  ['vars', 'remote_addr', {}, '192.0.2.7'],
  ['vars', 'no_such', {}, '192.0.2.7'],
  ['vars', 'sni', { sni: '' }, '192.0.2.7'],
  ['header', 'X-User-Id', { http_x_user_id: 'jack' }, 'jack'],
  ['header', 'X-User-Id', {}, '192.0.2.7'],
  ['cookie', 'session', { cookie_session: 'abc' }, 'abc'],
  ['consumer', undefined, { consumer_name: 'jack' }, 'jack'],
  ['consumer', undefined, {}, '192.0.2.7'],
  ['vars_combinations', '$sni|$server_port', { sni: 'a.test', server_port: '9100' }, 'a.test|9100'],
  ['vars_combinations', '$sni|$server_port', { server_port: '9100' }, '|9100'],
  ['vars_combinations', '$sni|$nothing', {}, '192.0.2.7'],
]

for (const [hash_on, key, variables, expected] of cases) {
  test(`${hash_on} ${key ?? ''} of ${JSON.stringify(variables)} is ${expected}`, () => {
    const hashKey = compileHashKey(key === undefined ? { hash_on } : { hash_on, key })
    assert.equal(hashKey(exchange(variables)), expected)
  })
}

const requests: readonly (readonly [string, string, TestRequest, string])[] = [
  ['vars', 'uri', { target: '/a%20b?x=1' }, '/a b'],
  ['vars', 'request_uri', { target: '/a?x=1' }, '/a?x=1'],
  ['vars', 'query_string', { target: '/a?x=1&y' }, 'x=1&y'],
  ['vars', 'arg_user', { target: '/?user=j%C3%B6rg' }, 'jörg'],
  ['vars', 'arg_user', { target: '/' }, '127.0.0.1'],
  ['vars', 'host', { host: 'A.test:9080' }, 'a.test'],
  ['vars', 'remote_port', { remotePort: 4711 }, '4711'],
  ['header', 'X_User-Id', { headers: { 'x-user-id': 'jack' } }, 'jack'],
  ['header', 'X-User', { headers: { 'X-User': Buffer.from('jörg').toString('latin1') } }, 'jörg'],
  ['cookie', 'Session', { headers: { Cookie: 'session=no; Session=yes' } }, 'yes'],
  ['consumer', '', {}, '127.0.0.1'],
  ['vars_combinations', '$http_x_a$cookie_b', { headers: { 'X-A': '1', Cookie: 'b=2' } }, '12'],
  ['vars_combinations', '$arg_none-$http_none', {}, '127.0.0.1'],
]
for (const [hash_on, key, asked, expected] of requests) {
  test(`${hash_on} ${key} of the request ${JSON.stringify(asked)} is ${expected}`, () => {
    assert.equal(compileHashKey({ hash_on, key })(httpExchange(asked)), expected)
  })
}

test('who was found to call is the key of its own', () => {
  const asked = httpExchange()
  asked.consumer = { username: 'jack', groupId: undefined, credentialId: undefined, labels: {} }
  assert.equal(compileHashKey({ hash_on: 'consumer' })(asked), 'jack')
})
