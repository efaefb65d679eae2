/** `bin/sluice` itself: which Node it finds, what it installs, and that nothing shows that it stands in between. */
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { type CliTree, cliTree } from '../support/cli-tree.ts'
import { nodeOfMajor } from '../support/node-versions.ts'
import { runProgram, startProgram } from '../support/program.ts'
import { root } from '../support/source-tree.ts'
import { until } from '../support/until.ts'

const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
const own = process.versions.node
/** Where it is not installed, or an older Node runs the tests, there is nothing to be handed over to. */
const needsPackaged = Number.parseInt(own, 10) < 26 && 'needs the packaged Node'

/** A tree whose package has no dependencies to miss. */
function bareTree(): CliTree {
  const tree = cliTree({ modules: false })
  const file = path.join(tree.path, 'package.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8'))
  writeFileSync(file, JSON.stringify({ ...manifest, dependencies: {}, devDependencies: {} }))
  return tree
}

/** An environment whose `npm` is that shell script. */
function withNpm(tree: CliTree, script: string): NodeJS.ProcessEnv {
  const folder = path.join(tree.path, 'fake-npm')
  mkdirSync(folder)
  writeFileSync(path.join(folder, 'npm'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return { ...process.env, PATH: `${folder}:${process.env['PATH']}` }
}

async function servedPid(tree: CliTree): Promise<number> {
  const file = path.join(tree.home, 'logs/nginx.pid')
  return Number(await until(() => existsSync(file) && readFileSync(file, 'utf8'), { what: 'the pid file' }))
}

for (const major of [18, 20, 22, 24, 26]) {
  const binary = major === 26 ? process.execPath : await nodeOfMajor(major)
  const skip = needsPackaged || (binary === undefined && `needs Node ${major} from npm`)
  const node = binary ?? ''

  test(`under Node ${major}, through a symlink and from another directory, the packaged Node runs the program`, {
    skip,
  }, async () => {
    using tree = cliTree()
    const link = path.join(tree.path, 'elsewhere')
    symlinkSync(tree.bin, link)
    const printed = await runProgram(node, [link, 'version'], { cwd: tmpdir() })
    assert.deepEqual([printed.status, printed.out, printed.err], [0, `${version}\n`, ''])
    const wrong = await runProgram(node, [link, 'dance'], { cwd: tmpdir() })
    assert.deepEqual([wrong.status, wrong.err.split('\n')[0]], [1, 'invalid argument: dance'])
  })

  test(`under Node ${major}, signals and the exit status pass through`, { skip }, async () => {
    using tree = cliTree()
    const program = startProgram(node, [tree.bin, 'start', '--foreground', '--home', tree.home])
    const pid = await servedPid(tree)
    const status = JSON.parse((await tree.run('status', '--json')).out)
    assert.deepEqual([status.pid, status.node], [pid, `v${own}`])
    for (const [signal, words] of [
      ['SIGHUP', 'reload: done'],
      ['SIGUSR1', 'reopening logs: done'],
      ['SIGUSR2', 'SIGUSR2: '],
    ] as const) {
      program.process.kill(signal)
      await program.says(words)
    }
    program.process.kill('SIGTERM')
    const { status: exit, signal } = await program.ended
    assert.deepEqual([exit, signal], [0, undefined])
    assert.doesNotMatch(program.text(), /Warning|Debugger/)
  })

  test(`under Node ${major}, a gateway ends when its launcher is killed`, { skip }, async () => {
    using tree = cliTree()
    const program = startProgram(node, [tree.bin, 'start', '--foreground', '--home', tree.home])
    await servedPid(tree)
    program.process.kill('SIGKILL')
    assert.equal((await program.ended).signal, 'SIGKILL')
    await until(async () => (await tree.run('status')).status === 3, { what: 'the end of the gateway' })
  })

  test(`under Node ${major}, a gateway in the background lives on without its launcher`, { skip }, async () => {
    using tree = cliTree()
    const started = await runProgram(node, [tree.bin, 'start', '--home', tree.home])
    assert.equal(started.status, 0, started.err)
    assert.equal((await runProgram(node, [tree.bin, 'status', '--home', tree.home])).status, 0)
    assert.equal((await runProgram(node, [tree.bin, 'stop', '--home', tree.home])).status, 0)
  })
}

test('a program that a signal ended is reported as ended by that signal', { skip: needsPackaged }, async (t) => {
  const node = await nodeOfMajor(20)
  if (node === undefined) return t.skip('needs Node 20 from npm')
  using tree = cliTree()
  const program = startProgram(node, [tree.bin, 'start', '--foreground', '--home', tree.home])
  process.kill(await servedPid(tree), 'SIGKILL')
  assert.equal((await program.ended).signal, 'SIGKILL')
})

test('a checkout without packages installs what running needs, once, and says so in one line', async () => {
  using tree = cliTree({ modules: false })
  writeFileSync(path.join(tree.path, 'package-lock.json'), '{}')
  const env = withNpm(tree, `echo "$@" >> npm.txt; echo noise; ln -s '${path.join(root, 'node_modules')}' node_modules`)
  const first = await runProgram(process.execPath, [tree.bin, 'version'], { env })
  assert.deepEqual([first.status, first.out], [0, `${version}\n`])
  assert.equal(first.err, 'sluice: installing missing packages (npm ci), once\n')
  const second = await runProgram(process.execPath, [tree.bin, 'version'], { env })
  assert.deepEqual([second.out, second.err], [`${version}\n`, ''])
  const calls = readFileSync(path.join(tree.path, 'npm.txt'), 'utf8').trim().split('\n')
  assert.equal(calls.length, 1)
  assert.match(calls[0] ?? '', /^ci --omit=dev /)
})

test('without a lock file packages are installed by npm install, and an npm that fails is named', async () => {
  using tree = cliTree({ modules: false })
  const { status, err } = await runProgram(process.execPath, [tree.bin, 'version'], { env: withNpm(tree, 'exit 7') })
  assert.equal(status, 1)
  assert.match(err, /sluice: npm install failed in /)
})

test('where no packaged Node runs, the one at hand is taken if it is new enough', async () => {
  using tree = bareTree()
  const { status, out } = await runProgram(process.execPath, [tree.bin, 'version'])
  assert.deepEqual([status, out], [0, `${version}\n`])
})

test('where no packaged Node can be had and the one at hand is too old, the message says what is needed', async (t) => {
  const node = await nodeOfMajor(18)
  if (node === undefined) return t.skip('needs Node 18 from npm')
  using tree = bareTree()
  const { status, err } = await runProgram(node, [tree.bin, 'version'], { env: withNpm(tree, 'exit 0') })
  assert.equal(status, 1)
  assert.match(err, /is not installed, and Node 18\.\S+ is too old: it needs Node 24 or later/)
})

test('an installation without the compiled program says that it is incomplete', async () => {
  using tree = bareTree()
  const inside = path.join(tree.path, 'node_modules/sluice')
  for (const part of ['bin', 'package.json']) {
    cpSync(path.join(tree.path, part), path.join(inside, part), { recursive: true })
  }
  const { status, err } = await runProgram(process.execPath, [path.join(inside, 'bin/sluice'), 'version'])
  assert.equal(status, 1)
  assert.match(err, /main\.js is missing: the installation is incomplete/)
})
