/** What an HTTP soak has found: lines for the reader, and what must not have happened. */
import type { GatewayStatus } from '../../src/gateway.ts'
import type { WorkerFigures } from './garbage.ts'
import type { BodyCounts } from './http-bodies.ts'
import type { ChangeCounts } from './http-changes.ts'
import type { LoadCounts } from './http-load.ts'
import { type MemorySample, memoryTrend } from './memory-trend.ts'
import type { PoolFigures } from './pool-figures.ts'
import { judgeGateway, judgeMemory, memoryLine, messages } from './verdict.ts'

export interface HttpFindings {
  readonly wire: string
  readonly seconds: number
  /** Of wrk, by the kind of load. */
  readonly load: Readonly<Record<string, LoadCounts>>
  readonly changes: ChangeCounts
  readonly bodies: BodyCounts
  /** Of the client that looks at each answer. */
  readonly looked: number
  /** Every failed request, in words; the first ones only, but all are counted. */
  readonly failures: { readonly count: number; readonly first: readonly string[] }
  /** What ended it before its time. */
  readonly early: string | undefined
  readonly leftOpen: readonly string[]
  readonly status: GatewayStatus | undefined
  readonly log: string
  readonly samples: readonly MemorySample[]
  readonly workers: readonly WorkerFigures[]
  readonly pools: PoolFigures | undefined
  readonly poolsBefore: PoolFigures | undefined
}

export function httpVerdict(findings: HttpFindings): {
  readonly lines: readonly string[]
  readonly violations: readonly string[]
} {
  const { wire, load, changes, failures, early, samples } = findings
  const violations: string[] = []
  const must = (isFine: boolean, what: string): void => void (isFine || violations.push(what))
  must(early === undefined, `${wire}: ended early: ${early}`)
  must(failures.count === 0, `${failures.count} failed requests, the first: ${failures.first[0]}`)
  for (const [name, { requests = 0 }] of Object.entries(load)) must(requests > 0, `wrk, ${name}: no request at all`)
  for (const [name, one] of Object.entries(changes)) must(one.changes > 0, `${name}: no change at all`)
  judgeGateway(findings, must)
  judgeMemory(memoryTrend(samples), must)
  return { lines: [...figures(findings), ...violations.map((what) => `VIOLATION: ${what}`)], violations }
}

function figures(findings: HttpFindings): readonly string[] {
  const { wire, seconds, load, changes, bodies, looked, failures, leftOpen, log, samples, workers, pools } = findings
  const total = Object.values(load).reduce((sum, { requests = 0 }) => sum + requests, 0)
  const changed = Object.values(changes).reduce((sum, one) => sum + one.changes, 0)
  const checks = Object.values(changes).reduce((sum, one) => sum + one.checks, 0)
  const warnings = [...messages(log, ['warn'])].map(([message, count]) => `  ${count} × ${message}`)
  const mib = (of: (worker: WorkerFigures) => number): string =>
    workers.map((worker) => (of(worker) / 2 ** 20).toFixed(1)).join(' and ')
  return [
    `${wire}: ${total} requests of wrk (${Math.round(total / seconds)}/s) and ${looked} others in ${seconds.toFixed(0)} s, ${failures.count} failures`,
    ...Object.entries(load).map(
      ([name, counts]) =>
        `  ${name}: ${Object.entries(counts)
          .filter(([, count]) => count > 0)
          .map(([what, count]) => `${what} ${count}`)
          .join(', ')}`,
    ),
    `  bodies: ${bodies.requests} requests, ${(bodies.bytes / 2 ** 20).toFixed(0)} MiB; ${bodies.gone} clients that went away`,
    `changes: ${changed} (${(changed / seconds).toFixed(1)}/s), ${checks} times looked at what they changed`,
    ...Object.entries(changes).map(([name, one]) => `  ${name}: ${one.changes} changes, ${one.checks} checks`),
    memoryLine(memoryTrend(samples)),
    `descriptors left open: ${leftOpen.length === 0 ? 'none' : leftOpen.join(', ')}`,
    workers.length === 0
      ? 'workers: no figures'
      : `workers: heap ${mib(({ heapUsed }) => heapUsed)} MiB, external ${mib(({ external }) => external)} MiB, ` +
        `${workers.map(({ collections }) => collections).join(' and ')} collections, in use: ${JSON.stringify(pools ?? 'no pools')}`,
    warnings.length === 0 ? 'log: no warnings' : 'log:',
    ...warnings,
  ]
}
