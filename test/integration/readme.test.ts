/** Every command of the README, run as a reader would, in a home of its own; the output shown there is what comes. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../support/home.ts'
import { root } from '../support/source-tree.ts'
import { until } from '../support/until.ts'

interface Step {
  readonly command: string
  readonly output: string
}

/** The commands of all console blocks, each with the lines that follow it. */
function steps(markdown: string): readonly Step[] {
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
function pattern(output: string): RegExp {
  const lines = output
    .split('\n')
    .map((line) => (line === '…' ? '[^]*' : line.split('…').map(RegExp.escape).join('.*')))
  return new RegExp(`^${lines.join('\\n')}$`)
}

/** One shell for all commands, so that variables and background jobs live on as in a terminal. */
class Terminal {
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

test('the commands of the README do what it says', { timeout: 120_000 }, async () => {
  const [first, ...rest] = steps(readFileSync(path.join(root, 'README.md'), 'utf8'))
  assert.equal(first?.command, 'npm start')
  assert.ok(rest.length > 10)
  const folder = temporaryFolder('sluice-readme')
  symlinkSync(path.join(root, 'bin'), path.join(folder.path, 'bin'))
  const gateway = spawn('npm', ['start'], {
    cwd: root,
    env: { ...process.env, SLUICE_HOME: folder.path },
    stdio: 'ignore',
  })
  const ended = once(gateway, 'exit')
  const terminal = new Terminal(folder.path)
  try {
    await until(
      () => terminal.run('bin/sluice status --json >/dev/null 2>&1 && echo yes').then((said) => said !== ''),
      {
        ms: 60_000,
        what: 'the gateway',
      },
    )
    for (const { command, output } of rest) {
      const expected = pattern(output)
      // A change is in force a moment after its answer, and a server in the background a moment after its start.
      let said = ''
      await until(
        async () => {
          said = await terminal.run(command)
          return command.endsWith('&') || command.includes('-X ') || expected.test(said)
        },
        { what: `the output of ${command}` },
      ).catch((error: Error) => assert.fail(`${error.message}; it was: ${said}`))
      if (!command.endsWith('&')) assert.match(said, expected, command)
    }
  } finally {
    await terminal.run('bin/sluice stop')
    await ended
    await terminal.close()
    folder[Symbol.dispose]()
  }
})
