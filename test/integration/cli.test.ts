/** The command line as an operator uses it, with a gateway behind it that carries nothing. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { type CliTree, cliTree } from '../support/cli-tree.ts'
import { until } from '../support/until.ts'

const at = (tree: CliTree, file: string): string => path.join(tree.home, file)
const read = (tree: CliTree, file: string): string => readFileSync(at(tree, file), 'utf8')
const leftovers = (tree: CliTree): string[] =>
  ['logs/nginx.pid', 'logs/sluice.sock', 'conf/.customized_config_path'].filter((file) => existsSync(at(tree, file)))
const refusal = 'the old Sluice is still running, the new one will not start'

test('version, help and a wrong argument need no home', async () => {
  using tree = cliTree()
  const { version } = JSON.parse(readFileSync(path.join(tree.path, 'package.json'), 'utf8'))
  for (const way of ['version', '-v', '--version']) assert.equal((await tree.run(way)).out, `${version}\n`)
  const help = await tree.run('help')
  assert.match(help.out, /^Usage: sluice/)
  assert.equal(help.status, 0)
  assert.equal((await tree.run()).out, help.out)
  for (const wrong of [['dance'], ['start', '--fast'], ['start', 'now'], ['stop', '-c'], ['status', '--json=yes']]) {
    const { status, err } = await tree.run(...wrong)
    assert.equal(status, 1, wrong.join(' '))
    assert.match(err, new RegExp(`^invalid argument: ${wrong[1]?.replace(/=.*/, '') ?? wrong[0]}\n\nUsage`))
  }
  assert.equal(existsSync(tree.home), false)
})

test('init makes a home that only its owner can read the configuration of, and keeps what is there', async () => {
  using tree = cliTree()
  const first = await tree.run('init')
  assert.equal(first.status, 0, first.err)
  assert.equal(statSync(at(tree, 'conf/config.yaml')).mode & 0o777, 0o600)
  assert.ok(existsSync(at(tree, 'logs')) && existsSync(at(tree, 'data')))
  tree.configure({ warning: 'mine' })
  const second = await tree.run('init')
  assert.match(second.out, /kept .*config\.yaml/)
  assert.match(second.err, /warning: mine/)
  assert.equal(read(tree, 'conf/config.yaml'), '{"warning":"mine"}')
})

test('test tells whether a start would succeed, and why not', async () => {
  using tree = cliTree()
  tree.configure({})
  const good = await tree.run('test')
  assert.deepEqual([good.status, good.out], [0, 'configuration test is successful\n'])
  tree.configure({ fault: 'config.yaml:3: apisix.x: wrong' })
  const bad = await tree.run('test')
  assert.deepEqual([bad.status, bad.err], [1, 'config.yaml:3: apisix.x: wrong\nconfiguration test failed\n'])
})

test('start, status, reload and stop follow one instance through its life', async () => {
  using tree = cliTree()
  const started = await tree.run('start')
  assert.equal(started.status, 0, started.err)
  assert.match(started.out, /the fake gateway starts/)
  const pid = read(tree, 'logs/nginx.pid').trim()
  assert.match(started.out, new RegExp(`running in the background \\(pid ${pid}\\)`))

  const { out } = await tree.run('status')
  assert.equal(
    out.replace(/node .*/, 'node'),
    `Sluice 1.2.3 is running
  pid          ${pid}
  uptime       1d 2h (since 2026-01-02T03:04:05.000Z)
  node
  wire         portable; not epoll: it needs Linux, this is a test
  config       ${at(tree, 'conf/config.yaml')}
  provider     embedded, reachable, revision 1, 0 rejected
  connections  12 active, 3456 accepted
listeners
  tcp  127.0.0.1:9100  tls  from config
  udp  [::]:53              from route
workers
  0  running  revision 1  12 connections  1 restarts
