/** Runs one workload turn about (A B C A B C …), so that a machine that slows down slows all of them, and takes medians. */
import type { Contender } from './contenders.ts'
import type { Generators, LoadReport } from './generators.ts'
import { cpuSeconds } from './process-cost.ts'
import type { Workload } from './workloads.ts'

export interface Measured {
  readonly perSecond: number
  /** Microseconds of processor time of the proxy per unit; undefined for the direct way. */
  readonly cpuPerUnit: number | undefined
  /** Microseconds, as all latencies. */
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly failures: number
}

/** What one contender did, round by round. */
export interface Series {
  readonly name: string
  readonly runs: readonly Measured[]
}

export interface Rounds {
  readonly generators: Generators
  readonly seconds: number
  readonly rounds: number
}

/** Enough to compile what is hot. */
const enoughUnits = 40_000

/** One series per contender, in their order; those that do not carry the workload are left out. */
export async function measure(
  workload: Workload,
  contenders: readonly Contender[],
  options: Rounds,
): Promise<Series[]> {
  const able = contenders.filter((contender) => workload.command(contender, 1) !== undefined)
  const series = able.map(({ name }) => ({ name, runs: [] as Measured[] }))
  for (const contender of able) await warmUp(workload, contender, options)
  for (let round = 0; round < options.rounds; round++) {
    for (const [index, contender] of able.entries()) {
      series[index]?.runs.push(await once(workload, contender, options.generators, options.seconds))
    }
  }
  return series
}

/** Not counted: caches and connection tables fill, code is compiled. Where few units fit into it, it is done twice. */
async function warmUp(workload: Workload, contender: Contender, { generators, seconds }: Rounds): Promise<void> {
  const short = Math.min(2, seconds)
  const { perSecond } = await once(workload, contender, generators, short)
  if (perSecond * short < enoughUnits) await once(workload, contender, generators, short)
}

/** One run. */
export async function once(
  workload: Workload,
  contender: Contender,
  generators: Generators,
  seconds: number,
): Promise<Measured> {
  const command = workload.command(contender, seconds)
  if (command === undefined) throw new Error(`${contender.name} does not carry ${workload.name}`)
  const { pid } = contender
  const before = pid === undefined ? 0 : cpuSeconds(pid)
  const report: LoadReport = await generators.load(command)
  const cpu = pid === undefined ? undefined : cpuSeconds(pid) - before
  const { units, failures, p50, p99, p999 } = report
  const cpuPerUnit = cpu === undefined ? undefined : (cpu * 1e6) / units
  return { perSecond: units / report.seconds, cpuPerUnit, p50, p99, p999, failures }
}

/** Of each figure the median; of failures the sum. */
export function medians({ runs }: Series): Measured {
  const of = (read: (run: Measured) => number): number => median(runs.map(read))
  return {
    perSecond: of((run) => run.perSecond),
    cpuPerUnit: runs[0]?.cpuPerUnit === undefined ? undefined : of((run) => run.cpuPerUnit ?? 0),
    p50: of((run) => run.p50),
    p99: of((run) => run.p99),
    p999: of((run) => run.p999),
    failures: runs.reduce((sum, run) => sum + run.failures, 0),
  }
}

export interface Ratio {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** One figure of two series, divided round by round, so that what disturbed both in a round is in neither ratio. */
export function paired(
  of: Series | undefined,
  to: Series | undefined,
  read: (run: Measured) => number | undefined,
): Ratio | undefined {
  const ratios: number[] = []
  for (const [round, run] of (of?.runs ?? []).entries()) {
    const other = to?.runs[round]
    const [upper, lower] = [read(run), other === undefined ? undefined : read(other)]
    if (upper !== undefined && lower !== undefined && lower > 0) ratios.push(upper / lower)
  }
  if (ratios.length === 0) return undefined
  return { median: median(ratios), low: Math.min(...ratios), high: Math.max(...ratios) }
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
