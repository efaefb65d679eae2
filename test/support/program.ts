/** Runs a program to its end, or starts one and watches what it says: for tests of the command line. */
import { type ChildProcess, spawn } from 'node:child_process'
import { until } from './until.ts'

export interface Outcome {
  /** The exit status; undefined when a signal ended it. */
  readonly status: number | undefined
  readonly signal: NodeJS.Signals | undefined
  readonly out: string
  readonly err: string
}

export interface ProgramOptions {
  readonly cwd?: string
  /** Replaces the whole environment. */
  readonly env?: NodeJS.ProcessEnv
}

export interface Program {
  readonly process: ChildProcess
  readonly ended: Promise<Outcome>
  /** Standard output and error so far, in the order they came. */
  text(): string
  /** Resolves when the text contains that; rejects with the text when the program ended before. */
  says(what: string | RegExp, ms?: number): Promise<void>
}

export function startProgram(file: string, args: readonly string[], options: ProgramOptions = {}): Program {
  const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  let text = ''
  let over = false
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    out += part
    text += part
  })
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    err += part
    text += part
  })
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status, signal) => {
      over = true
      resolve({ status: status ?? undefined, signal: signal ?? undefined, out, err })
    })
  })
  ended.catch(() => {})
  return {
    process: child,
    ended,
    text: () => text,
    says: async (what, ms = 20_000) => {
      const said = (): boolean => (typeof what === 'string' ? text.includes(what) : what.test(text))
      try {
        await until(() => said() || over, { ms, what: `'${what}'` })
      } catch (error) {
        throw new Error(`${error instanceof Error ? error.message : error}; it said:\n${text}`)
      }
      if (!said()) throw new Error(`the program ended before it said '${what}'; it said:\n${text}`)
    },
  }
}

/** Runs a program to its end. Rejects only when it could not be run at all. */
export function runProgram(file: string, args: readonly string[], options: ProgramOptions = {}): Promise<Outcome> {
  return startProgram(file, args, options).ended
}
