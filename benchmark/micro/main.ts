/** Runs the micro benchmarks whose name contains the first argument; all without one. `--quick`: short runs, to see that they work. */

import { format, measure } from './harness.ts'
import { benches as http1Codec } from './protocols/http1/codec.bench.ts'
import { benches as http1Connection } from './protocols/http1/connection.bench.ts'
import { benches as pick } from './src/balancer/pick.bench.ts'
import { benches as ring } from './src/balancer/ring.bench.ts'
import { benches as sharedCounters } from './src/base/shared-counters.bench.ts'
import { benches as timers } from './src/base/timers.bench.ts'
import { benches as httpRoad } from './src/forward/http-road.bench.ts'
import { benches as expression } from './src/route/expression.bench.ts'
import { benches as httpMatch } from './src/route/http-match.bench.ts'
import { benches as router } from './src/route/stream-router.bench.ts'

const all = [
  ...sharedCounters,
  ...timers,
  ...pick,
  ...ring,
  ...expression,
  ...router,
  ...httpMatch,
  ...http1Codec,
  ...http1Connection,
  ...httpRoad,
]
const args = process.argv.slice(2)
const wanted = args.find((arg) => !arg.startsWith('--')) ?? ''
const options = args.includes('--quick') ? { runMs: 2, runs: 3 } : {}

process.stdout.write(`${process.version} ${process.platform}-${process.arch}\n`)
for (const bench of all) {
  if (bench.name.includes(wanted)) process.stdout.write(`${format(measure(bench, options))}\n`)
}
