/**
 * The load generators and echo servers: C programs of benchmark/load, compiled at run time and pinned to the load's processor.
 * C, so that the load costs little beside what is measured.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { findProgram, run } from '../../test/support/servers/program.ts'

const sources = ['tcp-echo', 'tcp-rr', 'tcp-sessions', 'tcp-idle', 'udp'] as const
export type Generator = (typeof sources)[number]

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
  /** The line that it printed when it was ready. */
  readonly line: string
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
    const folder = join(import.meta.dirname, '../load')
    for (const name of sources) {
      await run(compiler, ['-O2', '-Wall', '-o', join(dir, name), join(folder, `${name}.c`)])
    }
    return new Generators(dir, cpu)
  }

  /** Runs one to its end. */
  async load(name: Generator, args: readonly (string | number)[]): Promise<LoadReport> {
    const { stdout } = await run('taskset', ['-c', String(this.#cpu), join(this.#dir, name), ...args.map(String)])
    return JSON.parse(stdout) as LoadReport
  }

  /** Starts one and resolves at its first line. */
  hold(name: Generator, args: readonly (string | number)[] = []): Promise<Held> {
    const child = spawn('taskset', ['-c', String(this.#cpu), join(this.#dir, name), ...args.map(String)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    return new Promise((done, fail) => {
      let text = ''
      child.once('error', fail)
      child.once('exit', (code) => fail(new Error(`${name} ended with ${code}`)))
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
        if (text.includes('\n')) done({ line: text.trim(), stop: () => stop(child) })
      })
    })
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true })
  }
}

function stop(child: ChildProcessByStdio<Writable, Readable, null>): Promise<void> {
  return new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) return done()
    child.once('exit', () => done())
    child.kill()
  })
}
