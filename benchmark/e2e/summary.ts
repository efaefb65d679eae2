/** The one table at the end: a row for each workload, a column for each contender, ratios to nginx of the figure that counts. */
import { type Measured, paired, type Series } from './rounds.ts'
import { base, spread, table } from './table.ts'

interface Row {
  readonly what: string
  readonly cells: ReadonlyMap<string, string>
}

export class Summary {
  readonly #rows: Row[] = []

  /** Ratios of processor time and of rate, and nginx against itself. */
  measured(workload: string, results: readonly Series[], same: readonly Series[]): void {
    this.#ratios(`${workload} CPU`, results, same, (run) => run.cpuPerUnit)
    this.#ratios(`${workload} rate`, results, same, (run) => run.perSecond)
  }

  /** Ratios of the slowest hundredth. */
  latency(workload: string, results: readonly Series[], same: readonly Series[]): void {
    this.#ratios(`${workload} p50`, results, same, (run) => run.p50)
    this.#ratios(`${workload} p99`, results, same, (run) => run.p99)
  }

  /** Ratios known already. */
  add(what: string, cells: ReadonlyMap<string, string>): void {
    this.#rows.push({ what, cells })
  }

  /** Undefined when there is nothing to compare with. */
  text(): string | undefined {
    const names = [...new Set(this.#rows.flatMap(({ cells }) => [...cells.keys()]))]
    if (names.length === 0) return undefined
    const rows = this.#rows.map(({ what, cells }) => [what, ...names.map((name) => cells.get(name) ?? '')])
    return table([[`÷ ${base}`, ...names], ...rows])
  }

  #ratios(
    what: string,
    results: readonly Series[],
    [first, second]: readonly Series[],
    read: (run: Measured) => number | undefined,
  ): void {
    const peer = results.find((result) => result.name === base)
    const cells = new Map<string, string>()
    if (first?.name === base) cells.set('noise', spread(paired(second, first, read)))
    for (const series of results) {
      const ratio = series === peer ? undefined : paired(series, peer, read)
      if (ratio !== undefined) cells.set(series.name, spread(ratio))
    }
    if (peer !== undefined) this.#rows.push({ what, cells })
  }
}
