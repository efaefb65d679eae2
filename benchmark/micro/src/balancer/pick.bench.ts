/** One pick of each balancer, over few and many endpoints, at the first attempt and at a retry. */
import assert from 'node:assert/strict'
import { balancers } from '../../../../src/balancer/index.ts'
import { buildPicker } from '../../../../src/balancer/priority.ts'
import type { Endpoint } from '../../../../src/exchange/endpoint.ts'
import { endpointsOf } from '../../../../test/support/endpoints.ts'
import type { Bench } from '../../harness.ts'

const keys = Array.from({ length: 1024 }, (_, index) => `device-${index}`)
const none: readonly Endpoint[] = []

export const benches: readonly Bench[] = balancers.flatMap((balancer) =>
  [3, 100].flatMap((count) => {
    const endpoints = endpointsOf(...Array.from({ length: count }, (_, index) => 1 + (index % 3)))
    const picker = buildPicker(balancer, endpoints)
    const retry = endpoints.slice(0, 1)
    return [none, retry].map(
      (tried): Bench => ({
        name: `pick: ${balancer.name}, ${count} endpoints${tried === retry ? ', one tried' : ''}`,
        check: () => assert.ok(picker.pick('device-1', tried)),
        run(times) {
          let last: Endpoint | undefined
          for (let index = 0; index < times; index += 1) last = picker.pick(keys[index & 1023] as string, tried)
          return last
        },
      }),
    )
  }),
)
