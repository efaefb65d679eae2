/**
 * Profiles of what was measured, by perf: kernel, Node and JavaScript in one. Each contender is started once more for it,
 * Node with the map of its code that perf reads. Nothing is measured meanwhile.
 */
import { globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram, run } from '../../test/support/servers/program.ts'
import type { Entrant } from './contenders.ts'
import type { Generators } from './generators.ts'
import { processTree } from './process-cost.ts'
import { once } from './rounds.ts'
import type { Workload } from './workloads.ts'

const mapped = { NODE_OPTIONS: '--perf-basic-prof' }

export class Profiler {
  readonly #folder: string
  readonly #generators: Generators
  readonly #seconds: number

  constructor(folder: string, generators: Generators, seconds: number) {
    mkdirSync(folder, { recursive: true })
    this.#folder = folder
    this.#generators = generators
    this.#seconds = seconds
  }

  /** Why there can be no profiles; undefined: there can. */
  static missing(): string | undefined {
    return findProgram('perf') === undefined ? 'needs perf' : undefined
  }

  /** Runs each workload once under perf. Resolves with a line for each: the files with a report by symbol and folded stacks. */
  async profile(entrant: Entrant, workloads: readonly Workload[]): Promise<readonly string[]> {
    const contender = await entrant.start(mapped)
    const { pid } = contender
    try {
      if (pid === undefined) return []
      const able = workloads.filter((workload) => workload.command(contender, 1) !== undefined)
      const files: string[] = []
      for (const workload of able) {
        await once(workload, contender, this.#generators, Math.min(2, this.#seconds))
        const data = join(this.#folder, 'perf.data')
        const recorded = run('perf', this.#record(pid, data))
        await Promise.all([recorded, once(workload, contender, this.#generators, this.#seconds)])
        files.push(await this.#write(data, `${workload.name}-${entrant.name.replaceAll(' ', '-')}`))
        rmSync(data)
      }
      return files
    } finally {
      await contender.stop()
      if (pid !== undefined) for (const file of globSync(`/tmp/perf-${pid}.map`)) rmSync(file)
    }
  }

  #record(pid: number, data: string): readonly string[] {
    const pids = processTree(pid).join()
    return ['record', '-q', '-g', '-F', '1999', '-p', pids, '-o', data, '--', 'sleep', String(this.#seconds)]
  }

  async #write(data: string, name: string): Promise<string> {
    const [report, folded] = [join(this.#folder, `${name}.report.txt`), join(this.#folder, `${name}.folded.txt`)]
    const bySymbol = ['report', '--stdio', '-i', data, '--no-children', '-g', 'none', '--percent-limit', '0.2']
    const { stdout } = await run('perf', [...bySymbol, '--sort', 'dso,symbol'])
    // Columns are as wide as the longest symbol, which no screen is.
    writeFileSync(report, stdout.replaceAll(/ {3,}/g, '  ').replaceAll(/[ .-]+$/gm, ''))
    writeFileSync(folded, foldStacks((await run('perf', ['script', '-i', data, '-F', 'comm,ip,sym'])).stdout))
    return `${join(this.#folder, name)}.{report,folded}.txt`
  }
}

/** Output of `perf script` as one line for each different stack, outermost frame first, and how often it was seen. */
export function foldStacks(script: string): string {
  const counts = new Map<string, number>()
  for (const sample of script.split('\n\n')) {
    const [command, ...frames] = sample.trim().split('\n')
    if (command === undefined || frames.length === 0) continue
    const names = frames.map((frame) => frame.trim().replace(/^[0-9a-f]+ /, '')).reverse()
    const stack = [command.trim(), ...names].join(';')
    counts.set(stack, (counts.get(stack) ?? 0) + 1)
  }
  const lines = [...counts].sort((a, b) => b[1] - a[1]).map(([stack, count]) => `${stack} ${count}`)
  return `${lines.join('\n')}\n`
}
