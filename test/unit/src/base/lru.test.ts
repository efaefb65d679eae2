/** The bounded map. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { Lru } from '../../../../src/base/lru.ts'

test('the entry used longest ago is forgotten first, and told of', () => {
  const forgotten: [string, number][] = []
  const lru = new Lru<string, number>(2, (value, key) => void forgotten.push([key, value]))
  lru.set('a', 1)
  lru.set('b', 2)
  assert.equal(lru.get('a'), 1)
  lru.set('c', 3)
  assert.equal(lru.get('b'), undefined)
  assert.deepEqual(forgotten, [['b', 2]])
  assert.equal(lru.size, 2)
})

test('setting an entry again makes it the newest and forgets none', () => {
  const lru = new Lru<string, number>(2)
  lru.set('a', 1)
  lru.set('b', 2)
  lru.set('a', 3)
  lru.set('c', 4)
  assert.equal(lru.get('a'), 3)
  assert.equal(lru.get('b'), undefined)
})

test('deleted and cleared entries are gone', () => {
  const lru = new Lru<string, number>(5)
  lru.set('a', 1)
  lru.set('b', 2)
  assert.equal(lru.delete('a'), true)
  assert.equal(lru.delete('a'), false)
  lru.clear()
  assert.equal(lru.size, 0)
})

test('a map that can hold nothing is refused', () => {
  assert.throws(() => new Lru(0), RangeError)
})
