/** The one check of a resource: the order of its parts, and what writing and loading differ in. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCatalogue } from '../../../../src/plugin/catalogue.ts'
import { kindOf, kinds } from '../../../../src/resources/index.ts'
import type { ResourceKind } from '../../../../src/resources/kind.ts'
import { createResourceCheck } from '../../../../src/snapshot/check.ts'
import { checkOf, lookupOf, pluginOf } from '../../../support/resource-checks.ts'

const plugins = [pluginOf('limit-conn', 'stream')]
const check = checkOf({ plugins })
const nodes = { '127.0.0.1:80': 1 }

test('schema comes first, then meaning, then what is not built, then plugins', () => {
  const everythingWrong = {
    upstream: { nodes, type: 'chash', checks: { active: {} } },
    plugins: { nope: {} },
    xxx: 1,
  }
  const message = (value: object) => check.check('stream_routes', '1', value as typeof everythingWrong)
  assert.equal(message(everythingWrong), 'invalid configuration: additional properties forbidden, found xxx')
  const { xxx, ...meaningless } = everythingWrong
  assert.equal(message(meaningless), 'missing key')
  const unsupported = { ...meaningless, upstream: { ...meaningless.upstream, key: 'remote_addr' } }
  assert.equal(message(unsupported), 'upstream.checks: active health checks are not built in this version')
  assert.equal(message({ upstream: { nodes }, plugins: { nope: {} } }), 'unknown plugin [nope]')
  assert.equal(message({ upstream: { nodes }, plugins: { 'limit-conn': {} } }), undefined)
})

test('a wrong type is told as such even in a part that is not built', () => {
  assert.equal(
    check.check('upstreams', '1', { nodes, checks: 'x' }),
    'invalid configuration: property "checks" validation failed: wrong type: expected object, got string',
  )
})

test('neither checking nor normalising changes the value', () => {
  const value = { upstream: { nodes }, plugins: { 'limit-conn': {} } }
  const before = structuredClone(value)
  check.check('stream_routes', '1', value)
  check.normalize('stream_routes', '1', value)
  assert.deepEqual(value, before)
})

test('the id in normal form is that of the key, whatever the value says', () => {
  assert.equal(check.normalize('upstreams', '7', { id: 'x', nodes })['id'], '7')
})

test('plugin configurations may take texts from the environment', () => {
  const here = checkOf({ plugins, environment: { KEY: 'server_addr' } })
  const value = { plugins: { 'limit-conn': { key: '$env://KEY' } } }
  assert.equal(here.check('stream_routes', '1', value), undefined)
  assert.deepEqual(here.normalize('stream_routes', '1', value)['plugins'], { 'limit-conn': { key: 'server_addr' } })
  assert.deepEqual(check.normalize('stream_routes', '1', value)['plugins'], { 'limit-conn': { key: '$env://KEY' } })
})

test('a kind that is not in the list is refused', () => {
  const parts = { catalogue: createCatalogue({ built: [] }), lookup: lookupOf({}), keyring: [] }
  const narrow = createResourceCheck({ ...parts, kinds: [kindOf('upstreams') as ResourceKind] })
  assert.equal(narrow.check('upstreams', '1', { nodes }), undefined)
  assert.equal(narrow.check('routes', '1', {}), 'unsupported resource type: routes')
})

test('every kind refuses an unknown field, except those whose fields are not its own', () => {
  for (const kind of [
    'routes',
    'stream_routes',
    'services',
    'upstreams',
    'consumers',
    'ssls',
    'protos',
    'global_rules',
  ]) {
    const value = { username: 'u', uri: '/', plugins: {}, id: '1', content: 'x', nodes: {}, zzz: 1 }
    const message = check.check(kind, '1', value) ?? ''
    assert.match(message, /^invalid configuration: (additional properties forbidden, found |then clause)/, kind)
  }
})

test('what is loaded may name plugins that this gateway does not have switched on; what is written may not', () => {
  const catalogue = createCatalogue({ built: plugins, streamEnabled: ['limit-conn', 'my-own'] })
  const parts = { kinds, catalogue, lookup: lookupOf({}), keyring: [] }
  const tolerant = createResourceCheck({ ...parts, passesOverPlugins: true })
  const value = { upstream: { nodes }, plugins: { 'limit-conn': {}, 'another-gateways': {} } }
  assert.equal(tolerant.checkLoaded('stream_routes', '1', value), undefined)
  assert.equal(tolerant.check('stream_routes', '1', value), 'unknown plugin [another-gateways]')
  assert.equal(createResourceCheck(parts).checkLoaded('stream_routes', '1', value), 'unknown plugin [another-gateways]')
  // Asked for by the configuration, and not to be had: to pass it over would open what it was to close.
  const asked = { upstream: { nodes }, plugins: { 'my-own': {} } }
  assert.equal(tolerant.checkLoaded('stream_routes', '1', asked), 'unknown plugin [my-own]')
})
