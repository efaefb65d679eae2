/** Groups by priority: who serves when, for every balancer. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { balancers } from '../../../../src/balancer/index.ts'
import { buildPicker } from '../../../../src/balancer/priority.ts'
import { roundrobin } from '../../../../src/balancer/roundrobin.ts'
import type { Endpoint } from '../../../../src/exchange/endpoint.ts'
import { endpointOf } from '../../../support/endpoints.ts'

const table = (health: Readonly<Record<string, boolean>> = {}): readonly Endpoint[] => [
  endpointOf('10.0.0.1:80', { priority: -1, healthy: health['1'] ?? true }),
  endpointOf('10.0.0.2:80', { priority: 10, healthy: health['2'] ?? true }),
  endpointOf('10.0.0.3:80', { priority: 0, healthy: health['3'] ?? true }),
  endpointOf('10.0.0.4:80', { priority: 10, healthy: health['4'] ?? true }),
]
const ids = (endpoints: readonly Endpoint[]): readonly string[] => endpoints.map((endpoint) => endpoint.host.slice(-1))

function order(endpoints: readonly Endpoint[], balancer = roundrobin): readonly string[] {
  const picker = buildPicker(balancer, endpoints)
  const tried: Endpoint[] = []
  for (let next = picker.pick('k', tried); next !== undefined; next = picker.pick('k', tried)) tried.push(next)
  return ids(tried)
}

for (const balancer of balancers) {
  test(`${balancer.name}: lower groups serve when the higher ones were tried or are sick`, () => {
    const all = order(table(), balancer)
    assert.deepEqual(new Set(all.slice(0, 2)), new Set(['2', '4']))
    assert.deepEqual(all.slice(2), ['3', '1'])
    assert.deepEqual(order(table({ 2: false }), balancer), ['4', '3', '1'])
    assert.deepEqual(order(table({ 2: false, 4: false }), balancer), ['3', '1'])
  })

  test(`${balancer.name}: when all are sick all are used, the higher groups first`, () => {
    const all = order(table({ 1: false, 2: false, 3: false, 4: false }), balancer)
    assert.deepEqual(new Set(all.slice(0, 2)), new Set(['2', '4']))
    assert.deepEqual(all.slice(2), ['3', '1'])
  })
}

test('no endpoints: nothing is picked', () => {
  assert.equal(buildPicker(roundrobin, []).pick('', []), undefined)
})

test('each group goes on with its own rotation after a rebuild', () => {
  const endpoints = table()
  let picker = buildPicker(roundrobin, endpoints)
  const first = picker.pick('', [])
  picker = buildPicker(roundrobin, table({ 3: false }), picker)
  assert.notEqual(picker.pick('', [])?.id, first?.id)
})
