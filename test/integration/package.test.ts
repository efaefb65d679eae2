/** The package as its users get it: packed, installed globally, run; and its door for authors of plugins. */
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { freePort } from '../support/free-port.ts'
import { adminKey, baseConfig, merged } from '../support/gateway-config.ts'
import { temporaryFolder } from '../support/home.ts'
import { askHttp } from '../support/http-ask.ts'
import { runProgram } from '../support/program.ts'
import { root } from '../support/source-tree.ts'

const parts = [
  'bin',
  'conf',
  'protos',
  'protocols',
  'src',
  'LICENSE',
  'README.md',
  'package.json',
  'tsconfig.json',
  'tsconfig.dist.json',
]
/** What npm says when it is the network's fault. */
const offline = /ENOTCACHED|EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ENETUNREACH|ETIMEDOUT|ECONNRESET/
const npm = await runProgram('npm', ['--version']).catch(() => undefined)

test('the packed package, installed globally, starts, routes by its compiled code, and stops', {
  skip: npm === undefined && 'needs npm',
}, async (t) => {
  using folder = temporaryFolder('sluice-package')
  const at = (...names: string[]): string => path.join(folder.path, ...names)
  for (const part of parts.filter((name) => existsSync(path.join(root, name)))) {
    cpSync(path.join(root, part), at('source', part), { recursive: true })
  }
  symlinkSync(path.join(root, 'node_modules'), at('source/node_modules'))
  // Left by an earlier build: must not get into the package.
  mkdirSync(at('source/dist'))
  writeFileSync(at('source/dist/stale.js'), '')
  const packed = await runProgram('npm', ['pack', '--json', '--loglevel=error'], { cwd: at('source') })
  assert.equal(packed.status, 0, packed.err)
  const [{ filename, files }] = JSON.parse(packed.out.slice(packed.out.search(/^\[/m)))
  const names: string[] = files.map(({ path: name }: { path: string }) => name)
  for (const name of [
    'bin/sluice',
    'bin/project-node.js',
    'conf/config.default.yaml',
    'dist/src/cli/main.js',
    'dist/src/worker.js',
    'LICENSE',
  ]) {
    assert.ok(names.includes(name), `${name} is packed`)
  }
  assert.deepEqual(
    names.filter((name) => /^(src|test|protocols)\/|stale|run-tests/.test(name)),
    [],
  )

  const args = [
    'install',
    '--global',
    '--prefix',
    at('prefix'),
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    at('source', filename),
  ]
  const installed = await runProgram('npm', args)
  if (installed.status !== 0 && offline.test(installed.err)) return t.skip('needs the package registry')
  assert.equal(installed.status, 0, installed.err)

  const home = at('home')
  const sluice = (...words: string[]) =>
    runProgram(at('prefix/bin/sluice'), [...words, '--home', home], { cwd: folder.path })
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  assert.equal((await sluice('version')).out, `${version}\n`)
  const init = await sluice('init')
  assert.equal(init.status, 0, init.err)

  const ports = {
    admin: await freePort(),
    control: await freePort(),
    prometheus: await freePort(),
    http: await freePort(),
    https: await freePort(),
    status: await freePort(),
  }
  const front = await freePort()
  const config = merged(baseConfig(ports, 1), { apisix: { stream_proxy: { tcp: [`127.0.0.1:${front}`] } } })
  writeFileSync(path.join(home, 'conf/config.yaml'), JSON.stringify(config))
  try {
    const started = await sluice('start')
    assert.equal(started.status, 0, `${started.out}${started.err}`)
    assert.match((await sluice('status')).out, new RegExp(`tcp +127\\.0\\.0\\.1:${front}`))
    // The gateway's own Admin API stands behind the route.
    const body = JSON.stringify({ upstream: { type: 'roundrobin', nodes: { [`127.0.0.1:${ports.admin}`]: 1 } } })
    const headers = { 'x-api-key': adminKey, 'content-type': 'application/json' }
    const put = await askHttp(ports.admin, '/apisix/admin/stream_routes/1', { method: 'PUT', headers, body })
    assert.equal(put.status, 201, JSON.stringify(put.body))
    const through = await askHttp(front, '/apisix/admin/stream_routes/1', { headers })
    assert.equal(through.status, 200)
  } finally {
    await sluice('stop')
  }
  assert.equal((await sluice('status')).status, 3)

  await t.test('and its types serve the author of a plugin', async () => {
    const project = at('plugin')
    mkdirSync(path.join(project, 'node_modules'), { recursive: true })
    symlinkSync(at('prefix/lib/node_modules/sluice'), path.join(project, 'node_modules/sluice'))
    symlinkSync(path.join(root, 'node_modules/@types'), path.join(project, 'node_modules/@types'))
    writeFileSync(path.join(project, 'package.json'), '{"type":"module"}')
    writeFileSync(
      path.join(project, 'greet.ts'),
      "import type { Plugin } from 'sluice/sdk'\nexport const name: Plugin['name'] = 'greet'\n// @ts-expect-error a name is a string\nexport const wrong: Plugin['name'] = 1\n",
    )
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--types', 'node', 'greet.ts']
    const checked = await runProgram(
      process.execPath,
      [path.join(root, 'node_modules/typescript/bin/tsc'), ...options],
      { cwd: project },
    )
    assert.equal(checked.status, 0, checked.out)
  })
})
