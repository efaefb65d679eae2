/** What a timer costs a session: its refresh at every read, its start and its end. */
import { TimerWheel } from '../../../../src/base/timers.ts'
import type { Bench } from '../../harness.ts'

const owner = { expired: () => undefined }

export const benches: readonly Bench[] = [
  (() => {
    const wheel = new TimerWheel({ unref: true })
    const timer = wheel.start(600_000, owner)
    return {
      name: 'timers: refresh',
      run(times) {
        for (let index = 0; index < times; index += 1) timer.refresh()
        return timer
      },
      done: () => wheel.stop(),
    } satisfies Bench
  })(),
  (() => {
    const wheel = new TimerWheel({ unref: true })
    for (let index = 0; index < 9000; index += 1) wheel.start(600_000, owner)
    return {
      name: 'timers: start and cancel beside 9,000 others',
      run(times) {
        for (let index = 0; index < times; index += 1) wheel.start(60_000, owner).cancel()
        return wheel.size
      },
      done: () => wheel.stop(),
    } satisfies Bench
  })(),
  {
    name: 'timers: setTimeout and clearTimeout, for comparison',
    run(times) {
      for (let index = 0; index < times; index += 1) clearTimeout(setTimeout(owner.expired, 60_000))
      return times
    },
  },
]
