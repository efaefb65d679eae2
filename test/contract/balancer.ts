/** What every balancer promises. A balancer may skip a case by name, with the reason that the run then prints. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Balancer, Picker } from '../../src/balancer/balancer.ts'
import type { Endpoint } from '../../src/exchange/endpoint.ts'
import { endpointOf, endpointsOf } from '../support/endpoints.ts'

export interface BalancerTraits {
  /** Case name → why this balancer does not keep it. */
  readonly skip?: Readonly<Record<string, string>>
  /** How far a share of 10,000 picks may be from what the weights say, as a part of that. Default 0.01. */
  readonly tolerance?: number
}

/** Picks with ever new keys, counted by id. Everything picked stays in flight, so that counting balancers move on. */
function tally(picker: Picker, picks: number, after?: (endpoint: Endpoint) => void): Map<string, number> {
  const counts = new Map<string, number>()
  for (let index = 0; index < picks; index += 1) {
    const endpoint = picker.pick(`client ${index}`, [])
    assert.ok(endpoint)
    counts.set(endpoint.id, (counts.get(endpoint.id) ?? 0) + 1)
    endpoint.load.begin()
    after?.(endpoint)
  }
  return counts
}

/** All endpoints that a picker gives up for one key until it has none left. */
function exhaust(picker: Picker, key = 'key'): readonly Endpoint[] {
  const tried: Endpoint[] = []
  for (let endpoint = picker.pick(key, tried); endpoint !== undefined; endpoint = picker.pick(key, tried)) {
    assert.ok(!tried.some((other) => other.id === endpoint?.id), `${endpoint.id} was tried`)
    tried.push(endpoint)
  }
  return tried
}

const ids = (endpoints: readonly Endpoint[]): Set<string> => new Set(endpoints.map((endpoint) => endpoint.id))

