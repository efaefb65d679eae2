/** Chains for consumers: made once, bounded, and let go of when anything that they are made of changes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attachSharedWindows, createSharedWindows } from '../../../../src/base/shared-windows.ts'
import type { Chain } from '../../../../src/plugin/chain.ts'
import { PluginHost } from '../../../../src/plugin/host.ts'
import { mergeLayers } from '../../../../src/plugin/merge.ts'
import type { AnyPlugin } from '../../../../src/plugin/plugin.ts'
import { ConsumerChains } from '../../../../src/snapshot/consumer-chains.ts'
import { ConsumerIndex } from '../../../../src/snapshot/consumer-index.ts'
import { pluginOf } from '../../../support/resource-checks.ts'

const windows = attachSharedWindows(createSharedWindows(64), 0)

function setUp(maxChains = 100) {
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const working = (name: string): AnyPlugin =>
    pluginOf(name, 'http', { create: () => ({ rewrite: () => undefined, access: () => undefined }) })
  const host = new PluginHost({
    plugins: [pluginOf('key-auth', 'http', { type: 'auth' }), working('a'), working('b')],
    counters: { open: () => undefined },
    windows,
    log,
    compileFilter: () => () => true,
  })
  const retired: Chain[] = []
  const consumers = new ConsumerIndex({ host, log })
  const chains = new ConsumerChains({
    host,
    consumers,
    retired: (chain) => void retired.push(chain),
    maxChains,
  })
  const info = (username: string) => ({ username, groupId: undefined, credentialId: undefined, labels: {} })
  return {
    chains,
    consumers,
    retired,
    route: (id: string) => {
      const plugins = mergeLayers({ origin: `routes/${id}`, plugins: { 'key-auth': {}, a: {} } })
      return { id, plugins, chain: host.mergedChain(`routes/${id}`, plugins) }
    },
    put: (username: string, plugins: object, more: object = {}) =>
      consumers.put('consumers', username, { username, plugins, ...more } as never),
    info,
  }
}

test('a consumer without plugins of its own has the chain of the route', () => {
  const { chains, route, put, info } = setUp()
  put('jack', { 'key-auth': { key: 'one' } })
  const one = route('1')
  assert.deepEqual(chains.of(one, info('jack')), { chain: one.chain, lateRewrite: undefined, missing: undefined })
  assert.equal(chains.size, 0)
})

test('a chain is made once for a route and a consumer', () => {
  const { chains, route, put, info } = setUp()
  put('jack', { b: {} })
  const [one, two] = [route('1'), route('2')]
  const made = chains.of(one, info('jack'))
  assert.deepEqual(made.chain.names, ['key-auth', 'a', 'b'])
  assert.equal(made.lateRewrite?.length, 1)
  assert.equal(chains.of(one, info('jack')), made)
  assert.notEqual(chains.of(two, info('jack')), made)
  assert.equal(chains.size, 2)
})

test('consumers that have only their group share its chain', () => {
  const { chains, consumers, route, put, info } = setUp()
  consumers.put('consumer_groups', 'g', { plugins: { b: {} } })
  put('jack', {}, { group_id: 'g' })
  put('joe', {}, { group_id: 'g' })
  const one = route('1')
  assert.equal(chains.of(one, info('jack')), chains.of(one, info('joe')))
})

test('a missing group is told', () => {
  const { chains, route, put, info } = setUp()
  put('jack', {}, { group_id: 'g' })
  assert.equal(chains.of(route('1'), info('jack')).missing, 'the consumer group g of consumer jack does not exist')
})

test('a chain is retired when its consumer, its group or its route goes', () => {
  const { chains, consumers, route, put, info, retired } = setUp()
  consumers.put('consumer_groups', 'g', { plugins: { b: {} } })
  put('jack', { b: {} })
  put('joe', {}, { group_id: 'g' })
  const one = route('1')
  const [jacks, joes] = [chains.of(one, info('jack')).chain, chains.of(one, info('joe')).chain]
  put('jack', { a: {} })
  assert.deepEqual(retired, [jacks])
  consumers.put('consumer_groups', 'g', { plugins: { b: { count: 1 } } })
  assert.deepEqual(retired, [jacks, joes])
  const next = chains.of(one, info('jack')).chain
  chains.forget(one)
  assert.deepEqual(retired, [jacks, joes, next])
  assert.equal(chains.size, 0)
})

test('no more than so many are kept, and the one used lately stays', () => {
  const { chains, route, put, info, retired } = setUp(3)
  const one = route('1')
  for (let i = 0; i < 10; i++) put(`c${i}`, { b: {} })
  const first = chains.of(one, info('c0'))
  for (let i = 1; i < 10; i++) {
    chains.of(one, info(`c${i}`))
    assert.equal(chains.of(one, info('c0')), first)
  }
  assert.equal(chains.size, 3)
  assert.equal(retired.length, 7)
})

test('other plugins make every chain anew', () => {
  const { chains, route, put, info, retired } = setUp()
  put('jack', { b: {} })
  const one = route('1')
  const before = chains.of(one, info('jack'))
  chains.clear()
  assert.deepEqual(retired, [before.chain])
  assert.notEqual(chains.of(one, info('jack')), before)
})
