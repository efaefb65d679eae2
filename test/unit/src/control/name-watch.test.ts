/** Names of nodes: one watch per name, however many upstreams share it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type NameState, NameWatch } from '../../../../src/control/name-watch.ts'

function setUp() {
  const watching = new Map<string, (address: string | undefined) => void>()
  const changes: [string, NameState][] = []
  const watch = new NameWatch(
    {
      watch(host, onAddress) {
        assert.equal(watching.has(host), false, `${host} is watched twice`)
        watching.set(host, onAddress)
        return () => watching.delete(host)
      },
    },
    (host, state) => changes.push([host, state]),
  )
  return { watch, watching, changes }
}

test('a name that two upstreams share is watched once, until neither names it', () => {
  const { watch, watching } = setUp()
  watch.set('upstreams/1', ['db.test'])
  watch.set('upstreams/2', ['db.test'])
  watch.set('upstreams/1', [])()
  assert.deepEqual([...watching.keys()], ['db.test'])
  watch.set('upstreams/2', ['other.test'])()
  assert.deepEqual([...watching.keys()], ['other.test'])
})

test('a change of address is told once, and so is its end', () => {
  const { watch, watching, changes } = setUp()
  watch.set('upstreams/1', ['db.test'])
  watching.get('db.test')?.('127.0.0.2')
  watching.get('db.test')?.('127.0.0.2')
  watching.get('db.test')?.('127.0.0.3')
  assert.deepEqual(watch.addresses, [['db.test', '127.0.0.3']])
  const release = watch.set('upstreams/1', [])
  assert.equal(changes.length, 2)
  release()
  assert.deepEqual(changes, [
    ['db.test', '127.0.0.2'],
    ['db.test', '127.0.0.3'],
    ['db.test', null],
  ])
})

test('names are settled when each had an answer, even one that says there is none', async () => {
  const { watch, watching } = setUp()
  watch.set('upstreams/1', ['a.test', 'b.test'])
  let settled = false
  const done = watch.settled().then(() => {
    settled = true
  })
  watching.get('a.test')?.('127.0.0.1')
  await Promise.resolve()
  assert.equal(settled, false)
  watching.get('b.test')?.(undefined)
  await done
  await watch.settled()
})
