/** Runs a list of workloads over a list of contenders: noise first, then all turn about, then profiles if they are wanted. */
import { type Contender, type Entrant, startAll, stopAll } from './contenders.ts'
import { atHalfLoad } from './half-load.ts'
import type { Profiler } from './profile.ts'
import { measure, type Rounds } from './rounds.ts'
import type { Summary } from './summary.ts'
import { base, measuredTable, noiseLine } from './table.ts'
import type { RatedWorkload, Workload } from './workloads.ts'

export interface Comparison {
  readonly entrants: readonly Entrant[]
  readonly workloads: readonly Workload[]
  readonly rated: readonly RatedWorkload[]
  readonly rounds: Rounds
  readonly summary: Summary
  readonly profiler: Profiler | undefined
  readonly say: (line: string) => void
  /** Called with all that run, before anything is measured. */
  readonly check?: (running: readonly Contender[]) => Promise<void>
  /** More lines under the table of a workload. */
  readonly remark?: (workload: string) => string | undefined
}

/** All contenders run at once, idle but for the one whose turn it is. */
export async function compare(comparison: Comparison): Promise<void> {
  const { entrants, workloads, rated, profiler, say } = comparison
  if (workloads.length + rated.length === 0) return
  const running = await startAll(entrants, say)
  try {
    await comparison.check?.(running)
    for (const workload of workloads) await compareOne(comparison, workload, running)
    for (const workload of rated) await compareLatency(comparison, workload, running)
  } finally {
    await stopAll(running)
  }
  if (profiler === undefined || workloads.length === 0) return
  for (const entrant of entrants.filter(({ name }) => running.some((one) => one.name === name))) {
    for (const file of await profiler.profile(entrant, workloads)) say(`profile: ${file}`)
  }
}

async function compareOne(comparison: Comparison, workload: Workload, running: readonly Contender[]): Promise<void> {
  const { rounds, summary, say } = comparison
  say(`\n## ${workload.name}: ${workload.title}`)
  const able = running.filter((contender) => workload.command(contender, 1) !== undefined)
  const peer = able.find(({ name }) => name === base) ?? able.find(({ pid }) => pid !== undefined)
  if (peer === undefined) return say('nobody here carries this')
  const same = await measure(workload, [peer, peer], rounds)
  say(noiseLine(same))
  const results = await measure(workload, able, rounds)
  say(measuredTable(results, workload.unit))
  const remark = comparison.remark?.(workload.name)
  if (remark !== undefined) say(remark)
  summary.measured(workload.name, results, same)
}

async function compareLatency(
  comparison: Comparison,
  workload: RatedWorkload,
  running: readonly Contender[],
): Promise<void> {
  const { rounds, summary, say } = comparison
  say(`\n## ${workload.name}: ${workload.title}`)
  const able = running.filter((contender) => workload.most.command(contender, 1) !== undefined)
  const peer = able.find(({ name }) => name === base)
  if (peer === undefined) return say(`skipped: needs ${base}, whose load it is`)
  const { perSecond, results, same } = await atHalfLoad(workload, able, peer, rounds)
  say(`offered: ${Math.round(perSecond).toLocaleString('en')} ${workload.unit}s a second`)
  say(noiseLine(same))
  say(measuredTable(results, workload.unit))
  summary.latency(workload.name, results, same)
}
