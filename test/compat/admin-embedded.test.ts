import assert from 'node:assert/strict'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { EmbeddedSource } from '../../src/config/embedded.ts'
import { MemoryStore } from '../../src/config/resource-store.ts'
import { silentLog } from '../../src/observability/log.ts'
import { type RunningAdmin, startAdminFor } from '../support/admin-server.ts'
import { temporaryFolder } from '../support/home.ts'
import { until } from '../support/until.ts'

interface Durable {
  readonly admin: RunningAdmin
  readonly store: MemoryStore
}

async function start(t: TestContext, file: string): Promise<Durable> {
  const source = new EmbeddedSource({ file, history: 100 })
  const store = new MemoryStore({ check: () => undefined, log: silentLog })
  const stop = new AbortController()
  await source.follow(store, stop.signal)
  t.after(async () => {
    stop.abort()
    await source.close()
  })
  return { admin: await startAdminFor(t, { source, store }), store }
}

test('what was answered is in force and on disk', async (t) => {
  using folder = temporaryFolder()
  const file = path.join(folder.path, 'sluice.db')
  const { admin, store } = await start(t, file)
  const upstream = { nodes: { '127.0.0.1:1980': 1 } }
  assert.equal((await admin.call('PUT', '/upstreams/1', upstream)).status, 201)
  assert.deepEqual(store.get('upstreams', '1')?.value['nodes'], upstream.nodes)
  assert.equal((await admin.call('PUT', '/stream_routes/1', { upstream_id: 1 })).status, 201)
  assert.equal((await admin.call('DELETE', '/upstreams/1')).status, 400)
  const posted = (await admin.call('POST', '/upstreams', upstream)).json() as { value: { id: string } }
  assert.match(posted.value.id, /^\d{20}$/)
  const patched = await admin.call('PATCH', '/upstreams/1', { nodes: { '127.0.0.1:1981': 1 } })
  assert.equal(patched.status, 200)
  assert.deepEqual(store.get('upstreams', '1')?.value['nodes'], { '127.0.0.1:1980': 1, '127.0.0.1:1981': 1 })
  const one = (await admin.call('GET', '/upstreams/1')).json() as { createdIndex: number; modifiedIndex: number }
  assert.ok(one.createdIndex < one.modifiedIndex)
})

test('a key with a ttl goes when its time is up, unless a PUT without one makes it permanent', async (t) => {
  using folder = temporaryFolder()
  const { admin, store } = await start(t, path.join(folder.path, 'sluice.db'))
  await admin.call('PUT', '/services/short?ttl=1', {})
  await admin.call('PUT', '/services/saved?ttl=1', {})
  await admin.call('PUT', '/services/saved', {})
  assert.equal((await admin.call('GET', '/services/short')).status, 200)
  await until(() => store.get('services', 'short') === undefined, { what: 'the end of the key' })
  assert.equal((await admin.call('GET', '/services/short')).status, 404)
  assert.equal((await admin.call('GET', '/services/saved')).status, 200)
})

test('of two PATCHes at the same moment none is lost', async (t) => {
  using folder = temporaryFolder()
  const { admin } = await start(t, path.join(folder.path, 'sluice.db'))
  await admin.call('PUT', '/services/1', {})
  const labels = Array.from({ length: 20 }, (_, index) => `l${index}`)
  const answers = await Promise.all(
    labels.map((label) => admin.call('PATCH', '/services/1', { labels: { [label]: 'x' } })),
  )
  const kept = (await admin.call('GET', '/services/1')).json() as { value: { labels: object } }
  const done = labels.filter((_, index) => answers[index]?.status === 200)
  assert.deepEqual(Object.keys(kept.value.labels).sort(), done.sort())
  for (const answer of answers.filter(({ status }) => status !== 200)) {
    assert.deepEqual([answer.status, answer.text], [503, '{"error_msg":"value changed before overwritten"}\n'])
  }
})
