/**
 * Latency at half load: what nginx alone can take is found first, then all contenders get half of it, at a fixed rate that does
 * not wait for answers, turn about.
 */
import type { Contender } from './contenders.ts'
import { measure, median, once, type Rounds, type Series } from './rounds.ts'
import type { RatedWorkload } from './workloads.ts'

export interface HalfLoad {
  readonly perSecond: number
  readonly results: readonly Series[]
  /** The peer against itself. */
  readonly same: readonly Series[]
}

/** `peer`, one of the contenders, sets the rate and is measured against itself. */
export async function atHalfLoad(
  workload: RatedWorkload,
  contenders: readonly Contender[],
  peer: Contender,
  options: Rounds,
): Promise<HalfLoad> {
  const rates: number[] = []
  await once(workload.most, peer, options.generators, Math.min(2, options.seconds))
  for (let run = 0; run < 3; run++) {
    rates.push((await once(workload.most, peer, options.generators, options.seconds)).perSecond)
  }
  const perSecond = median(rates) / 2
  const rated = workload.at(perSecond)
  const same = await measure(rated, [peer, peer], options)
  return { perSecond, same, results: await measure(rated, contenders, options) }
}
