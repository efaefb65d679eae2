/** What stands in the way of a deletion, and what is referred to but not there. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../src/base/json.ts'
import { kindOf } from '../../../../src/resources/index.ts'
import type { ResourceKind } from '../../../../src/resources/kind.ts'
import { danglingReference, usedBy } from '../../../../src/resources/references.ts'
import { lookupOf, type Stored } from '../../../support/resource-checks.ts'

const split = (id: string | number): JsonObject => ({
  plugins: { 'traffic-split': { rules: [{ weighted_upstreams: [{ weight: 1 }, { upstream_id: id }] }] } },
})
const plugin = 'can not delete this upstream, plugin in'

const uses: readonly (readonly [string, Stored, string])[] = [
  [
    'services/1',
    { 'routes/1': { service_id: 1 } },
    'can not delete this service directly, route [1] is still using it now',
  ],
  [
    'services/1',
    { 'stream_routes/s': { service_id: '1' } },
    'can not delete this service directly, stream_route [s] is still using it now',
  ],
  [
    'upstreams/1',
    { 'routes/1': { upstream_id: '1' } },
    'can not delete this upstream, route [1] is still using it now',
  ],
  [
    'upstreams/1',
    { 'services/1': { upstream_id: 1 } },
    'can not delete this upstream, service [1] is still using it now',
  ],
  [
    'upstreams/1',
    { 'stream_routes/1': { upstream_id: 1 } },
    'can not delete this upstream, stream_route [1] is still using it now',
  ],
  ['upstreams/1', { 'routes/1': split('1') }, `${plugin} route [1] is still using it now`],
  ['upstreams/1', { 'stream_routes/2': split(1) }, `${plugin} stream_route [2] is still using it now`],
  ['upstreams/1', { 'services/1': split(1) }, `${plugin} service [1] is still using it now`],
  ['upstreams/1', { 'plugin_configs/1': split(1) }, `${plugin} plugin_config [1] is still using it now`],
  ['upstreams/1', { 'consumers/jack': split(1) }, `${plugin} consumer [jack] is still using it now`],
  ['upstreams/1', { 'consumer_groups/1': split(1) }, `${plugin} consumer_group [1] is still using it now`],
  ['upstreams/1', { 'global_rules/1': split(1) }, `${plugin} global_rules [1] is still using it now`],
  [
    'plugin_configs/1',
    { 'routes/1': { plugin_config_id: 1 } },
    'can not delete this plugin config, route [1] is still using it now',
  ],
  [
    'consumer_groups/g',
    { 'consumers/foobar': { group_id: 'g' } },
    'can not delete this consumer group, consumer [foobar] is still using it now',
  ],
  [
    'protos/1',
    { 'routes/1': { plugins: { 'grpc-transcode': { proto_id: '1' } } } },
    'can not delete this proto, route [1] is still using it now',
  ],
  [
    'stream_routes/1',
    { 'stream_routes/2': { protocol: { name: 'redis', superior_id: 1 } } },
    'can not delete this stream route directly, stream route [2] is still using it as superior_id',
  ],
]
for (const [key, stored, message] of uses) {
  test(message, () => {
    const [kind = '', id = ''] = key.split('/')
    assert.equal(usedBy(kind, id, lookupOf(stored)), message)
    assert.equal(usedBy(kind, 'other', lookupOf(stored)), undefined)
  })
}

test('a plugin configuration of any shape is searched without harm', () => {
  const strange: Stored = {
    'routes/1': { plugins: { 'traffic-split': { rules: 'x' } } },
    'routes/2': { plugins: { 'traffic-split': { rules: [1, null, { weighted_upstreams: {} }] } } },
    'routes/3': { plugins: { 'traffic-split': 5, 'grpc-transcode': null } },
    'routes/4': {},
  }
  assert.equal(usedBy('upstreams', '1', lookupOf(strange)), undefined)
  assert.equal(usedBy('protos', '1', lookupOf(strange)), undefined)
})

test('kinds that nothing refers to can always be deleted', () => {
  assert.equal(usedBy('routes', '1', lookupOf({ 'routes/2': { upstream_id: 1 } })), undefined)
})

const client = { 'ssls/1': { type: 'client' }, 'ssls/2': {} }
const dangling: readonly (readonly [string, JsonObject, string | undefined])[] = [
  ['routes', { upstream_id: 9 }, 'failed to fetch upstream info by upstream id [9], response code: 404'],
  ['routes', { service_id: '9' }, 'failed to fetch service info by service id [9], response code: 404'],
  ['routes', { plugin_config_id: 9 }, 'failed to fetch plugin config info by plugin config id [9], response code: 404'],
  ['stream_routes', { upstream_id: 9 }, 'failed to fetch upstream info by upstream id [9], response code: 404'],
  [
    'stream_routes',
    { protocol: { name: 'a', superior_id: 9 } },
    'failed to fetch stream routes[9], response code: 404',
  ],
  ['services', { upstream_id: 9 }, 'failed to fetch upstream info by upstream id [9], response code: 404'],
  ['consumers', { group_id: 9 }, 'failed to fetch consumer group info by consumer group id [9], response code: 404'],
  ['upstreams', { tls: { client_cert_id: 9 } }, 'failed to fetch ssl info by ssl id [9], response code: 404'],
  ['upstreams', { tls: { client_cert_id: 2 } }, 'failed to fetch ssl info by ssl id [2], wrong ssl type'],
  ['upstreams', { tls: { client_cert_id: 1 } }, undefined],
  [
    'routes',
    { upstream: { tls: { client_cert_id: 9 } } },
    'failed to fetch ssl info by ssl id [9], response code: 404',
  ],
  ['routes', split(9), undefined],
  ['global_rules', {}, undefined],
]
for (const [kind, value, message] of dangling) {
  test(`${kind} ${JSON.stringify(value).slice(0, 70)}: ${message ?? 'nothing is missing'}`, () => {
    assert.equal(danglingReference(kindOf(kind) as ResourceKind, value, lookupOf(client)), message)
  })
}