`,
  )
  const again = await tree.run('start')
  assert.deepEqual([again.status, again.err], [1, `sluice: ${refusal}\n`])

  tree.configure({ warning: 'a thing' })
  const reloaded = await tree.run('reload')
  assert.deepEqual([reloaded.status, reloaded.out, reloaded.err], [0, 'reloaded\n', 'warning: a thing\n'])
  tree.configure({ fault: 'no good' })
  const refused = await tree.run('reload')
  assert.deepEqual([refused.status, refused.err], [1, 'reload failed, the old configuration goes on: no good\n'])
  const json = JSON.parse((await tree.run('status', '--json')).out)
  assert.deepEqual([json.running, json.state, json.pid, json.config.revision], [true, 'running', Number(pid), 2])

  const stopped = await tree.run('stop')
  assert.deepEqual([stopped.status, stopped.err], [0, ''])
  assert.deepEqual(leftovers(tree), [])
  assert.equal(read(tree, 'verbs.txt'), 'reload\nstop\n')
  for (const command of ['stop', 'quit', 'reload']) {
    const { status, err } = await tree.run(command)
    assert.deepEqual([status, err], [1, 'Sluice is not running\n'])
  }
  assert.equal((await tree.run('status')).status, 3)
  assert.equal((await tree.run('status', '--json')).out, '{"running":false}\n')
})

test('of two starts at the same moment one wins and the other says why it did not', async () => {
  using tree = cliTree()
  const outcomes = await Promise.all([tree.run('start'), tree.run('start')])
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), [0, 1])
  assert.match(outcomes.map(({ err }) => err).join(''), new RegExp(refusal))
  assert.equal((await tree.run('quit')).status, 0)
  assert.equal(read(tree, 'verbs.txt'), 'quit\n')
})

test('a start that fails prints the reason and leaves nothing behind', async () => {
  using tree = cliTree()
  tree.configure({ fault: 'port 9100 is taken' })
  const failed = await tree.run('start')
  assert.equal(failed.status, 1)
  assert.match(failed.err, /^sluice: port 9100 is taken$/m)
  assert.deepEqual(leftovers(tree), [])
  tree.configure({ dies: true })
  const died = await tree.run('start')
  assert.match(died.err, /ended with status 70 while starting\nthe fake gateway starts\nout of luck/)
  assert.equal(died.status, 1)
})

test('an interrupted start ends the instance that was being started', async () => {
  using tree = cliTree()
  tree.configure({ hangs: true })
  const starting = tree.start(['start'])
  await starting.says('the fake gateway starts')
  assert.match((await tree.run('status')).out, /^Sluice is starting \(pid \d+\)$/m)
  starting.process.kill('SIGINT')
  const { status, err } = await starting.ended
  assert.deepEqual([status, err], [1, 'sluice: stopped while starting\n'])
  assert.deepEqual(leftovers(tree), [])
})

test('what a killed instance left is taken over, and a recycled pid is never signalled', async () => {
  using tree = cliTree()
  await tree.run('start')
  const pid = Number(read(tree, 'logs/nginx.pid'))
  process.kill(pid, 'SIGKILL')
  await until(async () => (await tree.run('status')).status === 3, { what: 'the end of the killed instance' })
  assert.deepEqual(leftovers(tree), ['logs/nginx.pid', 'logs/sluice.sock'])
  writeFileSync(at(tree, 'logs/nginx.pid'), `${process.pid}\n`)
  assert.equal((await tree.run('stop')).err, 'Sluice is not running\n')
  assert.equal((await tree.run('start')).status, 0)
  assert.equal((await tree.run('stop')).status, 0)
})

test('the file given by -c holds for restart, test and reload until the instance is stopped', async () => {
  using tree = cliTree()
  const file = path.join(tree.path, 'other.yaml')
  tree.configure({ warning: 'other' }, file)
  assert.equal((await tree.run('start', '-c', file)).status, 0)
  assert.match((await tree.run('status')).out, new RegExp(`config +${file}`))
  assert.match((await tree.run('test')).err, /warning: other/)
  tree.configure({ fault: 'broken' }, file)
  const kept = await tree.run('restart')
  assert.deepEqual([kept.status, kept.err], [1, 'broken\nconfiguration test failed\n'])
  tree.configure({}, file)
  const before = read(tree, 'logs/nginx.pid')
  assert.equal((await tree.run('restart')).status, 0)
  assert.notEqual(read(tree, 'logs/nginx.pid'), before)
  assert.match((await tree.run('status')).out, new RegExp(`config +${file}`))
  await tree.run('stop')
  await tree.run('start')
  assert.match((await tree.run('status')).out, /config +.*home\/conf\/config\.yaml/)
  await tree.run('stop')
})

test('a home whose path is too long for a socket address works like any other', async () => {
  using tree = cliTree()
  const home = path.join(tree.path, ...Array.from({ length: 12 }, () => 'a-folder-with-a-long-name'))
  mkdirSync(home, { recursive: true })
  const instance = tree.start(['start', '--foreground', '--home', home])
  await instance.says('the fake gateway starts')
  await until(() => existsSync(path.join(home, 'logs/nginx.pid')), { what: 'the pid file' })
  const status = await tree.start(['status', '--home', home]).ended
  assert.match(status.out, /is running/)
  assert.equal((await tree.start(['stop', '--home', home]).ended).status, 0)
  assert.equal((await instance.ended).status, 0)
  assert.equal(existsSync(path.join(home, 'logs/sluice.sock')), false)
})

test('a signal to the foreground process is a verb of the gateway', async () => {
  using tree = cliTree()
  tree.configure({ drainsForEver: true })
  const instance = tree.start(['start', '--foreground'])
  await until(() => existsSync(at(tree, 'logs/nginx.pid')), { what: 'the pid file' })
  const pid = Number(read(tree, 'logs/nginx.pid'))
  process.kill(pid, 'SIGHUP')
  await instance.says('reload: done')
  process.kill(pid, 'SIGUSR1')
  await instance.says('reopening logs: done')
  process.kill(pid, 'SIGUSR2')
  await instance.says('SIGUSR2')
  tree.configure({ fault: 'no good' })
  process.kill(pid, 'SIGHUP')
  await instance.says('reload failed: no good')
  process.kill(pid, 'SIGQUIT')
  await until(() => read(tree, 'verbs.txt').includes('draining'), { what: 'the drain' })
  assert.match((await tree.run('status')).out, /is stopping/)
  // Within half a second it would be taken for a copy of the first.
  await until(() => !instance.process.kill('SIGQUIT') || instance.process.exitCode !== null, { what: 'the end' })
  assert.equal((await instance.ended).status, 0)
  assert.equal(read(tree, 'verbs.txt'), 'reload\nreopenLogs\ndraining\nstop\n')
  assert.deepEqual(leftovers(tree), [])
})
