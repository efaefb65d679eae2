/**
 * A soak of one wire: millions of round trips and connections through the real gateway, while its worker collects garbage all
 * the time, and backends and clients are killed, stopped, reset and come back. Says what was found, and what must not have been.
 */
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { rssMiB } from '../../test/support/rss.ts'
import { until } from '../../test/support/until.ts'
import type { Generators } from '../e2e/generators.ts'
import { cpuSeconds, ownCpuSeconds, scheduling } from '../e2e/process-cost.ts'
import { add, type Counts, Member } from './crew.ts'
import type { WorkerFigures } from './garbage.ts'
import { harm } from './harm.ts'
import type { MemorySample } from './memory-trend.ts'
import { moreOpen, openFiles } from './open-files.ts'
import { quietPort } from './quiet-port.ts'
import { type SoakGateway, startSoakGateway } from './soak-gateway.ts'
import { tlsClients } from './tls-clients.ts'
import { type Findings, verdict } from './verdict.ts'

export interface SoakOptions {
  readonly wire: string
  /** What has to be reached... */
  readonly trips: number
  readonly connections: number
  /** ...within this time. */
  readonly minutes: number
  readonly seed: number
  readonly generators: Generators
  readonly say: (line: string) => void
}

const [warmUpMs, sampleMs, tellMs] = [2000, 2000, 30_000]
/** The worker writes its figures anew each second: those after this time are new. */
const writtenMs = 2500
/** How long the gateway may take to have closed everything, UDP sessions included. */
const closeMs = 30_000

/** Resolves with what must not have happened; nothing: the wire has passed. */
export async function soak(options: SoakOptions): Promise<readonly string[]> {
  const { generators, seed } = options
  const udp = await generators.hold('udp', ['serve'])
  const [steadyPorts, harmedPorts] = [await quietPorts(4), await quietPorts(3)]
  const echo = (port: number, faults: number, harmed: boolean): Member =>
    new Member(generators, {
      name: `echo ${port}`,
      generator: 'soak-echo',
      args: (turn) => [port, faults, seed + turn],
      harmed,
    })
  const backends = [
    ...steadyPorts.map((port) => echo(port, 0, false)),
    ...harmedPorts.map((port) => echo(port, 3000, true)),
  ]
  let gateway: SoakGateway | undefined
  try {
    for (const backend of backends) await backend.start()
    gateway = await startSoakGateway(options.wire, {
      steady: steadyPorts,
      harmed: harmedPorts,
      udp: Number(udp.line),
    })
    return await run(options, gateway, backends)
  } finally {
    await gateway?.stop()
    await Promise.all(backends.map((backend) => backend.end()))
    await udp.stop()
  }
}

async function run(
  options: SoakOptions,
  running: SoakGateway,
  backends: readonly Member[],
): Promise<readonly string[]> {
  const { wire, say } = options
  const { gateway, ports } = running
  say(`ports: ${JSON.stringify({ ...ports, ...gateway.ports })}`)
  await warmUp(options, running)
  await pause(writtenMs)
  const before = openFiles(gateway.pid)
  const poolsBefore = workerFigures(running)?.pools
  const clients = crew(options, ports)
  const stop = new AbortController()
  const harmless = new AbortController()
  const cost = costs(gateway.pid)
  const from = performance.now()
  for (const client of clients) await client.start()
  const tls = tlsClients(ports.tls, running.ca, stop.signal)
  const harmed = harm({
    members: [...backends, ...clients],
    change: (turn) => running.change(turn),
    seed: options.seed,
    signal: harmless.signal,
  })
  const samples: MemorySample[] = []
  const early = await Promise.race([watch(options, running, clients, samples, from), harmed.then(() => undefined)])
  harmless.abort()
  const done = await harmed
  // All backends are there again, and what is under way may end well.
  await pause(1000)
  const seconds = (performance.now() - from) / 1000
  stop.abort()
  for (const client of clients) await client.end()
  const tlsCounts = await tls
  const stillOpen = (): readonly string[] => moreOpen(before, openFiles(gateway.pid))
  await until(() => stillOpen().length === 0, { ms: closeMs }).catch(() => {})
  const leftOpen = stillOpen()
  const { gateway: gatewaySeconds, load: loadSeconds } = cost()
  await pause(writtenMs)
  const worker = workerFigures(running)
  const status = await gateway.status().catch(() => undefined)
  const findings: Findings = {
    wire,
    seconds,
    cpu: { gateway: gatewaySeconds, load: loadSeconds },
    wanted: options,
    counts: Object.fromEntries(clients.map((client) => [client.name, client.counts()])),
    total: tcpCounts(clients),
    tls: tlsCounts,
    harm: done,
    early,
    leftOpen,
    status,
    log: await gateway.log(),
    samples,
    worker,
    pools: worker?.pools,
    poolsBefore,
  }
  const { lines, violations } = verdict(findings)
  for (const line of lines) say(line)
  return violations
}

