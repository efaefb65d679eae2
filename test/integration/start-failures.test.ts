/** A start that cannot succeed says why, ends with a status that is not 0, and leaves no process, pid file or socket behind. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { test } from 'node:test'
import { EmbeddedSource } from '../../src/config/embedded.ts'
import { freePort } from '../support/free-port.ts'
import { startTestGateway, streamListeners } from '../support/gateway.ts'
import { baseConfig, merged } from '../support/gateway-config.ts'
import { temporaryFolder } from '../support/home.ts'
import { type Outcome, runProgram, startProgram } from '../support/program.ts'
import { root } from '../support/source-tree.ts'
import { until } from '../support/until.ts'

const sluice = (home: string, ...words: string[]): Promise<Outcome> =>
  runProgram(process.execPath, [path.join(root, 'bin/sluice'), ...words, '--home', home])

interface Case {
  /** Laid over a configuration that would start. */
  readonly config?: object | string
  /** Before the start; may bring more configuration and what to do afterwards. */
  readonly prepare?: (home: string) => Promise<{ config?: object; reason?: RegExp; undo?: () => unknown } | undefined>
  readonly reason?: RegExp
}

async function taken(): Promise<{ port: number; undo: () => unknown }> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as net.AddressInfo).port, undo: () => server.close() }
}

const by = `already in use by \\S.* \\(pid ${process.pid}\\)`
const cases: Readonly<Record<string, Case>> = {
  'a port of config.yaml is taken': {
    async prepare() {
      const { port, undo } = await taken()
      const config = { apisix: { stream_proxy: { tcp: [`127.0.0.1:${port}`] } } }
      return { config, undo, reason: new RegExp(`tcp port ${port} \\(127\\.0\\.0\\.1:${port}\\) is ${by}`) }
    },
  },
  'the port of the Admin API is taken': {
    async prepare() {
      const { port, undo } = await taken()
      const config = { deployment: { admin: { admin_listen: { ip: '127.0.0.1', port } } } }
      return { config, undo, reason: new RegExp(`deployment\\.admin\\.admin_listen: tcp port ${port} .* is ${by}`) }
    },
  },
  'the port of the metrics is taken': {
    async prepare() {
      const { port, undo } = await taken()
      const config = { plugin_attr: { prometheus: { export_addr: { ip: '127.0.0.1', port } } } }
      return {
        config,
        undo,
        reason: new RegExp(`plugin_attr\\.prometheus\\.export_addr: tcp port ${port} .* is ${by}`),
      }
    },
  },
  'config.yaml is no YAML': { config: 'apisix:\n  ssl: [\n', reason: /config\.yaml:\d+: / },
  'a value of config.yaml is wrong': {
    config: { nginx_config: { worker_processes: -3 } },
    reason: /config\.yaml:\d+: .*worker_processes/,
  },
  'the database is broken': {
    async prepare(home) {
      mkdirSync(path.join(home, 'data'), { recursive: true })
      writeFileSync(path.join(home, 'data/sluice.db'), 'no database, but some text of some length'.repeat(100))
      return undefined
    },
    reason: /sluice\.db: it is damaged or no database/,
  },
  'another process has the database': {
    async prepare(home) {
      const source = new EmbeddedSource({ file: path.join(home, 'data/sluice.db'), history: 0 })
      return { undo: () => source.close() }
    },
    reason: /sluice\.db: another process of Sluice has it open/,
  },
  'the file of trusted authorities is missing': {
    config: { apisix: { ssl: { ssl_trusted_certificate: 'conf/none.pem' } } },
    reason: /apisix\.ssl\.ssl_trusted_certificate: .*conf\/none\.pem/,
  },
  'the file of trusted authorities holds none': {
    async prepare(home) {
      writeFileSync(path.join(home, 'conf/empty.pem'), 'nothing')
      return { config: { apisix: { ssl: { ssl_trusted_certificate: 'conf/empty.pem' } } } }
    },
    reason: /apisix\.ssl\.ssl_trusted_certificate: .*conf\/empty\.pem/,
  },
  'an error log cannot be opened': {
    config: { nginx_config: { error_log: 'conf/config.yaml/error.log' } },
    reason: /nginx_config\.error_log: /,
  },
  'a plugin of the user does not load': {
    config: { sluice: { extra_plugins: ['conf/none.ts'] } },
    reason: /sluice\.extra_plugins: .*conf\/none\.ts/,
  },
  'the file of the provider yaml is missing': {
    config: { deployment: { role: 'data_plane', role_data_plane: { config_provider: 'yaml' } } },
    reason: /apisix\.yaml/,
  },
}

