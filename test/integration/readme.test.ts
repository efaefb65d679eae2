/** Every command of the README, run as a reader would, in a home of its own; the output shown there is what comes. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { plugins } from '../../src/plugins/index.ts'
import { temporaryFolder } from '../support/home.ts'
import { root } from '../support/source-tree.ts'
import { consoleSteps, outputPattern, Terminal } from '../support/terminal.ts'
import { until } from '../support/until.ts'

test('the commands of the README do what it says', { timeout: 120_000 }, async () => {
  const [first, ...rest] = consoleSteps(readFileSync(path.join(root, 'README.md'), 'utf8'))
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
      const expected = outputPattern(output)
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

test('the README names the plugins that are built, and no other', () => {
  const text = readFileSync(path.join(root, 'README.md'), 'utf8')
  const built = (subsystem: string) => plugins.filter((each) => each.subsystem === subsystem).map(({ name }) => name)
  const named = (part: string | undefined) =>
    Array.from(part?.matchAll(/`([a-z-]+)`/g) ?? [], ([, name]) => name as string)
  const table = /^\| plugins \| \|\n\|---\|---\|\n((?:\|.*\n)+)/m.exec(text)?.[1]
  assert.deepEqual(named(table).sort(), built('http').sort())
  const ofStreams = /^\| `plugins` \| (.*) \|$/m.exec(text)?.[1]
  assert.deepEqual(named(ofStreams).sort(), built('stream').sort())
})
