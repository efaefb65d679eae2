/** The immutable map against the plain one. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { type PersistentKey, PersistentMap } from '../../../../src/route/persistent-map.ts'
import { PortPages } from '../../../../src/route/port-pages.ts'

const keys: readonly (readonly [string, (n: number) => PersistentKey])[] = [
  ['texts', (n) => `name-${n}`],
  ['numbers', (n) => n * 16_777_259],
  ['big numbers', (n) => (0x20010db8n << 96n) + BigInt(n)],
]
for (const [name, key] of keys) {
  test(`a map of ${name} holds what a plain one would hold, through growth and removal`, () => {
    let map = PersistentMap.empty<PersistentKey, number>()
    const plain = new Map<PersistentKey, number>()
    for (let step = 0; step < 2000; step += 1) {
      const n = (step * 7919) % 700
      const value = step % 3 === 0 ? undefined : step
      map = map.with(
        new Map([
          [key(n), value],
          [key(n + 1), step],
        ]),
      )
      if (value === undefined) plain.delete(key(n))
      else plain.set(key(n), value)
      plain.set(key(n + 1), step)
      assert.equal(map.size, plain.size)
    }
    for (let n = 0; n < 702; n += 1) assert.equal(map.get(key(n)), plain.get(key(n)))
  })
}

test('a map that grows beyond every size at which it is cut anew keeps what it holds', () => {
  let map = PersistentMap.empty<string, number>()
  let size = 0
  for (const grown of [1, 64, 65, 2048, 2049, 32_768, 32_769, 40_000]) {
    const before = map
    map = map.with(new Map(Array.from({ length: grown - size }, (_, n) => [`key-${size + n}`, size + n])))
    assert.equal(before.get(`key-${size}`), undefined)
    size = grown
    assert.equal(map.size, size)
    for (let n = 0; n < size; n += 97) assert.equal(map.get(`key-${n}`), n)
  }
  const gone = map.with(new Map(Array.from({ length: 39_000 }, (_, n) => [`key-${n}`, undefined])))
  assert.equal(gone.size, 1000)
  assert.equal(gone.get('key-38999'), undefined)
  assert.equal(gone.get('key-39000'), 39_000)
})

test('a changed map leaves the one before as it was', () => {
  const fill = new Map(Array.from({ length: 500 }, (_, n) => [`${n}`, n] as const))
  const before = PersistentMap.empty<string, number>().with(fill)
  const after = before.with(
    new Map([
      ['7', undefined],
      ['new', 1],
    ]),
  )
  assert.equal(before.get('7'), 7)
  assert.equal(before.get('new'), undefined)
  assert.equal(after.get('7'), undefined)
  assert.equal(after.size, 500)
  assert.equal(before.with(new Map()), before)
})

test('port pages keep every port apart', () => {
  const empty = new PortPages<number>()
  const all = empty.with(new Map(Array.from({ length: 65_536 }, (_, port) => [port, port])))
  for (let port = 0; port < 65_536; port += 1) assert.equal(all.get(port), port)
  const less = all.with(new Map([[443, undefined]]))
  assert.equal(less.get(443), undefined)
  assert.equal(less.get(444), 444)
  assert.equal(all.get(443), 443)
  assert.equal(empty.get(443), undefined)
})
