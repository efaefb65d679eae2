/** Consistent hashing against what a running APISIX picked, and the share of keys that moves. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { chash } from '../../../../src/balancer/chash.ts'
import { ChashRing } from '../../../../src/balancer/chash-ring.ts'
import type { Endpoint } from '../../../../src/exchange/endpoint.ts'
import { endpointOf, endpointsOf } from '../../../support/endpoints.ts'

interface Recorded {
  readonly nodes: Readonly<Record<string, number>>
  readonly picks: Readonly<Record<string, readonly string[]>>
}

const recorded = JSON.parse(
  readFileSync(new URL('../../../contract/samples/chash.json', import.meta.url), 'utf8'),
) as readonly Recorded[]

for (const [index, { nodes, picks }] of recorded.entries()) {
  test(`keys go where APISIX sends them, retries too: node set ${index + 1} (${Object.values(nodes).join(', ')})`, () => {
    const endpoints = Object.entries(nodes).map(([id, weight]) => endpointOf(id, { weight }))
    const picker = chash.build(endpoints)
    for (const [key, order] of Object.entries(picks)) {
      const tried: Endpoint[] = []
      for (const id of order) {
        const endpoint = picker.pick(key, tried)
        assert.equal(endpoint?.id, id, `${key}, attempt ${tried.length + 1}`)
        tried.push(endpoint as Endpoint)
      }
    }
  })
}

const keys = Array.from({ length: 10_000 }, (_, index) => `device-${index}`)
const places = (endpoints: readonly Endpoint[]): readonly string[] => {
  const picker = chash.build(endpoints)
  return keys.map((key) => picker.pick(key, [])?.id ?? '')
}

test('when one of ten endpoints leaves, only its keys move', () => {
  const ten = endpointsOf(...Array.from({ length: 10 }, () => 1))
  const before = places(ten)
  const after = places(ten.slice(0, 9))
  const lost = ten[9]?.id
  for (const [index, id] of before.entries()) if (id !== lost) assert.equal(after[index], id)
  const moved = before.filter((id) => id === lost).length
  assert.ok(moved > 500 && moved < 1700, `${moved} of 10,000 moved`)
})

test('a sick endpoint loses its keys, all others keep theirs, and it gets the same back', () => {
  const well = endpointsOf(1, 1, 1, 1)
  const sick = well.map((endpoint, index) => ({ ...endpoint, healthy: index !== 2 }))
  const before = places(well)
  const during = places(sick)
  for (const [index, id] of before.entries()) {
    if (id === '10.0.0.3:80') assert.notEqual(during[index], id)
    else assert.equal(during[index], id)
  }
  assert.deepEqual(places(well), before)
})

test('the order of the nodes does not matter', () => {
  const endpoints = endpointsOf(1, 2, 3)
  assert.deepEqual(places(endpoints), places([...endpoints].reverse()))
})

test('equal endpoints get shares of the ring within a fifth of each other', () => {
  const counts = new Map<string, number>()
  for (const id of places(endpointsOf(1, 1, 1))) counts.set(id, (counts.get(id) ?? 0) + 1)
  for (const count of counts.values()) assert.ok(Math.abs(count - 3333) < 700, `${count}`)
})

test('weights are reduced by their common divisor', () => {
  assert.equal(new ChashRing(endpointsOf(100, 200)).size, 3 * 160)
  assert.deepEqual(places(endpointsOf(100, 200)), places(endpointsOf(1, 2)))
})

test('weights that ask for millions of points are scaled, and small ones stay on the ring', () => {
  const ring = new ChashRing(endpointsOf(1_000_003, 1, 999_999))
  assert.ok(ring.size <= 10_001 * 160)
  assert.ok(ring.owners.includes(1))
})

test('a ring of 100 endpoints takes milliseconds', () => {
  const endpoints = endpointsOf(...Array.from({ length: 100 }, () => 1))
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < 5; round += 1) {
    const before = performance.now()
    assert.equal(new ChashRing(endpoints).size, 16_000)
    best = Math.min(best, performance.now() - before)
  }
  assert.ok(best < 50, `${best} ms`)
})
