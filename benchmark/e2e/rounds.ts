/** Runs one workload turn about (A B C A B C …), so that a machine that slows down slows all of them, and takes medians. */
import type { Contender } from './contenders.ts'
import type { Generators, LoadReport } from './generators.ts'
import { cpuSeconds } from './process-cost.ts'
import type { Workload } from './workloads.ts'

export interface Measured {
  readonly name: string
  readonly perSecond: number
  /** Microseconds of processor time of the proxy per unit; undefined for the direct way. */
  readonly cpuPerUnit: number | undefined
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly failures: number
}

export interface Rounds {
  readonly generators: Generators
  readonly seconds: number
  readonly rounds: number
}

/** One line per contender, in their order; those that do not carry the workload are left out. */
export async function measure(
  workload: Workload,
  contenders: readonly Contender[],
  options: Rounds,
): Promise<Measured[]> {
  const able = contenders.filter((contender) => workload.command(contender, 1) !== undefined)
  const runs = able.map((): Measured[] => [])
  // The first turn warms caches, code and connection tables and is not counted.
  for (const contender of able) await once(workload, contender, options.generators, Math.min(2, options.seconds))
  for (let round = 0; round < options.rounds; round++) {
    for (const [index, contender] of able.entries()) {
      runs[index]?.push(await once(workload, contender, options.generators, options.seconds))
    }
  }
  return runs.map((list) => medians(list))
}

async function once(
  workload: Workload,
  contender: Contender,
  generators: Generators,
  seconds: number,
): Promise<Measured> {
  const command = workload.command(contender, seconds)
  if (command === undefined) throw new Error(`${contender.name} does not carry ${workload.name}`)
  const { pid, name } = contender
  const before = pid === undefined ? 0 : cpuSeconds(pid)
  const report: LoadReport = await generators.load(command.generator, command.args)
  const cpu = pid === undefined ? undefined : cpuSeconds(pid) - before
  const { units, failures, p50, p99, p999 } = report
  const cpuPerUnit = cpu === undefined ? undefined : (cpu * 1e6) / units
  return { name, perSecond: units / report.seconds, cpuPerUnit, p50, p99, p999, failures }
}

function medians(list: readonly Measured[]): Measured {
  const of = (read: (run: Measured) => number): number => median(list.map(read))
  const first = list[0]!
  return {
    name: first.name,
    perSecond: of((run) => run.perSecond),
    cpuPerUnit: first.cpuPerUnit === undefined ? undefined : of((run) => run.cpuPerUnit ?? 0),
    p50: of((run) => run.p50),
    p99: of((run) => run.p99),
    p999: of((run) => run.p999),
    failures: list.reduce((sum, run) => sum + run.failures, 0),
  }
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
