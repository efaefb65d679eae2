/**
 * Real programs for tests: found on the machine, started in a directory of their own, awaited, and stopped by their process id.
 * Which program, and how to see that it answers, is said by the file of each server.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { accessSync, chownSync, constants, globSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { until } from '../until.ts'

/** The path of a program, looked for where distributions put servers as well; undefined when it is not installed. */
export function findProgram(name: string): string | undefined {
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/local/sbin',
    '/usr/sbin',
    '/sbin',
    // The newest version first.
    ...globSync('/usr/lib/postgresql/*/bin').sort().reverse(),
  ]
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

/** Whether all these programs are installed. */
export function installed(...names: readonly string[]): boolean {
  return names.every((name) => findProgram(name) !== undefined)
}

/** What to give to `test` as its `skip`: false, or the programs that are missing, by name. */
export function needs(...names: readonly string[]): string | false {
  const missing = names.filter((name) => findProgram(name) === undefined)
  return missing.length === 0 ? false : `needs ${missing.join(', ')}`
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export interface Account {
  readonly uid: number
  readonly gid: number
}

/** For servers that refuse to run as root: the first of these users that exists. Undefined when this process is not root. */
export function unprivileged(...users: readonly string[]): Account | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const user of [...users, 'nobody']) {
    try {
      const id = (flag: string): number =>
        Number(execFileSync('id', [flag, user], { stdio: ['ignore', 'pipe', 'ignore'] }))
      return { uid: id('-u'), gid: id('-g') }
    } catch {
      // Not on this machine; the next one may be.
    }
  }
  return undefined
}

/** A directory that belongs to the server's user; remove it with `removeDir` (a `Running` does that when it stops). */
export function makeDir(account: Account | undefined): string {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-server-'))
  if (account !== undefined) chownSync(dir, account.uid, account.gid)
  return dir
}

export function removeDir(dir: string): void {
  rmSync(dir, { recursive: true, force: true })
}

/** A port of 127.0.0.1 that nobody holds now, for TCP and UDP. */
export async function freePort(): Promise<number> {
  for (;;) {
    const tcp = createServer()
    await new Promise<void>((done) => tcp.listen(0, '127.0.0.1', done))
    const { port } = tcp.address() as { port: number }
    const udp = createSocket('udp4')
    const free = await new Promise<boolean>((done) => {
      udp.once('error', () => done(false))
      udp.bind(port, '127.0.0.1', () => done(true))
    })
    udp.close()
    await new Promise((done) => tcp.close(done))
    if (free) return port
  }
}

/** Whether somebody accepts connections on a port of 127.0.0.1. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => done(false))
    socket.once('connect', () => {
      socket.destroy()
      done(true)
    })
  })
}

export interface Running {
  readonly port: number
  readonly pid: number
  /** The last 64 KB that the program wrote to standard output and error. */
  output(): string
  /** Ends the process, waits for it, and removes its directory. Idempotent. */
  stop(): Promise<void>
}

export interface StartOptions {
  readonly program: string
  readonly args: readonly string[]
  readonly port: number
  /** Removed when the program has stopped. */
  readonly dir: string
  /** Whether it answers; may throw or reject as long as it does not. */
  readonly answers: () => Promise<boolean>
  readonly account?: Account | undefined
  readonly env?: Readonly<Record<string, string>>
  readonly stopSignal?: NodeJS.Signals
  /** A processor to pin it to. */
  readonly cpu?: number | undefined
  readonly ms?: number
}

/** A process that ends without stopping its programs leaves neither them nor their directories. */
const abandons = new Set<() => void>()
process.once('exit', () => {
  for (const abandon of abandons) abandon()
})

/** Resolves when the program answers; rejects with its output when it ended first or took too long. */
export async function start(options: StartOptions): Promise<Running> {
  const { program, port, dir, account, stopSignal = 'SIGTERM' } = options
  const pin = options.cpu === undefined ? [] : ['taskset', '-c', String(options.cpu)]
  const [file, ...args] = [...pin, program, ...options.args]
  const child = spawn(file!, args, {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    ...account,
  })
  let failure: Error | undefined
  child.once('error', (error) => {
    failure = error
  })
  const output = collect(child)
  const abandon = (): void => {
    child.kill(stopSignal)
    removeDir(dir)
  }
  abandons.add(abandon)
  const stop = async (): Promise<void> => {
    await end(child, stopSignal)
    abandons.delete(abandon)
    removeDir(dir)
  }
  const answers = async (): Promise<boolean> => {
    if (failure !== undefined || hasEnded(child)) return true
    return options.answers().catch(() => false)
  }
  try {
    await until(answers, { ms: options.ms ?? 60_000, what: `an answer of ${program}` })
    if (failure !== undefined) throw failure
    if (hasEnded(child)) throw new Error(`${program} ended by itself (${child.exitCode ?? child.signalCode})`)
  } catch (error) {
    await stop()
    throw new Error(`${program} did not start:\n${output()}`, { cause: error })
  }
  return { port, pid: child.pid!, output, stop }
}

export interface Finished {
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end; rejects with its output when it fails or takes longer than `ms`. */
export function run(
  program: string,
  args: readonly string[],
  { env = {}, ms = 120_000, account, cwd }: RunOptions = {},
): Promise<Finished> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      timeout: ms,
      killSignal: 'SIGKILL',
      ...(cwd === undefined ? {} : { cwd }),
      ...account,
    })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.once('error', fail)
    child.once('close', (code, signal) => {
      if (code === 0) done({ stdout, stderr })
      else fail(new Error(`${program} ${args.join(' ')} failed with ${code ?? signal}:\n${stdout}\n${stderr}`))
    })
  })
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly ms?: number
  readonly account?: Account | undefined
  readonly cwd?: string
}

function collect(child: ChildProcess): () => string {
  let text = ''
  const take = (chunk: string): void => {
    text = (text + chunk).slice(-65536)
  }
  child.stdout?.setEncoding('utf8').on('data', take)
  child.stderr?.setEncoding('utf8').on('data', take)
  return () => text
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined || hasEnded(child)) return
  const ended = new Promise<void>((done) => child.once('exit', () => done()))
  child.kill(signal)
  const patience = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await ended
  clearTimeout(patience)
}
