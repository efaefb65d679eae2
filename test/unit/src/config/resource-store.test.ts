import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../src/base/json.ts'
import { MemoryStore } from '../../../../src/config/resource-store.ts'
import type { Change, Resource } from '../../../../src/config/store.ts'
import { silentLog } from '../../../../src/observability/log.ts'

const route = (id: string, value: JsonObject = {}, modifiedIndex = 1): Resource => ({
  kind: 'stream_routes',
  id,
  value: { id, ...value },
  createdIndex: 1,
  modifiedIndex,
})

function makeStore() {
  const errors: string[] = []
  const store = new MemoryStore({
    check: (_, id, value) => (value['bad'] === true ? `${id} is bad` : undefined),
    log: { ...silentLog, error: (fields) => void errors.push(String(fields['reason'] ?? fields['error'])) },
  })
  const heard: Change[][] = []
  store.onChange((changes) => void heard.push([...changes]))
  const ids = () => [...store.all('stream_routes')].map((each) => each.id)
  const said = () => heard.splice(0).map((batch) => batch.map(describe))
  return { store, ids, said, errors }
}

const describe = (change: Change) => `${change.type} ${change.type === 'put' ? change.resource.id : change.id}`

test('an update keeps its place and an addition stands behind', () => {
  const { store, ids } = makeStore()
  store.replace([route('b'), route('a')], 1)
  store.apply([{ type: 'put', resource: route('c') }], 2)
  store.apply([{ type: 'put', resource: route('b', { x: 1 }) }], 3)
  assert.deepEqual(ids(), ['b', 'a', 'c'])
  assert.equal(store.revision, 3)
})

test('a full state announces only what differs from the state before', () => {
  const { store, said } = makeStore()
  store.replace([route('a'), route('b'), route('c')], 1)
  said()
  store.replace([route('a', {}, 9), route('c', { x: 1 }, 9), route('d', {}, 9)], 9)
  assert.deepEqual(said(), [['delete b', 'put c', 'put d']])
  assert.equal(store.get('stream_routes', 'a')?.modifiedIndex, 9)
  store.replace([route('a'), route('c', { x: 1 }), route('d')], 10)
  assert.deepEqual(said(), [])
})

test('a full state in another order moves what stands behind the first difference', () => {
  const { store, ids, said } = makeStore()
  store.replace([route('a'), route('b'), route('c')], 1)
  said()
  store.replace([route('a'), route('new'), route('b'), route('c')], 2)
  assert.deepEqual(ids(), ['a', 'new', 'b', 'c'])
  assert.deepEqual(said(), [['put new', 'delete b', 'put b', 'delete c', 'put c']])
})

test('a bad value keeps the last good form until the resource is deleted', () => {
  const { store, said, errors } = makeStore()
  store.replace([route('a', { x: 1 }), route('b', { bad: true })], 1)
  assert.deepEqual(said(), [['put a']])
  store.apply([{ type: 'put', resource: route('a', { bad: true }, 2) }], 2)
  assert.deepEqual(said(), [])
  assert.deepEqual(store.get('stream_routes', 'a')?.value, { id: 'a', x: 1 })
  assert.deepEqual(errors, ['b is bad', 'a is bad'])
  assert.equal(store.rejections, 2)
  assert.equal(store.rejected.get('stream_routes/a')?.kept, true)
  assert.equal(store.rejected.get('stream_routes/b')?.kept, false)
  store.replace([route('a', { bad: true }, 2), route('b')], 3)
  assert.deepEqual(said(), [['put b']])
  assert.equal(store.rejections, 2, 'the same bad value is counted once')
  store.apply([{ type: 'delete', kind: 'stream_routes', id: 'a', revision: 4 }], 4)
  assert.deepEqual(said(), [['delete a']])
  assert.equal(store.rejected.size, 0)
})

test('of a state that comes under other rules, nothing stays in use that is wrong by them', () => {
  let banned = 'none'
  const store = new MemoryStore({
    check: (_, id, value) => (value['plugin'] === banned ? `${id} has no such plugin` : undefined),
    log: silentLog,
  })
  const heard: string[] = []
  store.onChange((changes) => void heard.push(...changes.map(describe)))
  const state = [route('a', { plugin: 'x' }), route('b', { plugin: 'y' })]
  store.replace(state, 1)
  heard.length = 0
  banned = 'x'
  store.replace(state, 2)
  assert.deepEqual(heard, [])
  store.doubt()
  store.replace(state, 3)
  assert.deepEqual(heard, ['delete a'])
  assert.equal(store.rejected.get('stream_routes/a')?.kept, false)
  banned = 'none'
  store.doubt()
  store.replace(state, 4)
  assert.deepEqual(heard, ['delete a', 'put a', 'delete b', 'put b'])
})

test('deleting what is not there is not announced', () => {
  const { store, said } = makeStore()
  store.apply([{ type: 'delete', kind: 'stream_routes', id: 'x', revision: 1 }], 1)
  assert.deepEqual(said(), [])
  assert.equal(store.revision, 1)
})

test('a check that throws refuses the value, and a listener that throws hinders nobody', () => {
  const errors: unknown[] = []
  const store = new MemoryStore({
    check: (_, id) => {
      if (id === 'a') throw new Error('boom')
      return undefined
    },
    log: { error: (fields) => void errors.push(fields) },
  })
  let heard = 0
  store.onChange(() => {
    throw new Error('deaf')
  })
  const stop = store.onChange(() => void heard++)
  store.apply([{ type: 'put', resource: route('a') }], 1)
  store.apply([{ type: 'put', resource: route('b') }], 2)
  assert.equal(store.rejected.get('stream_routes/a')?.reason, 'boom')
  assert.equal(heard, 1)
  assert.equal(errors.length, 2)
  stop()
  store.apply([{ type: 'put', resource: route('c') }], 3)
  assert.equal(heard, 1)
})

test('what was refused is taken in once it is right, and what is still wrong stays refused', () => {
  let strict = true
  const store = new MemoryStore({
    check: (_, id, value) =>
      value['bad'] === 'always' || (strict && value['bad'] === true) ? `${id} is bad` : undefined,
    log: silentLog,
  })
  const heard: string[] = []
  store.onChange((changes) => void heard.push(...changes.map(describe)))
  store.replace([route('a'), route('b', { bad: true }), route('c', { bad: 'always' })], 1)
  store.apply([{ type: 'put', resource: route('a', { bad: true }, 2) }], 2)
  heard.length = 0
  store.reconsider()
  assert.deepEqual(heard, [])
  strict = false
  store.reconsider()
  assert.deepEqual(heard, ['put b', 'put a'])
  assert.equal(store.get('stream_routes', 'a')?.value['bad'], true)
  assert.deepEqual([...store.rejected.keys()], ['stream_routes/c'])
})
