/** Consumers as auth plugins find them, while the configuration changes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../src/base/json.ts'
import { ConsumerIndex, type ConsumerOverlay } from '../../../../src/snapshot/consumer-index.ts'

function setUp() {
  const faults: unknown[] = []
  const dropped: string[] = []
  const log = { debug() {}, info() {}, warn() {}, error: (fields: object) => void faults.push(fields) }
  const index = new ConsumerIndex({ host: { typeOf: (name) => (name.endsWith('-auth') ? 'auth' : undefined) }, log })
  index.dropped = ({ owner }: ConsumerOverlay) => void dropped.push(owner)
  return {
    index,
    faults,
    dropped,
    consumer: (username: string, plugins: JsonObject, more: JsonObject = {}) =>
      index.put('consumers', username, { id: username, username, plugins, ...more }),
    credential: (username: string, id: string, plugins: JsonObject) =>
      index.put('consumers', `${username}/credentials/${id}`, { id, plugins }),
    /** `jack` or `jack/c1`: whose key it is. */
    whose: (key: string) => {
      const found = index.find('key-auth', 'key', key)?.consumer
      return found && [found.username, found.credentialId].filter(Boolean).join('/')
    },
  }
}

test('a key leads to its consumer, before and after changes', () => {
  const { index, consumer, whose } = setUp()
  assert.equal(index.knows('key-auth'), false)
  consumer('jack', { 'key-auth': { key: 'one' } }, { labels: { team: 'a' } })
  assert.equal(whose('one'), 'jack')
  consumer('joe', { 'key-auth': { key: 'two', n: 1 } })
  assert.equal(whose('two'), 'joe')
  consumer('jack', { 'key-auth': { key: 'three' } })
  assert.deepEqual([whose('one'), whose('three')], [undefined, 'jack'])
  assert.deepEqual(index.find('key-auth', 'key', 'two')?.conf, { key: 'two', n: 1 })
  assert.equal(index.find('key-auth', 'n', '1'), undefined)
  assert.equal(index.find('key-auth', 'constructor', 'one'), undefined)
  index.put('consumers', 'jack', undefined)
  assert.deepEqual([whose('three'), index.named('jack')], [undefined, undefined])
  index.put('consumers', 'joe', undefined)
  assert.equal(index.knows('key-auth'), false)
})

test('a credential is its consumer’s, whichever came first, and nobody’s without one', () => {
  const { index, consumer, credential, whose } = setUp()
  credential('jack', 'c1', { 'key-auth': { key: 'one' } })
  assert.equal(whose('one'), undefined)
  consumer('jack', {}, { group_id: 'g', labels: { custom_id: '1' } })
  assert.deepEqual(index.find('key-auth', 'key', 'one')?.consumer, {
    username: 'jack',
    groupId: 'g',
    credentialId: 'c1',
    labels: { custom_id: '1' },
  })
  consumer('jack', { 'key-auth': { key: 'own' } })
  assert.deepEqual([whose('own'), whose('one')], ['jack', 'jack/c1'])
  index.put('consumers', 'jack/credentials/c1', undefined)
  assert.deepEqual([whose('own'), whose('one')], ['jack', undefined])
})

test('of two with one key the last loaded is meant; an update keeps its place', () => {
  const { index, consumer, credential, whose } = setUp()
  consumer('jack', { 'key-auth': { key: 'one' } })
  assert.equal(whose('one'), 'jack')
  consumer('joe', { 'key-auth': { key: 'one' } })
  assert.equal(whose('one'), 'joe')
  consumer('jack', { 'key-auth': { key: 'one', n: 2 } })
  assert.equal(whose('one'), 'joe')
  credential('jack', 'c1', { 'key-auth': { key: 'one' } })
  assert.equal(whose('one'), 'jack/c1')
  index.put('consumers', 'jack/credentials/c1', undefined)
  index.put('consumers', 'joe', undefined)
  assert.equal(whose('one'), 'jack')
})

test('a secret that cannot be had identifies nobody, not even by its own text', () => {
  const { consumer, whose, faults } = setUp()
  consumer('jack', { 'key-auth': { key: '$env://NOT_SET' }, 'limit-count': { key: '$env://NOT_SET' } })
  assert.equal(whose('$env://NOT_SET'), undefined)
  assert.deepEqual(faults, [{ owner: 'consumers/jack', plugin: 'key-auth' }])
})

test('a consumer brings its plugins over those of its group, and a group alone brings one and the same to all', () => {
  const { index, consumer } = setUp()
  index.put('consumer_groups', 'g', { id: 'g', plugins: { a: { n: 1 }, b: { n: 1 } } })
  consumer('jack', { 'key-auth': { key: 'one' }, a: { n: 2 } }, { group_id: 'g' })
  consumer('joe', { 'key-auth': { key: 'two' } }, { group_id: 'g' })
  consumer('jim', {}, { group_id: 'g' })
  consumer('ann', { 'key-auth': { key: 'three' } })
  assert.deepEqual(index.pluginsOf('jack').overlay, {
    owner: 'consumers/jack',
    plugins: {
      'key-auth': { origin: 'consumers/jack', conf: { key: 'one' } },
      a: { origin: 'consumers/jack', conf: { n: 2 } },
      b: { origin: 'consumer_groups/g', conf: { n: 1 } },
    },
  })
  const shared = index.pluginsOf('joe').overlay
  assert.equal(shared?.owner, 'consumer_groups/g')
  assert.equal(index.pluginsOf('jim').overlay, shared)
  assert.deepEqual(index.pluginsOf('ann'), { overlay: undefined, missing: undefined })
  assert.deepEqual(index.pluginsOf('nobody'), { overlay: undefined, missing: undefined })
})

test('a group that does not exist is told, and found once it does', () => {
  const { index, consumer } = setUp()
  consumer('jack', {}, { group_id: 'g' })
  assert.deepEqual(index.pluginsOf('jack'), {
    overlay: undefined,
    missing: 'the consumer group g of consumer jack does not exist',
  })
  index.put('consumer_groups', 'g', { id: 'g', plugins: { a: {} } })
  assert.equal(index.pluginsOf('jack').overlay?.owner, 'consumer_groups/g')
})

test('a change drops the overlays that are made of what changed, and no others', () => {
  const { index, consumer, dropped } = setUp()
  index.put('consumer_groups', 'g', { id: 'g', plugins: { a: {} } })
  consumer('jack', { b: {} }, { group_id: 'g' })
  consumer('joe', { b: {} })
  const joe = index.pluginsOf('joe').overlay
  const before = index.pluginsOf('jack').overlay
  index.put('consumer_groups', 'g', { id: 'g', plugins: { a: { n: 1 } } })
  assert.deepEqual(dropped, ['consumers/jack', 'consumer_groups/g'])
  assert.notEqual(index.pluginsOf('jack').overlay, before)
  assert.equal(index.pluginsOf('joe').overlay, joe)
  consumer('joe', { b: { n: 1 } })
  assert.deepEqual(dropped.slice(2), ['consumers/joe'])
})

test('ten thousand consumers leave nothing behind', () => {
  const { index, consumer, whose } = setUp()
  for (let i = 0; i < 10_000; i++) consumer(`c${i}`, { 'key-auth': { key: `k${i}` } })
  assert.equal(whose('k9999'), 'c9999')
  for (let i = 0; i < 10_000; i++) index.put('consumers', `c${i}`, undefined)
  assert.deepEqual([whose('k1'), index.knows('key-auth'), index.size], [undefined, false, 0])
})
