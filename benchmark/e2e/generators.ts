/**
 * The load generators and echo servers: C programs of benchmark/load, compiled at run time and pinned to the load's processor,
 * and wrk. C, so that the load costs little beside what is measured.
 */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { findProgram, run } from '../../test/support/servers/program.ts'
import type { Command } from './workloads.ts'

const sources = [
  'tcp-echo',
  'tcp-rr',
  'tcp-rate',
  'tcp-sessions',
  'tcp-idle',
  'udp',
  'http-rate',
  'soak-echo',
  'soak-clients',
  'soak-udp',
] as const
const folder = join(import.meta.dirname, '../load')

/** They end with this process, however it ends. */
const alive = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

/** `wrk` takes what wrk does, without the script that prints its report. */
export type Generator = (typeof sources)[number] | 'wrk'

/** What a generator prints when it is done. Latencies are microseconds. */
export interface LoadReport {
  readonly units: number
  readonly failures: number
  readonly seconds: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

/** A generator that goes on: an echo server, or sessions that are held open. */
export interface Held {
  readonly pid: number
  /** The line that it printed when it was ready. */
  readonly line: string
  /** What it has printed last. */
  last(): string
  kill(signal: NodeJS.Signals): void
  /** Resolves when it has ended, by itself or by a signal. */
  readonly ended: Promise<void>
  readonly hasEnded: boolean
  stop(): Promise<void>
}

export class Generators {
  readonly #dir: string
  readonly #cpu: number

  constructor(dir: string, cpu: number) {
    this.#dir = dir
    this.#cpu = cpu
  }

  /** Compiles all of them; rejects when there is no compiler. */
  static async compile(cpu: number): Promise<Generators> {
    const compiler = findProgram('gcc') ?? findProgram('cc')
    if (compiler === undefined) throw new Error('the benchmark needs a C compiler (gcc)')
    const dir = mkdtempSync(join(tmpdir(), 'sluice-load-'))
    process.once('exit', () => rmSync(dir, { recursive: true, force: true }))
    for (const name of sources) {
      await run(compiler, ['-O2', '-Wall', '-o', join(dir, name), join(folder, `${name}.c`)])
    }
    return new Generators(dir, cpu)
  }

  /** Runs one to its end. */
  async load({ generator, args }: Command): Promise<LoadReport> {
    const { stdout } = await run('taskset', ['-c', String(this.#cpu), ...this.#program(generator), ...args.map(String)])
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as LoadReport
  }

  /** Starts one and resolves at its first line. */
  hold(name: Generator, args: readonly (string | number)[] = []): Promise<Held> {
    const all = ['-c', String(this.#cpu), ...this.#program(name), ...args.map(String)]
    const child = spawn('taskset', all, { stdio: ['pipe', 'pipe', 'inherit'] })
    alive.add(child)
    const ended = new Promise<void>((done) => child.once('exit', () => done()))
    child.once('exit', () => alive.delete(child))
    return new Promise((ready, fail) => {
      let line: string | undefined
      let [last, rest] = ['', '']
      child.once('error', fail)
      child.once('exit', (code) => fail(new Error(`${name} ended with ${code}`)))
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n')
        rest = lines.pop() ?? ''
        last = lines.at(-1) ?? last
        if (line !== undefined || lines[0] === undefined) return
        line = lines[0]
        const kill = (signal: NodeJS.Signals): void => void child.kill(signal)
        ready({
          pid: child.pid ?? 0,
          line,
          last: () => last,
          kill,
          ended,
          get hasEnded() {
            return hasEnded(child)
          },
          stop: () => stop(child),
        })
      })
    })
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true })
  }

  #program(name: Generator): readonly string[] {
    if (name !== 'wrk') return [join(this.#dir, name)]
    return [findProgram('wrk') ?? 'wrk', '--threads', '1', '--script', join(folder, 'wrk.lua')]
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

/** Also one that is stopped by SIGSTOP. */
function stop(child: ChildProcessByStdio<Writable, Readable, null>): Promise<void> {
  return new Promise((done) => {
    if (hasEnded(child)) return done()
    child.once('exit', () => done())
    child.kill()
    child.kill('SIGCONT')
  })
}
