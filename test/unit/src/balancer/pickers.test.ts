/** What single balancers promise beyond the contract: the rotation's order, ties, and the choice of the faster. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { ewma } from '../../../../src/balancer/ewma.ts'
import { leastConn } from '../../../../src/balancer/least-conn.ts'
import { roundrobin } from '../../../../src/balancer/roundrobin.ts'
import type { Endpoint } from '../../../../src/exchange/endpoint.ts'
import { endpointsOf } from '../../../support/endpoints.ts'

const letters = (
  picker: { pick(key: string, tried: readonly Endpoint[]): Endpoint | undefined },
  count: number,
): string =>
  Array.from({ length: count }, () => 'ABCDEFGH'[Number(picker.pick('', [])?.host.split('.').at(-1)) - 1]).join('')

test('roundrobin interleaves by falling levels', () => {
  // One round of 3:2:1 is A AB ABC, from wherever the random start is.
  const order = letters(roundrobin.build(endpointsOf(3, 2, 1)), 18)
  assert.ok('AABABC'.repeat(5).includes(order), order)
  assert.ok('AABABC'.repeat(5).includes(letters(roundrobin.build(endpointsOf(300, 200, 100)), 18)))
})

test('roundrobin starts anywhere', () => {
  const starts = new Set(Array.from({ length: 200 }, () => letters(roundrobin.build(endpointsOf(1, 1, 1)), 1)))
  assert.equal(starts.size, 3)
})

test('roundrobin goes on after the endpoint before, when the one whose turn it was is gone', () => {
  const endpoints = endpointsOf(1, 1, 1, 1)
  const picker = roundrobin.build(endpoints)
  while (picker.pick('', [])?.id !== '10.0.0.3:80');
  const without = endpoints.filter((endpoint) => endpoint.id !== '10.0.0.3:80')
  assert.equal(letters(roundrobin.build(without, picker), 4), 'DABD')
})

test('a retry takes the next in the rotation and the rotation goes on behind it', () => {
  const endpoints = endpointsOf(1, 1, 1)
  const picker = roundrobin.build(endpoints)
  while (picker.pick('', [])?.id !== '10.0.0.1:80');
  assert.equal(picker.pick('', [endpoints[0] as Endpoint])?.id, '10.0.0.2:80')
  assert.equal(letters(picker, 3), 'CAB')
})

test('least_conn takes the least loaded for its weight, and rotates among equals', () => {
  const endpoints = endpointsOf(1, 1, 4)
  const picker = leastConn.build(endpoints)
  for (let index = 0; index < 3; index += 1) {
    const picked = picker.pick('', [])
    assert.equal(picked?.id, '10.0.0.3:80')
    picked?.load.begin()
  }
  const equal = leastConn.build(endpointsOf(1, 1, 1))
  assert.equal(new Set(letters(equal, 3)).size, 3)
})

test('least_conn goes on rotating among equals after a rebuild', () => {
  let picker = leastConn.build(endpointsOf(1, 1, 1))
  let order = ''
  for (let round = 0; round < 6; round += 1) {
    picker = leastConn.build(endpointsOf(1, 1, 1), picker)
    order += letters(picker, 1)
  }
  assert.ok('ABC'.repeat(4).includes(order), order)
})

test('of two endpoints ewma takes the faster, until the other is unknown again', () => {
  const endpoints = endpointsOf(1, 1)
  endpoints[0]?.load.end(80)
  endpoints[1]?.load.end(20)
  const picker = ewma.build(endpoints)
  assert.equal(letters(picker, 20), 'B'.repeat(20))
  endpoints[1]?.load.end(20)
  assert.equal(picker.pick('', [endpoints[1] as Endpoint]), endpoints[0])
})

test('ewma never takes the slowest of many', () => {
  const endpoints = endpointsOf(1, 1, 1, 1, 1)
  for (const [index, endpoint] of endpoints.entries()) endpoint.load.end(10 * (index + 1))
  const order = letters(ewma.build(endpoints), 500)
  assert.ok(!order.includes('E'))
  assert.deepEqual(new Set(order), new Set('ABCD'))
})
