/** What figures are worth nothing without: machine, versions, command. */
import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'

/** Lines for the head of the output. */
export function describeRun(rounds: number, seconds: number): readonly string[] {
  const changed = text('git', 'status', '--porcelain', '--untracked-files=no') === '' ? '' : ' with changes'
  return [
    `machine: ${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB; Linux ${release()}`,
    `commit: ${text('git', 'rev-parse', '--short', 'HEAD')}${changed}; Node ${process.version}`,
    `command: npm run benchmark -- ${process.argv.slice(2).join(' ')}`,
    `each figure: median of ${rounds} runs of ${seconds} s, turn about, after a warm-up; [lowest–highest] of the rounds`,
  ]
}

function text(program: string, ...args: string[]): string {
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
