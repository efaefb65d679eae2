/** Results as text: what was measured of each contender, and its ratios to nginx where nginx took part. */
import type { IdleResult } from './idle-memory.ts'
import { medians, paired, type Ratio, type Series } from './rounds.ts'

/** Whose figures the ratios are to. */
export const base = 'nginx'

export function measuredTable(results: readonly Series[], unit: string): string {
  const peer = results.find((result) => result.name === base)
  const rows = results.map((series) => {
    const { perSecond, cpuPerUnit, p50, p99, p999, failures } = medians(series)
    return [
      series.name,
      whole(perSecond),
      cpuPerUnit === undefined ? '' : cpuPerUnit.toFixed(1),
      whole(p50),
      whole(p99),
      whole(p999),
      failures === 0 ? '' : whole(failures),
      spread(paired(series, peer, (run) => run.cpuPerUnit)),
      spread(paired(series, peer, (run) => run.perSecond)),
      spread(paired(series, peer, (run) => run.p99)),
    ]
  })
  const ratios = ['CPU', 'rate', 'p99'].map((what) => `${what} ÷ ${base}`)
  return table([['', `${unit}s/s`, `CPU µs/${unit}`, 'p50 µs', 'p99 µs', 'p99.9 µs', 'lost', ...ratios], ...rows])
}

export function idleTable(results: readonly IdleResult[]): string {
  const peer = results.find((result) => result.name === base)
  const head = [
    '',
    'KB/session',
    `÷ ${base}`,
    'from the first on',
    'MB before',
    'MB open',
    'MB closed',
    'opened/s',
    'CPU µs/open',
    'p99 µs',
  ]
  const rows = results.map((result) => [
    result.name,
    (idleBytes(result) / 1024).toFixed(1),
    peer === undefined ? '' : (idleBytes(result) / idleBytes(peer)).toFixed(2),
    ((result.bytesOpen - result.bytesBefore) / result.sessions / 1024).toFixed(1),
    megabytes(result.bytesBefore),
    megabytes(result.bytesOpen),
    megabytes(result.bytesAfter),
    whole(result.perSecond),
    result.cpuPerSession.toFixed(1),
    whole(result.p99),
  ])
  return table([head, ...rows])
}

/** Bytes of a session, over the last two thirds: a runtime has room to spare at first, and what fits into it seems to cost nothing. */
export function idleBytes(result: IdleResult): number {
  return (result.bytesOpen - result.bytesThird) / ((result.sessions * 2) / 3)
}

/** How far two measurements of the same thing were apart: what a ratio must exceed to mean anything. */
export function noiseLine([a, b]: readonly Series[]): string {
  if (a === undefined || b === undefined) return 'noise: not measured'
  const cpu = spread(paired(b, a, (run) => run.cpuPerUnit))
  return `noise (${a.name} against itself): CPU ${cpu}, rate ${spread(paired(b, a, (run) => run.perSecond))}`
}

/** A ratio and, in brackets, the lowest and the highest of its rounds. */
export function spread(ratio: Ratio | undefined): string {
  if (ratio === undefined) return ''
  const { median, low, high } = ratio
  return low === high ? median.toFixed(2) : `${median.toFixed(2)} [${low.toFixed(2)}–${high.toFixed(2)}]`
}

/** Rows under each other, the first column to the left and all others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ')
  return rows.map(line).join('\n')
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function megabytes(bytes: number): string {
  return (bytes / 1048576).toFixed(1)
}