for (const [name, { config: over = {}, prepare, reason }] of Object.entries(cases)) {
  test(name, async () => {
    using folder = temporaryFolder()
    const home = folder.path
    mkdirSync(path.join(home, 'conf'))
    const ports = {
      admin: await freePort(),
      control: await freePort(),
      prometheus: await freePort(),
      http: await freePort(),
      https: await freePort(),
      status: await freePort(),
    }
    const front = await freePort()
    const base = merged(baseConfig(ports, 2), { apisix: { stream_proxy: { tcp: [`127.0.0.1:${front}`] } } })
    const prepared = await prepare?.(home)
    const text =
      typeof over === 'string' ? over : JSON.stringify(merged(merged(base, over), prepared?.config ?? {}), undefined, 2)
    writeFileSync(path.join(home, 'conf/config.yaml'), text)
    try {
      const { status, err, out } = await sluice(home, 'start')
      assert.equal(status, 1, out + err)
      assert.match(err, prepared?.reason ?? reason ?? /./)
      assert.doesNotMatch(err, /^\s+at .*\.ts:\d+/m, 'an operator reads no stack')
      assert.equal((await sluice(home, 'status')).status, 3)
      assert.equal(existsSync(path.join(home, 'logs/nginx.pid')), false)
      for (const port of [front, ...Object.values(ports)]) assert.equal(await listens(port), false, `port ${port}`)
      assert.deepEqual(processesOf(home), [])
    } finally {
      await prepared?.undo?.()
    }
  })
}

test('a gateway that is stopped while it starts ends at once, and leaves nothing behind', async () => {
  using folder = temporaryFolder()
  const home = folder.path
  mkdirSync(path.join(home, 'conf'))
  const [admin, control, prometheus, status] = [await freePort(), await freePort(), await freePort(), await freePort()]
  const [http, https] = [await freePort(), await freePort()]
  writeFileSync(
    path.join(home, 'conf/config.yaml'),
    JSON.stringify(baseConfig({ admin, control, prometheus, status, http, https }, 2)),
  )
  const start = startProgram(process.execPath, [path.join(root, 'bin/sluice'), 'start', '--foreground', '--home', home])
  await until(() => existsSync(path.join(home, 'logs/sluice.sock')), { what: 'the control socket' })
  start.process.kill('SIGTERM')
  const { status: ended, err } = await start.ended
  assert.equal(ended, 1)
  assert.equal(err, 'sluice: stopped while starting\n')
  assert.equal((await sluice(home, 'status')).status, 3)
  assert.deepEqual(processesOf(home), [])
})

test('what a start could not have is started once it is there', async () => {
  const { port, undo } = await taken()
  const gateway = await startTestGateway({
    config: { sluice: { stream_ports: [port] } },
    resources: { '/stream_routes/r': { server_port: port, upstream: { nodes: { '127.0.0.1:1': 1 } } } },
  })
  try {
    assert.equal((await streamListeners(gateway)).length, 0)
    assert.match(await gateway.log(), new RegExp(`cannot listen: tcp port ${port} .* is ${by}`))
    await gateway.restart()
    assert.equal((await streamListeners(gateway)).length, 0)
    await undo()
    await until(async () => (await streamListeners(gateway))[0]?.port === port, { what: 'the next try' })
  } finally {
    await gateway.stop()
    await undo()
  }
})

function listens(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1')
  return once(socket, 'connect')
    .then(
      () => true,
      () => false,
    )
    .finally(() => socket.destroy())
}

/** Processes that have the home among their arguments. */
function processesOf(home: string): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(home)
      } catch {
        return false
      }
    })
}
