/** Fleets: what stands behind an upstream while its configuration changes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { balancerOf } from '../../../../src/balancer/index.ts'
import { attachSharedCounters, createSharedCounters } from '../../../../src/base/shared-counters.ts'
import { Fleet, type NodeAddress } from '../../../../src/upstream/fleet.ts'

const roundrobin = balancerOf('roundrobin')!
const counters = () => attachSharedCounters(createSharedCounters({ slots: 64, workers: 1 }), 0)
const node = (host: string, weight = 1): NodeAddress => ({ host, port: 80, weight, priority: 0, domain: undefined })

test('an endpoint that stays keeps its load through a change of weights', () => {
  const fleet = new Fleet('upstreams/1', counters())
  fleet.update(roundrobin, [node('10.0.0.1'), node('10.0.0.2')])
  const before = fleet.endpoints[0]
  before?.load.begin()
  fleet.update(roundrobin, [node('10.0.0.1', 5), node('10.0.0.3')])
  const [after] = fleet.endpoints
  assert.equal(after?.load, before?.load)
  assert.deepEqual([after?.weight, after?.load.inFlight], [5, 1])
})

test('the rotation goes on where it stood', () => {
  const fleet = new Fleet('upstreams/1', counters())
  const nodes = [node('10.0.0.1'), node('10.0.0.2'), node('10.0.0.3')]
  fleet.update(roundrobin, nodes)
  const picked: (string | undefined)[] = []
  for (let i = 0; i < 6; i++) {
    picked.push(fleet.pick('', [])?.host)
    fleet.update(roundrobin, nodes)
  }
  for (const { host } of nodes) assert.equal(picked.filter((each) => each === host).length, 2, picked.join())
})

test('exchanges on a node that was removed are counted until they end, also when it comes back', () => {
  const shared = counters()
  const fleet = new Fleet('upstreams/1', shared)
  fleet.update(roundrobin, [node('10.0.0.1')])
  const old = fleet.endpoints[0]
  old?.load.begin()
  fleet.update(roundrobin, [])
  assert.equal(fleet.pick('', []), undefined)
  fleet.update(roundrobin, [node('10.0.0.1')])
  assert.equal(fleet.endpoints[0]?.load.inFlight, 1)
  old?.load.end()
  assert.equal(fleet.endpoints[0]?.load.inFlight, 0)
})

test('a fleet that is retired lets its counters go once its exchanges have ended', () => {
  const shared = attachSharedCounters(createSharedCounters({ slots: 16, workers: 1 }), 0)
  for (let i = 0; i < 100; i++) {
    const fleet = new Fleet(`upstreams/${i}`, shared)
    fleet.update(roundrobin, [node('10.0.0.1')])
    const [endpoint] = fleet.endpoints
    endpoint?.load.begin()
    fleet.retire()
    assert.equal(endpoint?.load.inFlight, 1)
    endpoint?.load.end()
  }
  const left = Array.from({ length: 16 }, (_, i) => shared.open(`other ${i}`)).filter(
    (counter) => counter !== undefined,
  )
  assert.equal(left.length, 16)
})

test('an IPv6 address stands in brackets in the name of its endpoint', () => {
  const fleet = new Fleet('upstreams/1', counters())
  fleet.update(roundrobin, [node('::1')])
  assert.equal(fleet.endpoints[0]?.id, '[::1]:80')
})
