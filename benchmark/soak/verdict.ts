/** What a soak has found: lines for the reader, and what must not have happened. */
import type { GatewayStatus } from '../../src/gateway.ts'
import type { Counts } from './crew.ts'
import type { WorkerFigures } from './garbage.ts'
import type { HarmDone } from './harm.ts'
import { type MemorySample, type MemoryTrend, memoryTrend } from './memory-trend.ts'
import type { PoolFigures } from './pool-figures.ts'
import type { TlsCounts } from './tls-clients.ts'

export interface Findings {
  readonly wire: string
  readonly seconds: number
  /** Processor seconds. */
  readonly cpu: { readonly gateway: number; readonly load: number }
  readonly wanted: { readonly trips: number; readonly connections: number }
  /** By the names of the clients. */
  readonly counts: Readonly<Record<string, Counts>>
  /** Of all TCP clients. */
  readonly total: Counts
  readonly tls: TlsCounts
  readonly harm: HarmDone
  /** What ended it before enough was done. */
  readonly early: string | undefined
  /** Descriptors beyond those that were there before the first client. */
  readonly leftOpen: readonly string[]
  /** Undefined when the gateway does not answer. */
  readonly status: GatewayStatus | undefined
  readonly log: string
  readonly samples: readonly MemorySample[]
  readonly worker: WorkerFigures | undefined
  /** What was in use of the wire's pools at the end, and at rest before; undefined where the wire has none. */
  readonly pools: PoolFigures | undefined
  readonly poolsBefore: PoolFigures | undefined
}

/** How much memory may rise over the time that is looked at, MiB and share of it; the larger counts. */
const [allowedMib, allowedShare] = [16, 0.1]
/** Of datagrams to a backend that is well, what may be lost. */
const allowedLoss = 0.001
const severe = ['error', 'crit', 'alert', 'emerg']

export function verdict(findings: Findings): {
  readonly lines: readonly string[]
  readonly violations: readonly string[]
} {
  const violations: string[] = []
  const must = (isFine: boolean, what: string): void => void (isFine || violations.push(what))
  const trend = memoryTrend(findings.samples)
  judgeTraffic(findings, must)
  judgeGateway(findings, must)
  judgeMemory(trend, must)
  return { lines: [...figures(findings, trend), ...violations.map((what) => `VIOLATION: ${what}`)], violations }
}

export type Must = (isFine: boolean, what: string) => void

export function judgeMemory(trend: MemoryTrend | undefined, must: Must): void {
  if (trend === undefined) return
  const allowed = Math.max(allowedMib, trend.mean * allowedShare)
  must(trend.growth <= allowed, `memory rose by ${trend.growth.toFixed(1)} MiB, allowed are ${allowed.toFixed(1)}`)
}

function judgeTraffic({ wanted, total, counts, tls, early, wire }: Findings, must: Must): void {
  must(early === undefined, `${wire}: ended early: ${early}`)
  const { trips = 0, connections = 0 } = total
  must(trips >= wanted.trips, `${trips} round trips, wanted were ${wanted.trips}`)
  must(connections >= wanted.connections, `${connections} connections, wanted were ${wanted.connections}`)
  for (const [name, { wrong = 0, refused = 0, cut = 0, gaveUp = 0, lost = 0, trips: done = 0 }] of Object.entries(
    counts,
  )) {
    must(wrong === 0, `${name}: ${wrong} times other bytes than were sent`)
    must(done > 0, `${name}: nothing came back at all`)
    if (name === 'udp') must(lost <= done * allowedLoss, `${name}: ${lost} datagrams of ${done} lost`)
    if (!name.startsWith('steady')) continue
    must(refused + cut + gaveUp === 0, `${name}: ${refused} refused, ${cut} cut off, ${gaveUp} stuck`)
  }
  must(tls.wrong === 0, `tls: ${tls.wrong} times other bytes than were sent`)
  must(tls.failures === 0, `tls: ${tls.failures} sessions failed, the last with ${tls.lastFailure}`)
}

