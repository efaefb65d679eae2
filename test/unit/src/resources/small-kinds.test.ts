/** The kinds with little in them: global rules, plugin configs, consumer groups, metadata, secrets, protos, costs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../src/base/json.ts'
import { kindOf, kindOfKey, kinds } from '../../../../src/resources/index.ts'
import { checkOf, pluginOf } from '../../../support/resource-checks.ts'

const metadataSchema = { type: 'object', properties: { log_format: { type: 'object' } }, additionalProperties: false }
const plugins = [pluginOf('cors', 'http'), pluginOf('syslog', 'stream', { metadataSchema })]
const stored = { 'global_rules/1': { plugins: { cors: {} } }, 'global_rules/2': {} }
const check = checkOf({ plugins, stored })
const vault = { uri: 'http://127.0.0.1:8200', prefix: 'kv', token: 't' }

const accepted: readonly (readonly [string, string, JsonObject])[] = [
  ['global_rules', '1', { id: '1', plugins: { cors: {} }, create_time: 1, update_time: 2 }],
  ['plugin_configs', '1', { id: 1, plugins: { cors: {} }, name: 'x'.repeat(300), desc: 'd', labels: { a: 'b' } }],
  ['consumer_groups', 'g', { id: 'g', plugins: {}, name: 'n' }],
  ['plugin_metadata', 'syslog', { id: 'syslog', log_format: {} }],
  ['plugin_metadata', 'cors', { anything: 1 }],
  ['secrets', 'vault/1', { ...vault, id: 'vault/1', namespace: 'n' }],
  ['secrets', 'aws/1', { access_key_id: 'a', secret_access_key: 'b', extra: 1 }],
  ['secrets', 'gcp/1', { auth_file: '/a' }],
  ['protos', '1', { content: 'syntax = "proto3";', name: 'n' }],
  ['services', '1/graphql_cost_decorations/2', { field_path: 'Query.user', mul_value: 2, add_arguments: ['n'] }],
]
for (const [kind, id, value] of accepted) {
  test(`${kind} ${id} ${JSON.stringify(value).slice(0, 60)} is accepted`, () => {
    assert.equal(check.check(kind, id, value), undefined)
  })
}

const invalid = 'invalid configuration: '
const refused: readonly (readonly [string, string, JsonObject, string])[] = [
  ['global_rules', '1', { id: '1' }, `${invalid}property "plugins" is required`],
  ['global_rules', '1', { plugins: {} }, `${invalid}property "id" is required`],
  ['global_rules', '1', { id: '1', plugins: {}, name: 'x' }, `${invalid}additional properties forbidden, found name`],
  ['global_rules', '3', { id: '3', plugins: { cors: {} } }, "plugin 'cors' already exists in global rule with id '1'"],
  ['plugin_configs', '1', { id: '1', plugins: { nope: {} } }, 'unknown plugin [nope]'],
  [
    'consumer_groups',
    '1',
    { id: '1', plugins: {}, name: '' },
    `${invalid}property "name" validation failed: string too short, expected at least 1, got 0`,
  ],
  ['plugin_metadata', 'nope', {}, 'invalid plugin name'],
  ['plugin_metadata', 'key-auth', {}, 'plugin [key-auth] is not built in this version'],
  ['plugin_metadata', 'syslog', { x: 1 }, `${invalid}additional properties forbidden, found x`],
  ['secrets', 'mine/1', {}, 'invalid secret manager: mine'],
  ['secrets', 'constructor/1', {}, 'invalid secret manager: constructor'],
  ['secrets', 'vault/1', { uri: vault.uri }, `${invalid}property "prefix" is required`],
  ['secrets', 'gcp/1', {}, `${invalid}value should match only one schema, but matches none`],
  ['protos', '1', {}, `${invalid}property "content" is required`],
  [
    'services',
    '1/graphql_cost_decorations/2',
    { field_path: 'Query.user', add_value: -1 },
    `${invalid}property "add_value" validation failed: expected -1 to be at least 0`,
  ],
  ['nothings', '1', {}, 'unsupported resource type: nothings'],
]
for (const [kind, id, value, message] of refused) {
  test(`${kind} ${id} is refused: ${message}`, () => assert.equal(check.check(kind, id, value), message))
}

test('a loaded global rule may repeat a plugin of another', () => {
  assert.equal(check.checkLoaded('global_rules', '3', { id: '3', plugins: { cors: {} } }), undefined)
})

test('the id of a secret keeps its manager, that of a decoration is its own', () => {
  assert.deepEqual(check.normalize('secrets', 'aws/1', { access_key_id: 'a', secret_access_key: 'b' }), {
    access_key_id: 'a',
    secret_access_key: 'b',
    region: 'us-east-1',
    id: 'aws/1',
  })
  const decoration = check.normalize('services', '1/graphql_cost_decorations/2', { field_path: 'Query.user' })
  assert.deepEqual(decoration, { field_path: 'Query.user', add_value: 1, mul_value: 1, id: '2' })
})

test('kinds are found by collection, and by key where they lie below another', () => {
  assert.equal(kindOf('routes')?.noun, 'route')
  assert.equal(kindOf('nothings'), undefined)
  assert.equal(kindOfKey('consumers', 'jack')?.name, 'consumers')
  assert.equal(kindOfKey('consumers', 'jack/credentials/c')?.name, 'credentials')
  assert.equal(kindOfKey('services', '1/graphql_cost_decorations/2')?.name, 'graphql_cost_decorations')
  assert.equal(kindOfKey('secrets', 'vault/1')?.name, 'secrets')
  assert.equal(kindOfKey('routes', 'a/credentials/c')?.name, 'routes')
})

test('each kind has the methods that the Admin API offers for it', () => {
  const without = (method: 'POST' | 'PATCH') =>
    kinds.filter(({ methods }) => !methods.has(method)).map(({ name }) => name)
  assert.deepEqual(without('PATCH').sort(), ['consumers', 'credentials', 'plugin_metadata', 'protos', 'stream_routes'])
  assert.deepEqual(without('POST').sort(), [
    'consumer_groups',
    'consumers',
    'credentials',
    'global_rules',
    'plugin_configs',
    'plugin_metadata',
    'secrets',
  ])
})
