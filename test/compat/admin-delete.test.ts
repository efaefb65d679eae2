import assert from 'node:assert/strict'
import { beforeEach, type TestContext, test } from 'node:test'
import type { JsonObject } from '../../src/base/json.ts'
import { type RunningAdmin, startAdminFor } from '../support/admin-server.ts'

let admin: RunningAdmin
beforeEach(async (t) => {
  admin = await startAdminFor(t as TestContext)
})

const refused = (message: string) => `${JSON.stringify({ error_msg: message })}\n`
const split = { 'traffic-split': { rules: [{ weighted_upstreams: [{ upstream_id: '1', weight: 1 }] }] } }

const inUse: [path: string, user: [kind: string, id: string, value: JsonObject], message: string][] = [
  [
    '/services/1',
    ['routes', '1', { service_id: '1' }],
    'can not delete this service directly, route [1] is still using it now',
  ],
  [
    '/services/1',
    ['stream_routes', '2', { service_id: 1 }],
    'can not delete this service directly, stream_route [2] is still using it now',
  ],
  [
    '/upstreams/1',
    ['routes', '1', { upstream_id: '1' }],
    'can not delete this upstream, route [1] is still using it now',
  ],
  [
    '/upstreams/1',
    ['services', '5', { upstream_id: '1' }],
    'can not delete this upstream, service [5] is still using it now',
  ],
  [
    '/upstreams/1',
    ['stream_routes', '5', { upstream_id: '1' }],
    'can not delete this upstream, stream_route [5] is still using it now',
  ],
  [
    '/upstreams/1',
    ['routes', '1', { plugins: split }],
    'can not delete this upstream, plugin in route [1] is still using it now',
  ],
  [
    '/upstreams/1',
    ['services', '1', { plugins: split }],
    'can not delete this upstream, plugin in service [1] is still using it now',
  ],
  [
    '/upstreams/1',
    ['plugin_configs', '1', { plugins: split }],
    'can not delete this upstream, plugin in plugin_config [1] is still using it now',
  ],
  [
    '/upstreams/1',
    ['consumers', 'jack', { username: 'jack', plugins: split }],
    'can not delete this upstream, plugin in consumer [jack] is still using it now',
  ],
  [
    '/upstreams/1',
    ['consumer_groups', '1', { plugins: split }],
    'can not delete this upstream, plugin in consumer_group [1] is still using it now',
  ],
  [
    '/upstreams/1',
    ['global_rules', '1', { plugins: split }],
    'can not delete this upstream, plugin in global_rules [1] is still using it now',
  ],
  [
    '/plugin_configs/1',
    ['routes', '1', { plugin_config_id: '1' }],
    'can not delete this plugin config, route [1] is still using it now',
  ],
  [
    '/consumer_groups/1',
    ['consumers', 'foobar', { username: 'foobar', group_id: '1' }],
    'can not delete this consumer group, consumer [foobar] is still using it now',
  ],
  [
    '/protos/1',
    ['routes', '1', { plugins: { 'grpc-transcode': { proto_id: '1' } } }],
    'can not delete this proto, route [1] is still using it now',
  ],
  [
    '/protos/1',
    ['services', '3', { plugins: { 'grpc-transcode': { proto_id: 1 } } }],
    'can not delete this proto, service [3] is still using it now',
  ],
  [
    '/stream_routes/1',
    ['stream_routes', '2', { protocol: { name: 'redis', superior_id: '1' } }],
    'can not delete this stream route directly, stream route [2] is still using it as superior_id',
  ],
]
for (const [path, [kind, id, value], message] of inUse) {
  test(`${path} is not deleted while ${kind} ${id} uses it, except by force`, async () => {
    const [, directory = '', own = ''] = path.split('/')
    admin.source.putNow(directory, own, { id: own })
    admin.source.putNow(kind, id, { id, ...value })
    const answer = await admin.call('DELETE', path)
    assert.deepEqual([answer.status, answer.text], [400, refused(message)])
    assert.equal((await admin.call('GET', path)).status, 200)
    for (const force of ['false', '1', 'TRUE', '']) {
      assert.equal((await admin.call('DELETE', `${path}?force=${force}`)).status, 400, force)
    }
    const forced = await admin.call('DELETE', `${path}?force=true`)
    assert.deepEqual([forced.status, forced.text], [200, `{"deleted":"1","key":"/apisix${path}"}\n`])
  })
}

test('without an id there is nothing to delete', async () => {
  for (const [path, noun] of [
    ['/routes', 'route'],
    ['/stream_routes', 'stream route'],
    ['/plugin_configs', 'plugin config'],
    ['/secrets', 'secret'],
    ['/secrets/vault', 'secret'],
    ['/consumers/jack/credentials', 'credential'],
  ] as const) {
    const answer = await admin.call('DELETE', path)
    assert.deepEqual([answer.status, answer.text], [400, refused(`missing ${noun} id`)])
  }
})

test('a consumer takes its credentials along, and nobody else’s', async () => {
  for (const user of ['jack', 'jack2']) {
    admin.source.putNow('consumers', user, { username: user })
    admin.source.putNow('consumers', `${user}/credentials/a`, { id: 'a' })
    admin.source.putNow('consumers', `${user}/credentials/b`, { id: 'b' })
  }
  assert.equal((await admin.call('DELETE', '/consumers/jack')).status, 200)
  assert.deepEqual(
    (await admin.source.list('consumers')).map(({ id }) => id),
    ['jack2', 'jack2/credentials/a', 'jack2/credentials/b'],
  )
})

test('a service takes its cost decorations along', async () => {
  admin.source.putNow('services', '1', { id: '1' })
  admin.source.putNow('services', '1/graphql_cost_decorations/a', { id: 'a', field_path: 'Query' })
  assert.equal((await admin.call('DELETE', '/services/1')).status, 200)
  assert.deepEqual(await admin.source.list('services'), [])
})
