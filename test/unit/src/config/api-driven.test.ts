import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiDrivenSource, type DocumentCheck } from '../../../../src/config/api-driven.ts'
import { MemoryStore } from '../../../../src/config/resource-store.ts'
import { silentLog } from '../../../../src/observability/log.ts'

const accepting: DocumentCheck = { items: () => undefined }
const newStore = () => new MemoryStore({ check: () => undefined, log: silentLog })
const idsOf = (store: MemoryStore) => [...store.all('services')].map(({ id }) => id)

test('the first full state is empty, and each document is in the store when it has been accepted', async () => {
  const source = new ApiDrivenSource()
  const store = newStore()
  await source.follow(store, new AbortController().signal)
  assert.equal(store.revision, 0)
  assert.equal(source.status().detail, 'no configuration has been sent yet')
  source.replaceDocument({ services: [{ id: 'a' }] }, 'd1', 1, accepting)
  assert.deepEqual([idsOf(store), store.revision], [['a'], 1])
  assert.equal(source.status().detail, undefined)
})

test('who follows later starts with what has been sent before', async () => {
  const source = new ApiDrivenSource()
  source.replaceDocument({ services: [{ id: 'a' }] }, 'd1', 1, accepting)
  const store = newStore()
  await source.follow(store, new AbortController().signal)
  assert.deepEqual(idsOf(store), ['a'])
})

test('after the end of following, or closing, nothing is handed over any more', async () => {
  const source = new ApiDrivenSource()
  const store = newStore()
  const stop = new AbortController()
  await source.follow(store, stop.signal)
  stop.abort()
  source.replaceDocument({ services: [{ id: 'a' }] }, 'd1', 1, accepting)
  assert.deepEqual(idsOf(store), [])
  await source.follow(store, new AbortController().signal)
  await source.close()
  source.replaceDocument({ services: [{ id: 'b' }] }, 'd2', 1, accepting)
  assert.deepEqual(idsOf(store), ['a'])
})

test('only items of newer versions are checked', () => {
  const source = new ApiDrivenSource()
  const asked: string[] = []
  const check: DocumentCheck = {
    items: (key, items) => {
      if (items.length > 0) asked.push(key)
      return undefined
    },
  }
  source.replaceDocument({ services: [{ id: 'a' }], services_conf_version: 3, routes: [{ id: 'r' }] }, 'd1', 1, check)
  source.replaceDocument({ services: [{ id: 'b' }], services_conf_version: 3, routes: [{ id: 'r' }] }, 'd2', 1, check)
  assert.deepEqual(asked, ['routes', 'services', 'routes'])
})

test('an item without an id takes its name or its place, and what carries no index takes the version', async () => {
  const source = new ApiDrivenSource()
  const store = newStore()
  await source.follow(store, new AbortController().signal)
  const document = { services: [{ desc: 'x' }, { id: 7, modifiedIndex: 70 }], consumers: [{ username: 'jack' }] }
  source.replaceDocument({ ...document, services_conf_version: 12 }, 'd1', 1, accepting)
  assert.equal(store.get('services', 'arr_1')?.modifiedIndex, 12)
  assert.deepEqual(store.get('services', '7'), {
    kind: 'services',
    id: '7',
    value: { id: '7' },
    createdIndex: 70,
    modifiedIndex: 70,
  })
  assert.deepEqual(store.get('consumers', 'jack')?.value, { username: 'jack' })
})

test('a refused document changes nothing at all', async () => {
  const source = new ApiDrivenSource()
  const store = newStore()
  await source.follow(store, new AbortController().signal)
  source.replaceDocument({ services: [{ id: 'a' }] }, 'd1', 1, accepting)
  const refusing: DocumentCheck = { items: (key) => (key === 'upstreams' ? 'no' : undefined) }
  const result = source.replaceDocument({ services: [{ id: 'b' }], upstreams: [{ id: 'u' }] }, 'd2', 2, refusing)
  assert.deepEqual(result, { outcome: 'refused', message: 'no' })
  assert.deepEqual([source.digest, source.lastModified, idsOf(store)], ['d1', 1, ['a']])
})
