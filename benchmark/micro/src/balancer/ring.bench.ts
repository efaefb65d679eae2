/** The hash ring: built at a change of nodes, looked up at every pick. */
import assert from 'node:assert/strict'
import { ChashRing } from '../../../../src/balancer/chash-ring.ts'
import { endpointsOf } from '../../../../test/support/endpoints.ts'
import type { Bench } from '../../harness.ts'

const keys = Array.from({ length: 1024 }, (_, index) => `device-${index}`)

export const benches: readonly Bench[] = [10, 100, 1000].flatMap((count): Bench[] => {
  const endpoints = endpointsOf(...Array.from({ length: count }, () => 1))
  const ring = new ChashRing(endpoints)
  return [
    {
      name: `ring: build, ${count} endpoints`,
      check: () => assert.equal(ring.size, count * 160),
      run(times) {
        let last: ChashRing | undefined
        for (let index = 0; index < times; index += 1) last = new ChashRing(endpoints)
        return last
      },
    },
    {
      name: `ring: locate a key, ${count} endpoints`,
      run(times) {
        let sum = 0
        for (let index = 0; index < times; index += 1) sum += ring.locate(keys[index & 1023] as string)
        return sum
      },
    },
  ]
})
