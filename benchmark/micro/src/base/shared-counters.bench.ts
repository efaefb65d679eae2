/** What counting over all workers costs one exchange; without contention. */
import assert from 'node:assert/strict'
import { attachSharedCounters, createSharedCounters } from '../../../../src/base/shared-counters.ts'
import type { Bench } from '../../harness.ts'

export const benches: readonly Bench[] = [4, 16].flatMap((workers): Bench[] => {
  const counters = attachSharedCounters(createSharedCounters({ slots: 65_536, workers }), 1)
  const counter = counters.open('in-flight upstreams/1 10.0.0.1:80')
  assert.ok(counter)
  return [
    {
      name: `shared counter: add 1 and take it back, ${workers} workers`,
      check: () => assert.equal(counter.add(1) + counter.add(-1), 1),
      run(times) {
        for (let index = 0; index < times; index += 1) {
          counter.add(1)
          counter.add(-1)
        }
        return counter.value
      },
    },
    {
      name: `shared counter: open by name and release, ${workers} workers`,
      run(times) {
        for (let index = 0; index < times; index += 1) counters.open(clients[index & 1023] as string)?.release()
        return times
      },
    },
  ]
})

const clients = Array.from(
  { length: 1024 },
  (_, index) => `limit-conn stream_routes/1 10.0.${index >> 8}.${index & 255}`,
)
