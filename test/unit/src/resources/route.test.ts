/** HTTP routes and services as they are stored: what APISIX accepts, what it refuses, what Lua there is not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../src/base/json.ts'
import { checkOf, pluginOf } from '../../../support/resource-checks.ts'

const upstream = { nodes: { '127.0.0.1:1980': 1 }, type: 'roundrobin' }
const check = checkOf({ plugins: [pluginOf('limit-conn', 'stream'), pluginOf('redirect', 'http')] })

const accepted: readonly JsonObject[] = [
  { uri: '/*', upstream },
  { uris: ['/a', '/b/*'], upstream_id: '1', methods: ['GET', 'PURGE'], hosts: ['*.a.com', 'b.com'] },
  { uri: '/', service_id: 1, remote_addrs: ['10.0.0.0/8'], priority: -1, enable_websocket: true, status: 0 },
  { uri: '/', plugins: { redirect: {} }, vars: [['arg_a', '==', '1']], timeout: { connect: 1, send: 1, read: 1 } },
  { uri: '/', plugin_config_id: 1, upstream, script_id: 'x', host: '*' },
]
for (const value of accepted) {
  test(`a route ${JSON.stringify(value)} is accepted`, () => {
    assert.equal(check.check('routes', '1', value), undefined)
  })
}

const invalid = 'invalid configuration: '
const onlyOneSchema = 'value should match only one schema, but matches'
const refused: readonly (readonly [JsonObject, string])[] = [
  [{ upstream }, `${invalid}allOf 1 failed: ${onlyOneSchema} none`],
  [{ uri: '/', uris: ['/'], upstream }, `${invalid}allOf 1 failed: ${onlyOneSchema} both schemas 1 and 2`],
  [
    { uri: '/' },
    `${invalid}object matches none of the required: ["plugins","uri"] or ["upstream","uri"] or ["upstream_id","uri"] or ` +
      '["service_id","uri"] or ["plugins","uris"] or ["upstream","uris"] or ["upstream_id","uris"] or ' +
      '["service_id","uris"] or ["script","uri"] or ["script","uris"]',
  ],
  [{ uri: 1, upstream }, `${invalid}property "uri" validation failed: wrong type: expected string, got number`],
  [{ uri: '', upstream }, `${invalid}property "uri" validation failed: string too short, expected at least 1, got 0`],
  [
    { uri: '/', methods: ['GET', 'FETCH'], upstream },
    `${invalid}property "methods" validation failed: failed to validate item 2: matches none of the enum values`,
  ],
  [{ uri: '/', upstream, status: 2 }, `${invalid}property "status" validation failed: matches none of the enum values`],
  [{ uri: '/', upstream, xxx: 1 }, `${invalid}additional properties forbidden, found xxx`],
  [
    { uri: '/', hosts: [], upstream },
    `${invalid}property "hosts" validation failed: expect array to have at least 1 items`,
  ],
  [
    { uri: '/', host: '*.*.a.com', upstream },
    `${invalid}property "host" validation failed: failed to match pattern ` +
      '"^\\\\*$|^\\\\*?[0-9a-zA-Z-._\\\\[\\\\]:]+$" with "*.*.a.com"',
  ],
  [{ uri: '/', script: 'local _M = {}', plugins: {} }, `${invalid}value wasn't supposed to match schema`],
  [{ uri: '/', host: 'a', hosts: ['b'], upstream }, 'only one of host or hosts is allowed'],
  [
    { uri: '/', remote_addr: '::1', remote_addrs: ['::2'], upstream },
    'only one of remote_addr or remote_addrs is allowed',
  ],
  [{ uri: '/', upstream, vars: [['a', '=', 1]] }, "failed to validate the 'vars' expression: invalid operator '='"],
  [
    { uri: '/', upstream: { ...upstream, pass_host: 'rewrite' } },
    "`upstream_host` can't be empty when `pass_host` is `rewrite`",
  ],
  [{ uri: '/', upstream, filter_func: 'function(vars) return true end' }, 'filter_func: Lua code is not run here'],
  [{ uri: '/', script: 'local _M = {}' }, 'script: Lua code is not run here'],
  [{ uri: '/', plugins: { 'limit-count': {} } }, 'plugin [limit-count] is not built in this version'],
  [{ uri: '/', plugins: { 'limit-conn': {} } }, 'plugin [limit-conn] is not built in this version'],
  [
    { uri: '/', plugins: { redirect: { count: 0 } } },
    'failed to check the configuration of plugin redirect err: property "count" validation failed: expected 0 to be at least 1',
  ],
]
for (const [value, message] of refused) {
  test(`a route ${JSON.stringify(value).slice(0, 100)} is refused`, () => {
    assert.equal(check.check('routes', '1', value), message)
  })
}

test('the normal form of a route has hosts in lower case, ids as text and defaults', () => {
  const value = { id: 1, uri: '/', hosts: ['A.com', '*.B.com.'], service_id: 2, plugin_config_id: 3, upstream_id: 4 }
  assert.deepEqual(check.normalize('routes', '1', value), {
    id: '1',
    uri: '/',
    hosts: ['a.com', '*.b.com'],
    service_id: '2',
    plugin_config_id: '3',
    upstream_id: '4',
    priority: 0,
    status: 1,
  })
  assert.equal(check.normalize('routes', '1', { uri: '/', host: 'A.com', upstream })['host'], 'a.com')
})

test('nothing is required of a service', () => {
  assert.equal(check.check('services', '1', {}), undefined)
  assert.equal(check.check('services', '1', { hosts: ['a.com'], enable_websocket: true, upstream_id: 1 }), undefined)
})

test('a service takes plugins of either subsystem, since routes of both may share it', () => {
  assert.equal(check.check('services', '1', { plugins: { 'limit-conn': {}, redirect: {} } }), undefined)
  assert.equal(
    check.check('services', '1', { plugins: { 'limit-conn': { count: 0 } } }),
    'failed to check the configuration of plugin limit-conn err: ' +
      'property "count" validation failed: expected 0 to be at least 1',
  )
  assert.equal(check.check('services', '1', { plugins: { cors: {} } }), 'plugin [cors] is not built in this version')
})

test('a service is refused for what is wrong with its upstream', () => {
  assert.equal(check.check('services', '1', { upstream: { ...upstream, type: 'chash' } }), 'missing key')
  assert.equal(check.check('services', '1', { script: 'local _M = {}' }), 'script: Lua code is not run here')
})

test('the normal form of a service has its upstream in normal form and its plugins with defaults', () => {
  const value = { id: 5, name: 's', hosts: ['A.com'], upstream, plugins: { 'limit-conn': {} } }
  assert.deepEqual(check.normalize('services', '5', value), {
    id: '5',
    name: 's',
    hosts: ['a.com'],
    plugins: { 'limit-conn': { key: 'remote_addr' } },
    upstream: {
      type: 'roundrobin',
      hash_on: 'vars',
      scheme: 'http',
      pass_host: 'pass',
      retry_timeout: 0,
      nodes: [{ host: '127.0.0.1', port: 1980, weight: 1, priority: 0 }],
    },
  })
})