/** Processor seconds from now on: the gateway's, and those of clients, backends and this process. */
function costs(pid: number): () => { readonly gateway: number; readonly load: number } {
  const now = (): { gateway: number; load: number } => {
    const gateway = cpuSeconds(pid)
    return { gateway, load: ownCpuSeconds() - gateway }
  }
  const before = now()
  return () => {
    const { gateway, load } = now()
    return { gateway: gateway - before.gateway, load: load - before.load }
  }
}

/** A little of everything, so that what is opened once and kept is there before descriptors are counted. */
async function warmUp(options: SoakOptions, { gateway, ports, ca }: SoakGateway): Promise<void> {
  const clients = crew(options, ports)
  const stop = new AbortController()
  for (const client of clients) await client.start()
  const tls = tlsClients(ports.tls, ca, stop.signal)
  await pause(warmUpMs)
  stop.abort()
  await tls
  for (const client of clients) await client.end()
  const atRest = async (): Promise<boolean> => (await gateway.status()).connections.active === 0
  await until(atRest, { ms: closeMs, what: 'the end of all connections of the warm-up' })
}

/** Until enough was done, or time is up. Resolves with what ended it early. */
async function watch(
  options: SoakOptions,
  { gateway }: SoakGateway,
  clients: readonly Member[],
  samples: MemorySample[],
  from: number,
): Promise<string | undefined> {
  let told = from
  let before = scheduling(gateway.pid)
  for (;;) {
    await pause(sampleMs)
    const mib = rssMiB(gateway.pid)
    if (mib === undefined) return 'the gateway is gone'
    const now = performance.now()
    samples.push({ seconds: (now - from) / 1000, mib })
    const { trips = 0, connections = 0 } = tcpCounts(clients)
    const failed = clients.find((client) => client.failed)
    if (failed !== undefined) return `the clients '${failed.name}' ended by themselves`
    if (now - told > tellMs) {
      const { ran, waited } = scheduling(gateway.pid)
      const share = (of: number): string => `${((of * 1e5) / (now - told)).toFixed(0)} %`
      const minutes = ((now - from) / 60_000).toFixed(1)
      options.say(
        `${minutes} min: ${trips} round trips, ${connections} connections, ${mib.toFixed(0)} MiB; ` +
          `the gateway ran ${share(ran - before.ran)}, waited for a processor ${share(waited - before.waited)}`,
      )
      before = { ran, waited }
      told = now
    }
    if (trips >= options.trips && connections >= options.connections) return undefined
    if (now - from > options.minutes * 60_000) return 'time is up'
  }
}

function crew({ generators, seed }: SoakOptions, ports: SoakGateway['ports']): readonly Member[] {
  const streams = (name: string, port: number, args: readonly number[], harmed: boolean, host: number): Member => {
    const [kept = 0, sessions = 0, patienceMs = 0] = args
    return new Member(generators, {
      name,
      generator: 'soak-clients',
      // A session for each 22 round trips: what is wanted is one for 24.
      args: (turn) => [port, host, kept, sessions, 22, patienceMs, seed * 1000 + host + turn],
      harmed,
    })
  }
  return [
    streams('steady', ports.steady, [128, 64, 15_000], false, 10),
    streams('steady, harmed clients', ports.steady, [16, 16, 15_000], true, 20),
    streams('harmed', ports.harmed, [24, 24, 2500], false, 30),
    streams('harmed, harmed clients', ports.harmed, [8, 8, 2500], true, 40),
    new Member(generators, {
      name: 'udp',
      generator: 'soak-udp',
      args: (turn) => [ports.udp, 50, 32, 1500, seed * 1000 + 50 + turn],
      harmed: false,
    }),
  ]
}

function tcpCounts(clients: readonly Member[]): Counts {
  return clients.filter(({ name }) => name !== 'udp').reduce<Counts>((sum, client) => add(sum, client.counts()), {})
}

function workerFigures({ figures }: SoakGateway): WorkerFigures | undefined {
  return existsSync(figures) ? (JSON.parse(readFileSync(figures, 'utf8')) as WorkerFigures) : undefined
}

async function quietPorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>()
  while (ports.size < count) ports.add(await quietPort())
  return [...ports]
}
