/**
 * `npm run benchmark -- [--only tcp-rr,idle-memory] [--seconds 5] [--rounds 5] [--sessions 9000] [--routes 10000] [--wire auto]`
 * Sluice beside nginx and HAProxy on the same work: proxies share one processor, load and backends have the other.
 */
import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findProgram } from '../../test/support/servers/program.ts'
import { changeLatency } from './change-latency.ts'
import { type Bench, type Contender, contenders, type Start } from './contenders.ts'
import { Generators } from './generators.ts'
import { idleMemory } from './idle-memory.ts'
import { measure, type Rounds } from './rounds.ts'
import { idleTable, measuredTable, noiseLine } from './table.ts'
import { type Workload, workloads } from './workloads.ts'

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const names = [...workloads.map((workload) => workload.name), 'idle-memory', 'change-latency']

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: names.join() },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
    sessions: { type: 'string', default: '9000' },
    routes: { type: 'string', default: '10000' },
    wire: { type: 'string', default: 'auto' },
    contenders: { type: 'string', default: 'direct,sluice,nginx,haproxy' },
  },
})

const wanted = values.only.split(',')
const unknown = wanted.filter((name) => !names.includes(name))
if (unknown.length > 0) {
  say(`unknown: ${unknown.join()}; there are ${names.join()}`)
  process.exit(2)
}
if (cpus().length < 2 || findProgram('taskset') === undefined) {
  say('the benchmark needs two processors and taskset: one for the proxy, one for load and backends')
  process.exit(2)
}

const loadCpu = 0
const proxyCpu = 1
describe()
const generators = await Generators.compile(loadCpu)
const [tcpEcho, udpEcho] = [await generators.hold('tcp-echo'), await generators.hold('udp', ['serve'])]
const bench: Bench = {
  tcpBackend: Number(tcpEcho.line),
  udpBackend: Number(udpEcho.line),
  cpu: proxyCpu,
  wire: values.wire,
  say,
}
const chosen = new Map([...contenders(say)].filter(([name]) => values.contenders.split(',').includes(name)))
try {
  await loads(workloads.filter((workload) => wanted.includes(workload.name)))
  if (wanted.includes('idle-memory')) await idle(Number(values.sessions))
  if (wanted.includes('change-latency')) {
    say('\n## change-latency: changes by the Admin API, until they are in force on every worker')
    say(await changeLatency({ routes: Number(values.routes), changes: 500, workers: 2 }))
  }
} finally {
  await Promise.all([tcpEcho.stop(), udpEcho.stop()])
  generators.remove()
}

/** All contenders run at once, idle but for the one whose turn it is. */
async function loads(list: readonly Workload[]): Promise<void> {
  if (list.length === 0) return
  const running: Contender[] = []
  const rounds: Rounds = { generators, seconds: Number(values.seconds), rounds: Number(values.rounds) }
  try {
    for (const start of chosen.values()) running.push(await start(bench))
    const same =
      running.find((contender) => contender.name === 'nginx') ?? running.find((each) => each.pid !== undefined)
    for (const workload of list) {
      say(`\n## ${workload.name}: ${workload.title}`)
      if (same !== undefined) say(noiseLine(await measure(workload, [same, same], rounds)))
      say(measuredTable(await measure(workload, running, rounds), workload.unit))
    }
  } finally {
    await Promise.all(running.map((contender) => contender.stop()))
  }
}

async function idle(sessions: number): Promise<void> {
  say(`\n## idle-memory: ${sessions} TCP sessions without traffic`)
  const weighed: [string, Start][] = [...chosen].filter(([name]) => name !== 'direct')
  const results = []
  for (const [, start] of weighed) results.push(await idleMemory(start, bench, generators, sessions))
  say(idleTable(results))
}

function describe(): void {
  const text = (program: string, ...args: string[]): string => {
    try {
      return execFileSync(program, args, {
        cwd: join(import.meta.dirname, '../..'),
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      }).trim()
    } catch {
      return 'unknown'
    }
  }
  const changed = text('git', 'status', '--porcelain', '--untracked-files=no') === '' ? '' : ' with changes'
  say(`machine: ${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB; Linux ${release()}`)
  say(`commit: ${text('git', 'rev-parse', '--short', 'HEAD')}${changed}; Node ${process.version}`)
  say(`command: npm run benchmark -- ${process.argv.slice(2).join(' ')}`)
  say(`each figure: median of ${values.rounds} runs of ${values.seconds} s, turn about, after a warm-up`)
}
