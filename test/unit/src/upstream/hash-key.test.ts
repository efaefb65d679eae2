/** Keys of hashing balancers: what `hash_on` and `key` make of an exchange. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Exchange } from '../../../../src/exchange/exchange.ts'
import { compileHashKey } from '../../../../src/upstream/hash-key.ts'

const exchange = (variables: Record<string, string>) =>
  ({ variable: (name: string) => ({ remote_addr: '192.0.2.7', ...variables })[name] }) as unknown as Exchange

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
