/** The balancer suite over the list. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { balancerOf, balancers } from '../../src/balancer/index.ts'
import { type BalancerTraits, balancerContract } from './balancer.ts'

const hashes = 'the key decides, not a rotation'
const random = 'two are drawn at random and the faster wins; weights do not matter, as in APISIX'

const traits: Readonly<Record<string, BalancerTraits>> = {
  chash: {
    tolerance: 0.35,
    skip: {
      'equal endpoints get equal shares':
        'how evenly 160 points lie on the ring is chance; its bound is in the unit test',
      'no endpoint is picked more often in a row than its weight': hashes,
      'a rebuild does not restart the rotation': hashes,
    },
  },
  least_conn: {
    skip: {
      'a rebuild does not restart the rotation':
        'without load the heaviest endpoint wins every time; that ties rotate on is in the unit test',
    },
  },
  ewma: {
    tolerance: 0.1,
    skip: {
      '10,000 picks are spread as the weights say': random,
      'no endpoint is picked more often in a row than its weight': random,
      'a rebuild does not restart the rotation': random,
    },
  },
}

for (const balancer of balancers) balancerContract(balancer, traits[balancer.name])

test('every balancer is found by its name, and others are not', () => {
  assert.deepEqual(
    balancers.map((balancer) => balancerOf(balancer.name)),
    balancers,
  )
  assert.equal(balancerOf('random'), undefined)
})
