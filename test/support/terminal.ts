/** Commands of documents, run as a reader would: what they are, what they show, and a shell to run them in. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { until } from './until.ts'

export interface ConsoleStep {
  readonly command: string
  readonly output: string
}

/** The commands of all console blocks, each with the lines that follow it. */
export function consoleSteps(markdown: string): readonly ConsoleStep[] {
  const found: { command: string; output: string }[] = []
  for (const [, block = ''] of markdown.matchAll(/^```console\n(.*?)^```/gms)) {
    for (const line of block.trimEnd().split('\n')) {
      if (line.startsWith('$ ')) found.push({ command: line.slice(2), output: '' })
      else (found.at(-1) as { output: string }).output += `${line}\n`
    }
  }
  return found
}

/** `…` stands for anything in its line; alone on a line, for any lines. */
export function outputPattern(output: string): RegExp {
  const lines = output
    .split('\n')
    .map((line) => (line === '…' ? '[^]*' : line.split('…').map(RegExp.escape).join('.*')))
  return new RegExp(`^${lines.join('\\n')}$`)
}

/** One shell for all commands, so that variables and background jobs live on as in a terminal. */
export class Terminal {
  readonly #shell: ChildProcess
  #out = ''
  #count = 0

  constructor(cwd: string) {
    this.#shell = spawn('bash', ['--noprofile', '--norc'], {
      cwd,
      env: { ...process.env, SLUICE_HOME: cwd },
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    })
    this.#shell.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#out += text
    })
  }

  async run(command: string): Promise<string> {
    const mark = `done ${++this.#count}`
    this.#out = ''
    this.#shell.stdin?.write(`${command}\necho "${mark}"\n`)
    await until(() => this.#out.endsWith(`${mark}\n`), { ms: 30_000, what: command })
    return this.#out.slice(0, -mark.length - 1)
  }

  async close(): Promise<void> {
    if (this.#shell.pid === undefined || this.#shell.exitCode !== null) return
    const ended = once(this.#shell, 'exit')
    process.kill(-this.#shell.pid, 'SIGKILL')
    await ended
  }
}
