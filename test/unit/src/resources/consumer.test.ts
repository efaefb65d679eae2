/** Consumers and credentials: their form, and the keys that they must not share. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../src/base/json.ts'
import { type CheckOptions, checkOf, pluginOf, type Stored } from '../../../support/resource-checks.ts'

const auth = ['key-auth', 'basic-auth'].map((name) => pluginOf(name, 'http', { schema: { type: 'object' } }))
const keyed = (key: string): JsonObject => ({ plugins: { 'key-auth': { key } } })
const plugins = [...auth, pluginOf('redirect', 'http')]
const fault = (kind: string, id: string, value: JsonObject, options: CheckOptions = {}) =>
  checkOf({ plugins, ...options }).check(kind, id, value)

test('a consumer needs only a name', () => {
  assert.equal(fault('consumers', 'jack', { username: 'jack' }), undefined)
  const value = { username: 'a_b-1', group_id: 1, desc: 'd', labels: { custom_id: 'x' }, id: 'jack', ...keyed('k') }
  assert.equal(fault('consumers', 'a_b-1', value), undefined)
})

const badConsumers: readonly (readonly [JsonObject, string])[] = [
  [{}, 'invalid configuration: property "username" is required'],
  [
    { username: 'a b' },
    'invalid configuration: property "username" validation failed: failed to match pattern "^[a-zA-Z0-9_-]+$" with "a b"',
  ],
  [
    { username: 'a'.repeat(257) },
    'invalid configuration: property "username" validation failed: string too long, expected at most 256, got 257',
  ],
  [{ username: 'a', name: 'x' }, 'invalid configuration: additional properties forbidden, found name'],
  [{ username: 'a', plugins: { nope: {} } }, 'invalid plugins configuration: unknown plugin [nope]'],
  [
    { username: 'a', plugins: { redirect: { count: 0 } } },
    'invalid plugins configuration: failed to check the configuration of plugin redirect err: ' +
      'property "count" validation failed: expected 0 to be at least 1',
  ],
]
for (const [value, message] of badConsumers) {
  test(`a consumer is refused: ${message}`, () => assert.equal(fault('consumers', 'a', value), message))
}

test('a credential has at most one plugin, and that authenticates', () => {
  assert.equal(fault('consumers', 'jack/credentials/c', { desc: 'd', name: 'n', ...keyed('k') }), undefined)
  assert.equal(fault('consumers', 'jack/credentials/c', {}), undefined)
  assert.equal(fault('consumers', 'jack/credentials/c', { id: 'jack/credentials/c' }), undefined)
  assert.equal(
    fault('consumers', 'jack/credentials/c', { plugins: { 'key-auth': {}, 'basic-auth': {} } }),
    'invalid configuration: property "plugins" validation failed: expect object to have at most 1 properties',
  )
  assert.equal(
    fault('consumers', 'jack/credentials/c', { plugins: { redirect: {} } }),
    'only supports auth type plugins in consumer credential',
  )
  assert.equal(
    fault('consumers', 'jack/credentials/c', { username: 'jack' }),
    'invalid configuration: additional properties forbidden, found username',
  )
})

const stored: Stored = {
  'consumers/bob': { username: 'bob', ...keyed('one') },
  'consumers/alex': { username: 'alex', plugins: { 'basic-auth': { username: 'shared' } } },
  'consumers/alex/credentials/c1': keyed('two'),
  'consumers/eve': { username: 'eve' },
}

test('a key that another consumer has is refused with its name', () => {
  assert.equal(
    fault('consumers', 'eve', { username: 'eve', ...keyed('one') }, { stored }),
    'duplicate key of plugin key-auth found with consumer: bob',
  )
  assert.equal(
    fault('consumers', 'eve/credentials/c', { plugins: { 'basic-auth': { username: 'shared' } } }, { stored }),
    'duplicate key of plugin basic-auth found with consumer: alex',
  )
})

test("a key that another consumer's credential has is refused with both names", () => {
  const message = 'duplicate key of plugin key-auth found with credential: c1 of consumer: alex'
  assert.equal(fault('consumers', '', { username: 'eve', ...keyed('two') }, { stored }), message)
  assert.equal(fault('consumers', 'eve/credentials/c', keyed('two'), { stored }), message)
})

test('a consumer and its own credentials may share a key, and may be written again', () => {
  assert.equal(fault('consumers', 'alex', { username: 'alex', ...keyed('two') }, { stored }), undefined)
  assert.equal(fault('consumers', 'alex/credentials/c1', keyed('two'), { stored }), undefined)
})

test('references to secrets are not compared, nor are the values of other plugins', () => {
  const same = { 'consumers/bob': { username: 'bob', ...keyed('$env://K'), extra: {} } }
  assert.equal(fault('consumers', 'eve', { username: 'eve', ...keyed('$env://K') }, { stored: same }), undefined)
  const other = { 'consumers/bob': { username: 'bob', plugins: { redirect: { key: 'one' } } } }
  const value = { username: 'eve', plugins: { redirect: { key: 'one' } } }
  assert.equal(fault('consumers', 'eve', value, { stored: other }), undefined)
})

test('a loaded consumer may have a key twice: the last one loaded counts', () => {
  const check = checkOf({ plugins, stored })
  assert.equal(check.checkLoaded('consumers', 'eve', { username: 'eve', ...keyed('one') }), undefined)
})

test('the id in normal form is the name of the consumer, or the last part of a credential', () => {
  const check = checkOf({ plugins })
  assert.deepEqual(check.normalize('consumers', 'jack', { username: 'jack', group_id: 1, id: 'x' }), {
    username: 'jack',
    group_id: '1',
    id: 'jack',
  })
  assert.deepEqual(check.normalize('consumers', 'jack/credentials/c', { name: 'n' }), { name: 'n', id: 'c' })
})
