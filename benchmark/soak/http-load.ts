/** The steady load of an HTTP soak: wrk, plain and over TLS, on connections that are kept and on new ones, run after run. */
import { join } from 'node:path'
import { findProgram, run } from '../../test/support/servers/program.ts'
import { steadyCount, steadyKey } from './http-steady.ts'

export interface LoadOptions {
  readonly ports: { readonly http: number; readonly https: number }
  readonly cpu: number
  /** How long all of it takes. */
  readonly seconds: number
  /** Ends it after the runs that are under way. */
  readonly signal: AbortSignal
  readonly failed: (what: string) => void
}

/** What wrk has counted, by the script; `runs` of it. */
export type LoadCounts = Record<string, number>

interface Kind {
  readonly name: string
  readonly connections: number
  readonly secure: boolean
  /** A new connection for each request. */
  readonly fresh: boolean
  /** At its end a run breaks off what is under way, so that happens as well. */
  readonly runSeconds: number
}

const kinds: readonly Kind[] = [
  { name: 'plain', connections: 24, secure: false, fresh: false, runSeconds: 45 },
  { name: 'plain, new connections', connections: 4, secure: false, fresh: true, runSeconds: 10 },
  { name: 'TLS', connections: 12, secure: true, fresh: false, runSeconds: 45 },
  { name: 'TLS, new connections', connections: 2, secure: true, fresh: true, runSeconds: 10 },
]
const script = join(import.meta.dirname, '../load/soak.lua')
const answerSeconds = 20
const failures = ['connect', 'read', 'write', 'timeout', 'wrong']

/** Resolves when time is up, with the counts of each kind by its name. */
export async function steadyLoad(options: LoadOptions): Promise<Readonly<Record<string, LoadCounts>>> {
  const end = performance.now() + options.seconds * 1000
  const entries = kinds.map(async (kind): Promise<[string, LoadCounts]> => {
    const counts: LoadCounts = { runs: 0, requests: 0 }
    for (;;) {
      const seconds = Math.min(kind.runSeconds, Math.floor((end - performance.now()) / 1000))
      if (seconds < 1 || options.signal.aborted) return [kind.name, counts]
      await runOnce(options, kind, seconds, counts)
    }
  })
  return Object.fromEntries(await Promise.all(entries))
}

async function runOnce({ ports, cpu, failed }: LoadOptions, kind: Kind, seconds: number, counts: LoadCounts) {
  const { name, connections, secure, fresh } = kind
  const url = secure ? `https://localhost:${ports.https}/` : `http://localhost:${ports.http}/`
  const from = (counts['runs'] ?? 0) % steadyCount
  const args = [
    ...['-c', cpu, 'nice', '-n', 5, findProgram('wrk') ?? 'wrk', '--threads', 1, '--connections', connections],
    ...['--duration', `${seconds}s`, '--timeout', `${answerSeconds}s`, '--script', script],
    ...['--header', `apikey: ${steadyKey}`, ...(fresh ? ['--header', 'Connection: close'] : [])],
    ...[url, '--', steadyCount, from],
  ]
  const { stdout } = await run('taskset', args.map(String))
  const lines = stdout.trim().split('\n')
  const told = JSON.parse(lines.at(-1) ?? '') as LoadCounts
  for (const line of lines) if (line.startsWith('WRONG ')) failed(`wrk, ${name}: ${line}`)
  for (const kindOf of failures) if ((told[kindOf] ?? 0) > 0) failed(`wrk, ${name}: ${told[kindOf]} × ${kindOf}`)
  counts['runs'] = (counts['runs'] ?? 0) + 1
  for (const [what, count] of Object.entries(told)) {
    if (what === 'slowestMs') counts[what] = Math.max(counts[what] ?? 0, count)
    else counts[what] = (counts[what] ?? 0) + count
  }
}
