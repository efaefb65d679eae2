/**
 * `npm run benchmark`: Sluice on each of its wires beside nginx and HAProxy, on the same work, turn about. Proxies share one
 * processor, load and backends have the other. The options are explained in benchmark/README.md.
 */
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { wires } from '../../src/net/wires.ts'
import { findProgram, needs } from '../../test/support/servers/program.ts'
import { httpSoak } from '../soak/http-soak.ts'
import { soak } from '../soak/soak.ts'
import { besideLoop } from './beside-loop.ts'
import { changeLatency } from './change-latency.ts'
import { compare } from './comparison.ts'
import { type Choice, type Contender, chosenWires, reasonOf } from './contenders.ts'
import { Generators } from './generators.ts'
import { checkHttp } from './http-check.ts'
import { httpEntrants } from './http-contenders.ts'
import { prepareHttpSite } from './http-site.ts'
import { apisixRemark, httpLatency, httpWorkloads } from './http-workloads.ts'
import { type IdleResult, idleMemory } from './idle-memory.ts'
import { describeRun } from './machine.ts'
import { Profiler } from './profile.ts'
import type { Rounds } from './rounds.ts'
import { streamEntrants } from './stream-contenders.ts'
import { Summary } from './summary.ts'
import { base, idleBytes, idleTable } from './table.ts'
import { streamLatency, streamWorkloads } from './workloads.ts'

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const named = (list: readonly { readonly name: string }[]): readonly string[] => list.map(({ name }) => name)
const names = [
  ...named([...streamWorkloads, streamLatency]),
  'idle-memory',
  ...named([...httpWorkloads, httpLatency]),
  'change-latency',
  'beside-loop',
]
/** Only by name: it takes long, compares nobody, and may fail. */
const alone = ['soak', 'http-soak']

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: names.join() },
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '5' },
    sessions: { type: 'string', default: '9000' },
    routes: { type: 'string', default: '10000' },
    trips: { type: 'string', default: '24000000' },
    connections: { type: 'string', default: '1000000' },
    minutes: { type: 'string' },
    seed: { type: 'string', default: '1' },
    wire: { type: 'string', default: 'all' },
    contenders: { type: 'string', default: 'sluice,nginx,haproxy' },
    profile: { type: 'boolean', default: false },
    results: { type: 'string', default: join(import.meta.dirname, '../results') },
  },
})

const wanted = values.only.split(',')
const unknown = wanted.filter((name) => ![...names, ...alone].includes(name))
if (unknown.length > 0) {
  say(`unknown: ${unknown.join()}; there are ${[...names, ...alone].join()}`)
  process.exit(2)
}
if (cpus().length < 2 || findProgram('taskset') === undefined) {
  say('the benchmark needs two processors and taskset: one for the proxy, one for load and backends')
  process.exit(2)
}

// Ended by a signal it leaves nothing running: those who started something end it when this process exits.
for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.on(signal, () => {
    say(`ended by ${signal}`)
    process.exit(status)
  })
}
const loadCpu = 0
const proxyCpu = 1
const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)]
const allWires = wires.map(({ name }) => name)
const choice: Choice = { names: values.contenders.split(','), wires: chosenWires(values.wire, allWires) }
for (const line of describeRun(rounds, seconds)) say(line)
const generators = await Generators.compile(loadCpu)
const summary = new Summary()
const common = { rounds: { generators, seconds, rounds } satisfies Rounds, summary, profiler: profiler(), say }
try {
  await streams()
  await overHttp()
  if (wanted.includes('change-latency')) {
    say('\n## change-latency: changes by the Admin API, until they are in force on every worker')
    say(await changeLatency({ routes: Number(values.routes), changes: 500, workers: 2 }))
  }
  if (wanted.includes('beside-loop')) {
    say('\n## beside-loop: what Node has to do in the thread of a wire, and a thread that rests')
    say(await besideLoop({ wires: choice.wires, seconds, cpu: proxyCpu, generators, say }))
  }
  if (wanted.includes('soak')) await soaks()
  if (wanted.includes('http-soak')) await httpSoaks()
} finally {
  generators.remove()
}
const total = summary.text()
if (total !== undefined) say(`\n## All ratios to ${base}\n${total}`)

