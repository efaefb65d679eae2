/** When chains are closed: after the last session on them, and not before. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChainLeases } from '../../../../src/forward/chain-leases.ts'
import { type Chain, emptyChain } from '../../../../src/plugin/chain.ts'

function chain(): Chain & { closed: number } {
  return {
    ...{ ...emptyChain, log: undefined, names: ['some'], closed: 0 },
    close() {
      this.closed++
    },
  }
}

test('a retired chain is closed when its last session ends', () => {
  const leases = new ChainLeases()
  const used = chain()
  leases.take(used)
  leases.take(used)
  leases.retire(used)
  leases.give(used)
  assert.equal(used.closed, 0)
  leases.give(used)
  assert.equal(used.closed, 1)
})

test('a chain without sessions is closed at once, and one that is not retired never', () => {
  const leases = new ChainLeases()
  const [unused, current] = [chain(), chain()]
  leases.retire(unused)
  assert.equal(unused.closed, 1)
  leases.take(current)
  leases.give(current)
  assert.equal(current.closed, 0)
  leases.retire(current)
  assert.equal(current.closed, 1)
})

test('the chain without plugins is shared by all and not counted', () => {
  const leases = new ChainLeases()
  leases.take(emptyChain)
  leases.give(emptyChain)
  leases.retire(emptyChain)
})
