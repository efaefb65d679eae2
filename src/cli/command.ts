/** What every command gets and returns. A command speaks through its context and never ends the process itself. */
import type { HomeFiles } from './home.ts'

export interface Context {
  readonly files: HomeFiles
  /** Of `-c`, absolute; undefined: not given. */
  readonly configFile: string | undefined
  readonly json: boolean
  readonly foreground: boolean
  /** Started by `start` in the background, which waits on the IPC channel for word. */
  readonly daemon: boolean
  /** One line for the operator. */
  say(line: string): void
  /** One line of complaint. */
  warn(line: string): void
}

/** Resolves with the exit status. What it throws is printed as its message, and the status is 1. */
export type Command = (context: Context) => Promise<number>

export const ok = 0
export const failed = 1
/** Of `status` when nothing runs: what init scripts of Linux expect. */
export const notRunning = 3

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
