/** The catalogue: what is known, built and switched on, and what is said of configurations. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json, JsonObject } from '../../../../src/base/json.ts'
import { defaultPlugins, defaultStreamPlugins } from '../../../../src/config/boot-plugins.ts'
import { createCatalogue } from '../../../../src/plugin/catalogue.ts'
import type { PluginsOf } from '../../../../src/plugin/check-plugins.ts'
import type { OtherPlugins } from '../../../../src/plugin/plugin.ts'
import { knownPlugins } from '../../../../src/plugin/plugin-table.ts'
import { pluginOf } from '../../../support/resource-checks.ts'

const limit = pluginOf('limit-conn', 'stream', { priority: 1003 })
const ips = pluginOf('ip-restriction', 'stream', { priority: 3000 })
const cors = pluginOf('cors', 'http', { priority: 4000, metadataSchema: { type: 'object', required: ['a'] } })
const own = pluginOf('my-own', 'stream', { priority: 5 })
const catalogue = createCatalogue({ built: [limit, ips, cors, own] })

test('the table is in the order of priority and says what is on by default, as the configuration file does', () => {
  for (const subsystem of ['http', 'stream'] as const) {
    const table = knownPlugins[subsystem]
    const priorities = table.map(({ priority }) => priority)
    assert.deepEqual(
      priorities,
      [...priorities].sort((left, right) => right - left),
    )
    assert.ok(priorities.every(Number.isInteger))
    const defaults = table.filter(({ onByDefault }) => onByDefault).map(({ name }) => name)
    const expected = subsystem === 'http' ? defaultPlugins : defaultStreamPlugins
    assert.deepEqual([...defaults].sort(), [...expected].sort())
  }
  assert.equal(defaultPlugins.length, 107)
  assert.deepEqual(knownPlugins.http.find(({ name }) => name === 'ext-plugin-post-resp')?.priority, -4000)
})

test('plugins are listed by subsystem, highest priority first', () => {
  assert.deepEqual(catalogue.names('stream'), ['ip-restriction', 'limit-conn', 'my-own'])
  assert.deepEqual(catalogue.enabled('http'), [cors])
})

test('a plugin is found in its own subsystem only', () => {
  assert.equal(catalogue.find('limit-conn', 'stream'), limit)
  assert.equal(catalogue.find('limit-conn', 'http'), undefined)
})

test('only what the configuration names is switched on', () => {
  const narrow = createCatalogue({ built: [limit, ips, own], streamEnabled: ['limit-conn', 'mqtt-proxy'] })
  assert.deepEqual(narrow.names('stream'), ['limit-conn'])
  assert.equal(narrow.check({ 'ip-restriction': {} }, 'stream'), 'unknown plugin [ip-restriction]')
  assert.equal(narrow.check({ 'mqtt-proxy': {} }, 'stream'), 'plugin [mqtt-proxy] is not built in this version')
  assert.deepEqual(createCatalogue({ built: [limit], streamEnabled: [] }).names('stream'), [])
})

test('a name is known if APISIX or this program has such a plugin', () => {
  for (const name of ['limit-count', 'mqtt-proxy', 'my-own', 'skywalking'])
    assert.equal(catalogue.knows(name), true, name)
  for (const name of ['nope', '', 'constructor']) assert.equal(catalogue.knows(name), false, name)
})

test("a user's plugin of the same name takes the place of ours", () => {
  const theirs = pluginOf('limit-conn', 'stream', { priority: 1 })
  const both = createCatalogue({ built: [limit, theirs] })
  assert.equal(both.find('limit-conn', 'stream'), theirs)
  assert.deepEqual(both.names('stream'), ['limit-conn'])
})

const tooSmall = 'property "count" validation failed: expected 0 to be at least 1'
const refused: readonly (readonly [Record<string, Json>, PluginsOf, string])[] = [
  [{ nope: {} }, 'http', 'unknown plugin [nope]'],
  [{ nope: {} }, 'stream', 'unknown plugin [nope]'],
  [{ constructor: {} }, 'http', 'unknown plugin [constructor]'],
  [{ skywalking: {} }, 'http', 'unknown plugin [skywalking]'],
  [{ 'limit-count': {} }, 'http', 'plugin [limit-count] is not built in this version'],
  [{ 'limit-count': {} }, 'stream', 'unknown plugin [limit-count]'],
  [{ 'limit-count': 'x' }, 'http', 'invalid plugin conf "x" for plugin [limit-count]'],
  [{ cors: 'blah' }, 'http', 'invalid plugin conf "blah" for plugin [cors]'],
  [{ cors: null }, 'http', 'invalid plugin conf null for plugin [cors]'],
  [
    { cors: [1] },
    'http',
    'failed to check the configuration of plugin cors err: wrong type: expected object, got table',
  ],
  [{ cors: { count: 0 } }, 'http', `failed to check the configuration of plugin cors err: ${tooSmall}`],
  [{ cors: { count: 0 } }, 'consumer', `failed to check the configuration of plugin cors err: ${tooSmall}`],
  [
    { 'limit-conn': { count: 0 } },
    'stream',
    `failed to check the configuration of stream plugin [limit-conn]: ${tooSmall}`,
  ],
  [
    { 'limit-conn': { count: 0 } },
    'service',
    `failed to check the configuration of plugin limit-conn err: ${tooSmall}`,
  ],
  [{ 'limit-conn': {}, cors: {} }, 'stream', 'unknown plugin [cors]'],
  [
    { cors: { _meta: { x: 1 } } },
    'http',
    'failed to check the configuration of plugin cors err: property "_meta" validation failed: ' +
      'additional properties forbidden, found x',
  ],
  [
    { cors: { _meta: { error_response: 1 } } },
    'http',
    'failed to check the configuration of plugin cors err: property "_meta" validation failed: ' +
      'property "error_response" validation failed: value should match only one schema, but matches none',
  ],
  [
    { cors: { _meta: { filter: ['arg_name', '==', 'json'] } } },
    'http',
    "failed to validate the 'vars' expression: rule should be wrapped inside brackets",
  ],
  [
    { cors: { _meta: { filter: [['arg_name', '*=', 'json']] } } },
    'http',
    "failed to validate the 'vars' expression: invalid operator '*='",
  ],
  [
    { cors: { _meta: { pre_function: 'return function() end' } } },
    'http',
    'failed to load _meta.pre_function in plugin cors: Lua code is not run here',
  ],
]
for (const [plugins, place, message] of refused) {
  test(`${JSON.stringify(plugins)} in ${place} is refused: ${message}`, () => {
    assert.equal(catalogue.check(plugins, place), message)
  })
}

test('_meta may stand in any configuration, also of a plugin that allows no other fields', () => {
  const strict = pluginOf('strict', 'stream', { schema: { type: 'object', additionalProperties: false } })
  const meta = { disable: false, error_response: { message: 'no' }, priority: 10, filter: [['uri', '==', '/']] }
  assert.equal(createCatalogue({ built: [strict] }).check({ strict: { _meta: meta } }, 'stream'), undefined)
})

test('the configuration of a plugin that is switched off need not be valid, but the plugin must exist', () => {
  assert.equal(catalogue.check({ cors: { count: 'x', _meta: { disable: true } } }, 'http'), undefined)
  assert.equal(catalogue.check({ nope: { _meta: { disable: true } } }, 'http'), 'unknown plugin [nope]')
})

test("a plugin's own check sees the defaults and is told like a fault of the schema", () => {
  const picky = pluginOf('picky', 'stream', { check: (conf: JsonObject) => `key is ${conf['key']}` } as object)
  assert.equal(
    createCatalogue({ built: [picky] }).check({ picky: {} }, 'stream'),
    'failed to check the configuration of stream plugin [picky]: key is remote_addr',
  )
})

test('defaults are filled in for what runs, and left alone for what is switched off', () => {
  const plugins = { 'limit-conn': { count: 1, _meta: { priority: 1 } }, 'my-own': { _meta: { disable: true } } }
  assert.deepEqual(catalogue.withDefaults(plugins, 'stream'), {
    'limit-conn': { count: 1, key: 'remote_addr', _meta: { priority: 1 } },
    'my-own': { _meta: { disable: true } },
  })
  assert.equal(Object.hasOwn(plugins['limit-conn'], 'key'), false)
})

test('metadata is checked by the schema of its plugin, and refused for unknown ones', () => {
  assert.equal(catalogue.checkMetadata('cors', { a: 1 }), undefined)
  assert.equal(catalogue.checkMetadata('cors', {}), 'invalid configuration: property "a" is required')
  assert.equal(catalogue.checkMetadata('limit-conn', { anything: 1 }), undefined)
  assert.equal(catalogue.checkMetadata('nope', {}), 'invalid plugin name')
  assert.equal(catalogue.checkMetadata('limit-count', {}), 'plugin [limit-count] is not built in this version')
})

test('a schema is shown with _meta in it', () => {
  const schema = catalogue.schemaFor('cors', 'http') as { properties: JsonObject; $comment: string }
  assert.equal(schema.$comment, 'this is a mark for our injected plugin schema')
  assert.deepEqual(Object.keys(schema.properties), ['count', 'key', '_meta'])
  assert.equal(catalogue.schemaFor('cors', 'http', ''), schema)
  assert.equal(catalogue.schemaFor('cors', 'stream'), undefined)
  assert.equal(catalogue.schemaFor('cors', 'http', 'consumer'), undefined)
  assert.deepEqual(catalogue.schemaFor('cors', 'http', 'metadata'), cors.metadataSchema)
  assert.equal(catalogue.schemaFor('limit-conn', 'stream', 'metadata'), undefined)
})

const keyAuth = pluginOf('key-auth', 'http', {
  type: 'auth',
  priority: 2500,
  consumerSchema: { type: 'object', properties: { key: { type: 'string' } }, required: ['key'] },
  encryptedFields: ['key'],
  checkConsumer: (conf) => (conf['key'] === 'bad' ? 'a bad key' : undefined),
  checkMetadata: (metadata) => (metadata['bad'] === true ? 'bad metadata' : undefined),
})
const authenticating = createCatalogue({ built: [keyAuth, cors] })

test('an auth plugin has another configuration on consumers than on routes', () => {
  const faultAt = (conf: JsonObject, place: PluginsOf) => authenticating.check({ 'key-auth': conf }, place)
  assert.equal(faultAt({}, 'http'), undefined)
  const wrong = 'failed to check the configuration of plugin key-auth err:'
  assert.equal(faultAt({}, 'consumer'), `${wrong} property "key" is required`)
  assert.equal(faultAt({ key: 'bad' }, 'consumer'), `${wrong} a bad key`)
  assert.equal(faultAt({ key: 'good' }, 'consumer'), undefined)
  assert.deepEqual(authenticating.withDefaults({ 'key-auth': { key: 'a' }, cors: {} }, 'consumer'), {
    'key-auth': { key: 'a' },
    cors: { key: 'remote_addr' },
  })
})

test('auth plugins are known as such, those of APISIX also when they are not built', () => {
  const own = createCatalogue({ built: [pluginOf('my-auth', 'http', { type: 'auth' })] })
  assert.deepEqual(
    ['my-auth', 'hmac-auth', 'cors', 'constructor'].map((name) => own.isAuth(name)),
    [true, true, false, false],
  )
})

test('the schema of consumers is shown, and which fields are encrypted where they stand', () => {
  assert.deepEqual(authenticating.schemaFor('key-auth', 'http', 'consumer'), {
    ...keyAuth.consumerSchema,
    encrypt_fields: ['key'],
  })
  assert.equal(authenticating.schemaFor('key-auth', 'http', 'nonsense'), undefined)
  assert.equal(authenticating.schemaFor('cors', 'http')?.['encrypt_fields'], undefined)
})

test('metadata is checked by the plugin itself too, and filled with defaults', () => {
  assert.equal(authenticating.checkMetadata('key-auth', { bad: true }), 'invalid configuration: bad metadata')
  const filled = createCatalogue({
    built: [pluginOf('cors', 'http', { metadataSchema: { type: 'object', properties: { n: { default: 1 } } } })],
  })
  assert.deepEqual(filled.metadataWithDefaults('cors', { a: 1 }), { a: 1, n: 1 })
  assert.deepEqual(filled.metadataWithDefaults('nope', { a: 1 }), { a: 1 })
})

test('a plugin that holds others may ask what is wrong with them', () => {
  const outer = pluginOf('outer', 'http', {
    check: (conf: JsonObject, others: OtherPlugins) =>
      others.typeOf('key-auth') === 'auth' ? others.fault('cors', conf['inner'] as Json) : 'no type',
  } as object)
  const { check } = createCatalogue({ built: [keyAuth, cors, outer] })
  assert.equal(check({ outer: { inner: {} } }, 'http'), undefined)
  assert.equal(
    check({ outer: { inner: { count: 0 } } }, 'http'),
    'failed to check the configuration of plugin outer err: ' +
      `failed to check the configuration of plugin cors err: ${tooSmall}`,
  )
})

test('what the configuration does not ask for is passed over, but not what it asks for in vain', () => {
  const narrow = createCatalogue({ built: [cors], httpEnabled: ['cors', 'my-lua-plugin'] })
  const plugins = { cors: {}, 'my-lua-plugin': {}, 'limit-count': {}, unknown: 1 }
  assert.deepEqual(Object.keys(narrow.askedFor(plugins, 'http')), ['cors', 'my-lua-plugin'])
  assert.equal(narrow.check(narrow.askedFor(plugins, 'http'), 'http'), 'unknown plugin [my-lua-plugin]')
})
