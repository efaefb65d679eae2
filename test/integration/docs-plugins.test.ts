/** docs/plugins.md, followed from top to bottom: its files written, its settings made, its commands run, its output seen. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { freePort } from '../support/free-port.ts'
import { startTestGateway } from '../support/gateway.ts'
import { adminKey } from '../support/gateway-config.ts'
import { root } from '../support/source-tree.ts'
import { consoleSteps, outputPattern, Terminal } from '../support/terminal.ts'
import { until } from '../support/until.ts'

const document = readFileSync(path.join(root, 'docs/plugins.md'), 'utf8')
const examples = path.join(root, 'docs/examples')
/** Blocks in order: `ts plugins/x.ts` and its text, `yaml conf/config.yaml`, `console`. */
const blocks = [...document.matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```/gms)].map(([block, kind, file, text]) => ({
  block,
  kind,
  file: file ?? '',
  text: text ?? '',
}))

test('every block of the document is of a kind that is followed here', () => {
  const kinds = blocks.map(({ kind, file }) => `${kind} ${file.split('/')[0]}`.trim())
  assert.deepEqual([...new Set(kinds)].sort(), ['console', 'ts plugins', 'yaml conf'])
})

for (const { file, text } of blocks.filter(({ kind }) => kind === 'ts')) {
  test(`${file} is the example of that name`, () => {
    assert.equal(text, readFileSync(path.join(examples, path.basename(file)), 'utf8'))
  })
}

test('the test that the document shows passes', () => {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const args = ['--conditions', 'sluice-source', '--test', path.join(examples, 'maintenance.test.ts')]
  const { status, stdout } = spawnSync(process.execPath, args, { env, encoding: 'utf8' })
  assert.equal(status, 0, stdout)
  assert.match(stdout, /pass 2/)
})

test('the commands of the document do what it says', { timeout: 180_000 }, async () => {
  const [endpoint, stream] = [await freePort(), await freePort()]
  const own = { sluice: { stream_ports: [stream] } }
  const gateway = await startTestGateway({ workers: 2, config: own })
  const ports: Readonly<Record<string, number>> = {
    '9080': gateway.port('http'),
    '9180': gateway.port('admin'),
    '9100': stream,
    '8001': endpoint,
  }
  const here = (text: string): string => text.replaceAll(/\b(9080|9180|9100|8001)\b/g, (port) => String(ports[port]))
  mkdirSync(path.join(gateway.home, 'plugins'))
  const terminal = new Terminal(gateway.home)
  try {
    await terminal.run(`KEY=${adminKey}`)
    for (const { block, kind, file, text } of blocks) {
      if (kind === 'ts') writeFileSync(path.join(gateway.home, file), text)
      else if (kind === 'yaml') gateway.configure({ sluice: { ...own.sluice, ...parse(text).sluice } })
      else for (const step of consoleSteps(`${block}\n`)) await follow(terminal, here(step.command), here(step.output))
    }
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${await gateway.log()}`, { cause: error })
  } finally {
    await terminal.close()
    await gateway.stop()
  }
})

/** What writes is run once; what reads until it shows what it should: a change is in force a moment after its answer. */
async function follow(terminal: Terminal, command: string, output: string): Promise<void> {
  const expected = outputPattern(output)
  const once = command.endsWith('&') || / -X /.test(command) || /^(route|sed) /.test(command)
  let said = ''
  const run = async (): Promise<boolean> => {
    said = (await terminal.run(command)).replace(/(?<=[^\n])$/, '\n')
    return once || expected.test(said)
  }
  await until(run, { what: `the output of ${command}` }).catch((error: Error) =>
    assert.fail(`${error.message}; it was: ${said}`),
  )
  if (!command.endsWith('&')) assert.match(said, expected, command)
}