function profiler(): Profiler | undefined {
  if (!values.profile) return undefined
  const missing = Profiler.missing()
  if (missing !== undefined) say(`skipped: profiles (${missing})`)
  const folder = join(resolve(values.results), new Date().toISOString().replaceAll(':', '-'))
  return missing === undefined ? new Profiler(folder, generators, seconds) : undefined
}

/** Of each wire that was asked for; the process ends with 1 if one of them did what it must not. */
async function soaks(): Promise<void> {
  const [trips, connections] = [Number(values.trips), Number(values.connections)]
  const [minutes, seed] = [Number(values.minutes ?? 15), Number(values.seed)]
  for (const wire of choice.wires) {
    say(`\n## soak: ${wire}, seed ${seed}`)
    tell(wire, await soak({ wire, trips, connections, minutes, seed, generators, say }))
  }
}

async function httpSoaks(): Promise<void> {
  const missing = needs('wrk', 'nginx')
  if (missing !== false) return say(`skipped: http-soak (${missing}, for load and backends)`)
  const [minutes, seed] = [Number(values.minutes ?? 10), Number(values.seed)]
  for (const wire of choice.wires) {
    say(`\n## http-soak: ${wire}, seed ${seed}`)
    tell(wire, await httpSoak({ wire, minutes, seed, cpu: proxyCpu, loadCpu, say }))
  }
}

function tell(wire: string, violations: readonly string[]): void {
  say(violations.length === 0 ? `${wire}: passed` : `${wire}: ${violations.length} violations`)
  if (violations.length > 0) process.exitCode = 1
}

async function streams(): Promise<void> {
  const workloads = streamWorkloads.filter(({ name }) => wanted.includes(name))
  const rated = wanted.includes(streamLatency.name) ? [streamLatency] : []
  const isIdle = wanted.includes('idle-memory')
  if (workloads.length + rated.length === 0 && !isIdle) return
  const [tcp, udp] = [await generators.hold('tcp-echo'), await generators.hold('udp', ['serve'])]
  try {
    const backends = { tcp: Number(tcp.line), udp: Number(udp.line), cpu: proxyCpu }
    const entrants = streamEntrants(backends, choice)
    await compare({ ...common, entrants, workloads, rated })
    if (isIdle) await idle(entrants.filter(({ name }) => name !== 'direct'))
  } finally {
    await Promise.all([tcp.stop(), udp.stop()])
  }
}

async function overHttp(): Promise<void> {
  const workloads = httpWorkloads.filter(({ name }) => wanted.includes(name))
  const rated = wanted.includes(httpLatency.name) ? [httpLatency] : []
  if (workloads.length + rated.length === 0) return
  const missing = needs('wrk', 'nginx')
  if (missing !== false) return say(`skipped: HTTP (${missing}, for load and backends)`)
  const site = await prepareHttpSite({ loadCpu, proxyCpu, say })
  try {
    const entrants = httpEntrants(site, choice)
    const check = (running: readonly Contender[]): Promise<void> => checkHttp(running, say)
    await compare({ ...common, entrants, workloads, rated, check, remark: apisixRemark })
  } finally {
    await site.stop()
  }
}

async function idle(entrants: ReturnType<typeof streamEntrants>): Promise<void> {
  const sessions = Number(values.sessions)
  say(`\n## idle-memory: ${sessions} TCP sessions without traffic`)
  const results: IdleResult[] = []
  for (const entrant of entrants) {
    try {
      results.push(await idleMemory(entrant, generators, sessions))
    } catch (error) {
      say(`skipped: ${entrant.name} (${reasonOf(error)})`)
    }
  }
  if (results.length === 0) return
  say(idleTable(results))
  const peer = results.find(({ name }) => name === base)
  if (peer === undefined) return
  const others = results.filter((result) => result !== peer)
  summary.add(
    'idle-memory bytes',
    new Map(others.map((one) => [one.name, (idleBytes(one) / idleBytes(peer)).toFixed(2)])),
  )
}
