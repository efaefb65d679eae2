/** Stream routes: APISIX's fields and Sluice's own, what is refused, and the normal form. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../src/base/json.ts'
import { checkOf, pluginOf } from '../../../support/resource-checks.ts'

const upstream = { nodes: { '127.0.0.1:1995': 1 }, type: 'roundrobin' }
const check = checkOf({ plugins: [pluginOf('limit-conn', 'stream')] })

const accepted: readonly JsonObject[] = [
  {},
  { upstream },
  { upstream_id: 1, remote_addr: '127.0.0.1', server_addr: '10.0.0.0/8', server_port: 9100, sni: 'a.com' },
  { service_id: 's', remote_addr: '::1', server_addr: 'fe80::/10' },
  { upstream, priority: 5, vars: [['remote_addr', '==', '127.0.0.1']] },
  { upstream, snis: ['a.com', '*.b.com'], tls_passthrough: true },
  { upstream, server_ports: [1, 65535], server_addrs: ['10.0.0.1'], remote_addrs: ['10.0.0.0/8', '::/0'] },
  { upstream, plugins: { 'limit-conn': { count: 1 } }, name: 'n', desc: 'd', labels: { a: 'b' } },
]
for (const value of accepted) {
  test(`a stream route ${JSON.stringify(value)} is accepted`, () => {
    assert.equal(check.check('stream_routes', '1', value), undefined)
  })
}

const schemaFaults: readonly (readonly [JsonObject, string])[] = [
  [{ uri: '/' }, 'additional properties forbidden, found uri'],
  [{ server_port: 0 }, 'property "server_port" validation failed: expected 0 to be at least 1'],
  [{ server_port: 65536 }, 'property "server_port" validation failed: expected 65536 to be at most 65535'],
  [{ server_port: '1' }, 'property "server_port" validation failed: wrong type: expected integer, got string'],
  [{ remote_addr: 'localhost' }, 'property "remote_addr" validation failed: object matches none of the required'],
  [{ server_ports: [] }, 'property "server_ports" validation failed: expect array to have at least 1 items'],
  [
    { server_ports: [1, 2, 1] },
    'property "server_ports" validation failed: expected unique items but items 1 and 3 are equal',
  ],
  [{ priority: 1.5 }, 'property "priority" validation failed: wrong type: expected integer, got number'],
  [
    { upstream: { type: 'roundrobin' } },
    'property "upstream" validation failed: value should match only one schema, but matches none',
  ],
  [
    { upstream: { nodes: { 'a:1': 'x' } } },
    'property "upstream" validation failed: property "nodes" validation failed: object matches none of the required',
  ],
  [{ plugins: 'x' }, 'property "plugins" validation failed: wrong type: expected object, got string'],
  [{ protocol: {} }, 'property "protocol" validation failed: property "name" is required'],
  [{ upstream_id: '' }, 'property "upstream_id" validation failed: object matches none of the required'],
]
for (const [value, message] of schemaFaults) {
  test(`a stream route ${JSON.stringify(value)} is refused by its schema`, () => {
    assert.equal(check.check('stream_routes', '1', value), `invalid configuration: ${message}`)
  })
}

const otherFaults: readonly (readonly [JsonObject, string])[] = [
  [{ sni: 'a', snis: ['b'] }, 'only one of sni or snis is allowed'],
  [{ remote_addr: '::1', remote_addrs: ['::2'] }, 'only one of remote_addr or remote_addrs is allowed'],
  [{ server_addr: '::1', server_addrs: ['::2'] }, 'only one of server_addr or server_addrs is allowed'],
  [{ server_port: 1, server_ports: [2] }, 'only one of server_port or server_ports is allowed'],
  [{ tls_passthrough: true }, 'tls_passthrough needs sni or snis'],
  [{ remote_addr: '::1/200' }, 'invalid ip address: ::1/200'],
  [{ vars: [['a', '=', 1]] }, "failed to validate the 'vars' expression: invalid operator '='"],
  [{ upstream: { ...upstream, type: 'chash' } }, 'missing key'],
  [{ protocol: { name: 'redis' } }, 'protocol: xRPC is not built in this version'],
  [{ protocol: { name: 'redis', superior_id: 1 } }, 'stream route can not set itself as superior_id'],
  [
    { upstream: { ...upstream, checks: { active: {} } } },
    'upstream.checks: active health checks are not built in this version',
  ],
  [{ plugins: { nope: {} } }, 'unknown plugin [nope]'],
  [{ plugins: { 'limit-count': {} } }, 'unknown plugin [limit-count]'],
  [{ plugins: { 'mqtt-proxy': {} } }, 'plugin [mqtt-proxy] is not built in this version'],
  [
    { plugins: { 'limit-conn': { count: 0 } } },
    'failed to check the configuration of stream plugin [limit-conn]: ' +
      'property "count" validation failed: expected 0 to be at least 1',
  ],
  [
    { plugins: { 'limit-conn': { key: '$secret://vault/1/k' } } },
    'plugins.limit-conn.key: references to secret managers are not built in this version',
  ],
]
for (const [value, message] of otherFaults) {
  test(`a stream route ${JSON.stringify(value)} is refused: ${message}`, () => {
    assert.equal(check.check('stream_routes', '1', value), message)
  })
}

test('a subordinate route must speak the protocol of its superior', () => {
  const stored = { 'stream_routes/9': { protocol: { name: 'redis' } } }
  const value = { protocol: { name: 'dubbo', superior_id: '9' } }
  assert.equal(
    checkOf({ stored }).check('stream_routes', '1', value),
    'protocol mismatch: subordinate protocol [dubbo] does not match superior protocol [redis]',
  )
})

test('the normal form has lists for everything that is matched, and names in lower case', () => {
  const value = {
    id: 1,
    create_time: 1,
    desc: 'd',
    name: 'n',
    upstream_id: 2,
    service_id: 3,
    server_port: 9100,
    server_addr: '127.0.0.1',
    remote_addr: '10.0.0.0/8',
    sni: 'A.Com.',
    vars: [],
  }
  assert.deepEqual(check.normalize('stream_routes', '1', value), {
    id: '1',
    name: 'n',
    upstream_id: '2',
    service_id: '3',
    server_ports: [9100],
    server_addrs: ['127.0.0.1'],
    remote_addrs: ['10.0.0.0/8'],
    snis: ['a.com'],
    vars: [],
    priority: 0,
    tls_passthrough: false,
  })
})

test('the normal form has empty lists for what matches anything, and plugins with their defaults', () => {
  const value = { upstream, plugins: { 'limit-conn': {} }, snis: ['B.com'], server_ports: [1, 2], priority: 3 }
  assert.deepEqual(check.normalize('stream_routes', '1', value), {
    id: '1',
    upstream: {
      type: 'roundrobin',
      hash_on: 'vars',
      scheme: 'http',
      pass_host: 'pass',
      retry_timeout: 0,
      nodes: [{ host: '127.0.0.1', port: 1995, weight: 1, priority: 0 }],
    },
    plugins: { 'limit-conn': { key: 'remote_addr' } },
    server_ports: [1, 2],
    server_addrs: [],
    remote_addrs: [],
    snis: ['b.com'],
    priority: 3,
    tls_passthrough: false,
  })
})