export function balancerContract(balancer: Balancer, traits: BalancerTraits = {}): void {
  const it = (name: string, run: () => void): void => void test(name, { skip: traits.skip?.[name] ?? false }, run)
  const tolerance = traits.tolerance ?? 0.01

  describe(`balancer ${balancer.name}`, () => {
    it('10,000 picks are spread as the weights say', () => {
      const endpoints = endpointsOf(5, 3, 1, 1)
      const counts = tally(balancer.build(endpoints), 10_000)
      for (const endpoint of endpoints) {
        const expected = endpoint.weight * 1000
        const count = counts.get(endpoint.id) ?? 0
        assert.ok(Math.abs(count - expected) <= expected * tolerance, `${endpoint.id}: ${count}, not ${expected}`)
      }
    })

    it('equal endpoints get equal shares', () => {
      const endpoints = endpointsOf(1, 1, 1, 1, 1)
      const counts = tally(balancer.build(endpoints), 10_000)
      for (const { id } of endpoints) {
        const count = counts.get(id) ?? 0
        assert.ok(Math.abs(count - 2000) <= 2000 * Math.max(tolerance, 0.01), `${id}: ${count}`)
      }
    })

    it('an endpoint of weight 0 is not picked, tried others or not', () => {
      const endpoints = endpointsOf(0, 2, 0, 1)
      const picker = balancer.build(endpoints)
      assert.deepEqual(ids(exhaust(picker)), ids([endpoints[1] as Endpoint, endpoints[3] as Endpoint]))
      assert.ok(!tally(picker, 1000).has((endpoints[0] as Endpoint).id))
    })

    it('when all weights are 0 all endpoints are used', () => {
      const endpoints = endpointsOf(0, 0, 0)
      const picker = balancer.build(endpoints)
      assert.deepEqual(ids(exhaust(picker)), ids(endpoints))
      assert.equal(tally(picker, 1000).size, 3)
    })

    it('one endpoint is always picked, and none left when it was tried', () => {
      const [only] = endpointsOf(1)
      const picker = balancer.build([only as Endpoint])
      assert.equal(picker.pick('key', []), only)
      assert.equal(picker.pick('other key', []), only)
      assert.equal(picker.pick('key', [only as Endpoint]), undefined)
    })

    it('without endpoints nothing is picked', () => {
      const picker = balancer.build([])
      assert.equal(picker.pick('key', []), undefined)
      assert.equal(picker.pick('key', endpointsOf(1)), undefined)
    })

    it('each key is given every endpoint once, then none', () => {
      for (const weights of [
        [1, 1, 1],
        [7, 1],
        [1, 1_000_000, 3],
        [999_983, 1, 999_979],
        [2, 4, 8, 16],
      ]) {
        const endpoints = endpointsOf(...weights)
        const picker = balancer.build(endpoints)
        for (let round = 0; round < 20; round += 1) assert.equal(exhaust(picker, `key ${round}`).length, weights.length)
      }
    })

    it('tried endpoints are known by id, also after a rebuild made new objects', () => {
      const tried = endpointsOf(1, 1)
      const picker = balancer.build(endpointsOf(1, 1, 1))
      for (let round = 0; round < 50; round += 1) assert.equal(picker.pick(`${round}`, tried)?.id, '10.0.0.3:80')
    })

    it('tried endpoints that are not there any more do not hide those that are', () => {
      const endpoints = endpointsOf(1, 1)
      const strangers = [endpointOf('192.0.2.1:1'), endpointOf('192.0.2.2:1'), endpoints[0] as Endpoint]
      assert.equal(balancer.build(endpoints).pick('key', strangers), endpoints[1])
    })

    it('a sick endpoint is stepped over, and the same again when it is well', () => {
      const well = endpointsOf(1, 1, 1)
      const sick = well.map((endpoint, index) => ({ ...endpoint, healthy: index !== 1 }))
      const first = balancer.build(well)
      const second = balancer.build(sick, first)
      assert.ok(!tally(second, 500).has('10.0.0.2:80'))
      assert.equal(exhaust(second).length, 2)
      const third = balancer.build(well, second)
      assert.equal(exhaust(third).length, 3)
    })

    it('when all are sick all are used', () => {
      const endpoints = endpointsOf(1, 1, 1).map((endpoint) => ({ ...endpoint, healthy: false }))
      assert.equal(exhaust(balancer.build(endpoints)).length, 3)
    })

    it('when only endpoints of weight 0 are well, something is still picked', () => {
      const endpoints = endpointsOf(0, 1).map((endpoint, index) => ({ ...endpoint, healthy: index === 0 }))
      assert.ok(balancer.build(endpoints).pick('key', []))
    })

    it('no endpoint is picked more often in a row than its weight', () => {
      const endpoints = endpointsOf(3, 2, 1)
      const picker = balancer.build(endpoints)
      let run = 0
      let last: Endpoint | undefined
      for (let index = 0; index < 600; index += 1) {
        const endpoint = picker.pick(`${index}`, [])
        run = endpoint === last ? run + 1 : 1
        last = endpoint
        endpoint?.load.begin()
        // The greatest weight may end one round and begin the next.
        assert.ok(run <= (endpoint?.weight ?? 0) + 1, `${endpoint?.id} ${run} times in a row`)
      }
    })

    it('a rebuild does not restart the rotation', () => {
      for (const weights of [
        [1, 1, 1, 1],
        [4, 2, 1, 1],
      ]) {
        const counts = new Map<string, number>()
        let picker: Picker | undefined
        for (let round = 0; round < 8000; round += 1) {
          const endpoints = endpointsOf(...weights)
          picker = balancer.build(endpoints, picker)
          const id = picker.pick(`${round}`, [])?.id ?? ''
          counts.set(id, (counts.get(id) ?? 0) + 1)
        }
        const total = weights.reduce((sum, weight) => sum + weight, 0)
        for (const { id, weight } of endpointsOf(...weights)) {
          const expected = (8000 * weight) / total
          assert.ok(
            Math.abs((counts.get(id) ?? 0) - expected) <= expected * Math.max(tolerance, 0.01),
            `${id}: ${counts.get(id)}`,
          )
        }
      }
    })

    it('a rebuild with fewer, more or no endpoints goes on with what is there', () => {
      let picker: Picker | undefined
      for (const weights of [[1, 1, 1], [1], [], [5, 1, 1, 1], [0, 0], [100, 50]]) {
        const endpoints = endpointsOf(...weights)
        picker = balancer.build(endpoints, picker)
        assert.deepEqual(ids(exhaust(picker)), ids(endpoints))
      }
    })

    it('pick allocates nothing', () => {
      const picker = balancer.build(endpointsOf(3, 2, 1, 1))
      const tried = endpointsOf(1)
      const picks = 200_000
      for (let index = 0; index < picks; index += 1) picker.pick('some key', (index & 1) === 0 ? [] : tried)
      const none: Endpoint[] = []
      // Whatever else the process does meanwhile may allocate a little: the best of a few rounds counts.
      let least = Number.POSITIVE_INFINITY
      for (let round = 0; round < 5; round += 1) {
        const before = process.memoryUsage().heapUsed
        for (let index = 0; index < picks; index += 1) picker.pick('some key', (index & 1) === 0 ? none : tried)
        const grown = process.memoryUsage().heapUsed - before
        if (grown >= 0) least = Math.min(least, grown)
      }
      assert.ok(least < picks, `${least} bytes in ${picks} picks`)
    })
  })
}