type GatewayFindings = Pick<Findings, 'leftOpen' | 'status' | 'log' | 'pools' | 'poolsBefore'>

/** What is left when all clients have gone. */
export function judgeGateway(findings: GatewayFindings, must: Must): void {
  const { leftOpen, status, log } = findings
  must(leftOpen.length === 0, `descriptors that were not open before: ${leftOpen.join(', ')}`)
  must(status !== undefined, 'the gateway does not answer any more')
  const restarts = status?.workers.reduce((sum, one) => sum + one.restarts, 0) ?? 0
  must(restarts === 0, `workers were replaced ${restarts} times`)
  const active = status?.connections.active ?? 0
  must(active === 0, `the gateway counts ${active} connections after all have closed`)
  for (const [message, count] of messages(log, severe)) must(false, `${count} times in the log: ${message}`)
  const { pools, poolsBefore } = findings
  must(pools === undefined || Object.keys(pools).length > 0, 'no pool was found inside the wire')
  for (const [name, count] of Object.entries(pools ?? {})) {
    const before = poolsBefore?.[name] ?? 0
    // JSON has no NaN: a pool that was found but did not tell is null.
    must(count !== null && count <= before, `${count} of '${name}' are in use at the end, ${before} were before`)
  }
}

function figures(
  { wire, seconds, cpu, total, counts, tls, harm, leftOpen, log, worker, pools }: Findings,
  trend?: MemoryTrend,
) {
  const { trips = 0, connections = 0, bytes = 0 } = total
  const each = Object.entries(counts).map(([name, of]) => {
    const parts = Object.entries(of).filter(([, count]) => count > 0)
    return `  ${name}: ${parts.map(([what, count]) => `${what} ${count}`).join(', ')}`
  })
  const warnings = [...messages(log, ['warn'])].map(([message, count]) => `  ${count} × ${message}`)
  const micros = (of: number): string => ((of * 1e6) / Math.max(1, trips)).toFixed(1)
  const mib = (of: number): string => (of / 2 ** 20).toFixed(1)
  return [
    `${wire}: ${trips} round trips (${Math.round(trips / seconds)}/s), ${connections} connections, ${mib(bytes)} MiB in ${seconds.toFixed(0)} s`,
    ...each,
    `  tls: ${tls.sessions} sessions`,
    `processor µs for each round trip: gateway ${micros(cpu.gateway)}, clients and backends ${micros(cpu.load)}`,
    `harm: ${harm.kills} killed, ${harm.stops} stopped for a while, ${harm.changes} changes of an upstream`,
    memoryLine(trend),
    `descriptors left open: ${leftOpen.length === 0 ? 'none' : leftOpen.join(', ')}`,
    worker === undefined
      ? 'worker: no figures'
      : `worker: heap ${mib(worker.heapUsed)} MiB, external ${mib(worker.external)} MiB, ${worker.collections} collections, in use: ${JSON.stringify(pools ?? 'no pools')}`,
    warnings.length === 0 ? 'log: no warnings' : 'log:',
    ...warnings,
  ]
}

export function memoryLine(trend: MemoryTrend | undefined): string {
  if (trend === undefined) return 'memory: too few samples'
  const { mean, perMinute, growth, samples } = trend
  return `memory: ${mean.toFixed(1)} MiB, slope ${perMinute.toFixed(2)} MiB/min, ${growth.toFixed(1)} MiB over ${samples} samples`
}

/** Lines of these levels, and how often each message stands there. */
export function messages(log: string, levels: readonly string[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (const line of log.split('\n')) {
    if (!line.startsWith('{')) {
      // What Node itself says when it dies, and what the start said.
      if (levels !== severe || !/fatal|abort|segmentation|assert/i.test(line)) continue
      found.set(line, (found.get(line) ?? 0) + 1)
      continue
    }
    const { level, msg, suppressed = 1 } = JSON.parse(line) as { level: string; msg: string; suppressed?: number }
    if (levels.includes(level)) found.set(msg, (found.get(msg) ?? 0) + suppressed)
  }
  return found
}
