/** Results as text: what was measured and the ratio to nginx, where nginx took part. */
import type { IdleResult } from './idle-memory.ts'
import type { Measured } from './rounds.ts'

export function measuredTable(results: readonly Measured[], unit: string): string {
  const nginx = results.find((result) => result.name === 'nginx')
  const head = [
    '',
    `${unit}s/s`,
    `CPU µs/${unit}`,
    'p50 µs',
    'p99 µs',
    'p99.9 µs',
    'lost',
    'CPU ÷ nginx',
    'rate ÷ nginx',
  ]
  const rows = results.map((result) => [
    result.name,
    whole(result.perSecond),
    result.cpuPerUnit === undefined ? '' : result.cpuPerUnit.toFixed(1),
    whole(result.p50),
    whole(result.p99),
    whole(result.p999),
    result.failures === 0 ? '' : whole(result.failures),
    ratio(result.cpuPerUnit, nginx?.cpuPerUnit),
    ratio(result.perSecond, nginx?.perSecond),
  ])
  return table([head, ...rows])
}

export function idleTable(results: readonly IdleResult[]): string {
  // Over the last two thirds: a runtime has room to spare at first, and sessions that fit into it seem to cost nothing.
  const bytes = (result: IdleResult): number => (result.bytesOpen - result.bytesThird) / ((result.sessions * 2) / 3)
  const overall = (result: IdleResult): number => (result.bytesOpen - result.bytesBefore) / result.sessions
  const nginx = results.find((result) => result.name === 'nginx')
  const head = [
    '',
    'KB/session',
    '÷ nginx',
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
    (bytes(result) / 1024).toFixed(1),
    ratio(bytes(result), nginx === undefined ? undefined : bytes(nginx)),
    (overall(result) / 1024).toFixed(1),
    megabytes(result.bytesBefore),
    megabytes(result.bytesOpen),
    megabytes(result.bytesAfter),
    whole(result.perSecond),
    result.cpuPerSession.toFixed(1),
    whole(result.p99),
  ])
  return table([head, ...rows])
}

/** How far two measurements of the same thing were apart: what a ratio must exceed to mean anything. */
export function noiseLine([a, b]: readonly Measured[]): string {
  if (a === undefined || b === undefined) return 'noise: not measured'
  return `noise (${a.name} against itself): CPU ${ratio(b.cpuPerUnit, a.cpuPerUnit)}, rate ${ratio(b.perSecond, a.perSecond)}`
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function megabytes(bytes: number): string {
  return (bytes / 1048576).toFixed(1)
}

function ratio(value: number | undefined, base: number | undefined): string {
  return value === undefined || base === undefined || base === 0 ? '' : (value / base).toFixed(2)
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ')
  return rows.map(line).join('\n')
}
