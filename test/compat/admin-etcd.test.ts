import assert from 'node:assert/strict'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { EtcdSource } from '../../src/config/etcd.ts'
import { MemoryStore } from '../../src/config/resource-store.ts'
import { silentLog } from '../../src/observability/log.ts'
import { type RunningAdmin, startAdminFor } from '../support/admin-server.ts'
import { temporaryFolder } from '../support/home.ts'
import { type EtcdServer, etcdMissing, startEtcd } from '../support/servers/etcd.ts'
import { until } from '../support/until.ts'

const skip = etcdMissing()

interface Clustered {
  readonly admin: RunningAdmin
  readonly store: MemoryStore
  readonly etcd: EtcdServer
}

async function start(t: TestContext): Promise<Clustered> {
  const folder = temporaryFolder()
  const etcd = await startEtcd()
  const source = new EtcdSource({
    hosts: [etcd.url],
    prefix: '/apisix',
    timeoutMs: 3000,
    silenceMs: 60_000,
    resyncMs: 50,
    restMs: 500,
    startupRetry: 0,
    auth: undefined,
    tls: undefined,
    writable: true,
    lastGood: path.join(folder.path, 'last-good.json'),
    log: silentLog,
  })
  const store = new MemoryStore({ check: () => undefined, log: silentLog })
  const stop = new AbortController()
  t.after(async () => {
    stop.abort()
    await source.close()
    await etcd.stop()
    folder[Symbol.dispose]()
  })
  await source.follow(store, stop.signal)
  return { admin: await startAdminFor(t, { source, store }), store, etcd }
}

test('over etcd a dependent may be written right behind what it depends on', { skip, timeout: 60_000 }, async (t) => {
  const { admin, etcd } = await start(t)
  const upstream = { nodes: { '127.0.0.1:1980': 1 } }
  for (let index = 0; index < 20; index++) {
    assert.equal((await admin.call('PUT', `/upstreams/u${index}`, upstream)).status, 201)
    const route = await admin.call('PUT', `/stream_routes/s${index}`, { upstream_id: `u${index}` })
    assert.equal(route.status, 201, route.text)
  }
  const stored = JSON.parse(await etcd.ctl('get', '--print-value-only', '/apisix/upstreams/u0')) as { id: string }
  assert.equal(stored.id, 'u0')
})

test('over etcd the replies are those of any other store', { skip, timeout: 60_000 }, async (t) => {
  const { admin, store, etcd } = await start(t)
  assert.equal((await admin.call('GET', '/services')).text, '{"list":[],"total":0}\n')
  assert.equal((await admin.call('PUT', '/services/1', { desc: 'a' })).status, 201)
  assert.equal((await admin.call('PUT', '/services/1', { desc: 'b' })).status, 200)
  const one = (await admin.call('GET', '/services/1')).json() as { createdIndex: number; modifiedIndex: number }
  assert.ok(one.createdIndex < one.modifiedIndex)
  assert.equal((await admin.call('PATCH', '/services/1', { desc: 'c' })).status, 200)
  const posted = (await admin.call('POST', '/services', {})).json() as { value: { id: string } }
  assert.match(posted.value.id, /^\d{20}$/)
  assert.equal((await admin.call('PUT', '/services/short?ttl=1', {})).status, 201)
  await until(async () => (await admin.call('GET', '/services/short')).status === 404, {
    ms: 20_000,
    what: 'the lease',
  })
  await until(() => store.get('services', '1')?.value['desc'] === 'c', { what: 'the watch' })
  assert.equal((await admin.call('DELETE', '/services/1')).text, '{"deleted":"1","key":"/apisix/services/1"}\n')
  assert.equal((await admin.call('DELETE', '/services/1')).status, 404)
  await etcd.ctl('put', '/apisix/services/', 'init_dir')
  assert.equal(((await admin.call('GET', '/services')).json() as { total: number }).total, 1)
})

test('while etcd is away reads and writes are 503 with the reason', { skip, timeout: 60_000 }, async (t) => {
  const { admin, etcd } = await start(t)
  await etcd.pause()
  for (const [method, body] of [
    ['GET', undefined],
    ['PUT', {}],
  ] as const) {
    const answer = await admin.call(method, '/services/1', body)
    assert.equal(answer.status, 503, answer.text)
    assert.match(answer.text, /^{"error_msg":".+"}\n$/)
  }
  await etcd.resume()
  await until(async () => (await admin.call('PUT', '/services/1', {})).status < 300, { ms: 30_000, what: 'etcd' })
})
