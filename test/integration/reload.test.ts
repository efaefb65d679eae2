/** A reload of config.yaml while traffic runs: listeners, workers, logs and APIs change, sessions go on; what is broken changes nothing. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { renameSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { after, before, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { type Backend, firstLine, namedServer } from '../support/backends.ts'
import { makeCa, makeCertificate } from '../support/certificates.ts'
import { freePort } from '../support/free-port.ts'
import { startTestGateway, streamListeners, type TestGateway } from '../support/gateway.ts'
import { adminKey } from '../support/gateway-config.ts'
import { askHttp } from '../support/http-ask.ts'
import { migrateConnections } from '../support/migrated-connections.ts'
import { tlsConnect } from '../support/tls-client.ts'
import { startTraffic } from '../support/traffic.ts'
import { until } from '../support/until.ts'

let gateway: TestGateway
let backend: Backend
let steady: number
let stopMigrating: () => void
before(async () => {
  stopMigrating = migrateConnections()
  steady = await freePort()
  backend = await namedServer('here')
  gateway = await startTestGateway({
    config: config(),
    resources: { '/stream_routes/all': { upstream: { nodes: { [backend.node]: 1 } } } },
  })
})
after(async () => {
  await gateway.stop()
  await backend.stop()
  stopMigrating()
})

interface Wanted {
  readonly workers?: number
  readonly more?: readonly unknown[]
  readonly nginx?: object
  readonly rest?: object
}

function config({ workers = 1, more = [], nginx = {}, rest = {} }: Wanted = {}): object {
  return {
    apisix: { stream_proxy: { tcp: [`127.0.0.1:${steady}`, ...more] } },
    nginx_config: { worker_processes: workers, ...nginx },
    ...rest,
  }
}

const put = (wanted: Wanted): void => gateway.configure(config(wanted))
const reaches = (port: number): Promise<boolean> =>
  firstLine(port).then(
    (name) => name === 'here',
    () => false,
  )

test('listeners come and go, workers go from 1 to 3 to 2, and no connection is lost', async () => {
  const [second, third] = [await freePort(), await freePort()]
  const { pid } = gateway
  const traffic = await startTraffic({ port: steady })
  put({ workers: 3, more: [`127.0.0.1:${second}`] })
  assert.deepEqual(await gateway.reload(), [])
  assert.equal((await gateway.status()).workers.length, 3)
  assert.ok(await reaches(second))
  put({ workers: 2, more: [{ addr: `127.0.0.1:${third}`, tls: true }] })
  assert.deepEqual(await gateway.reload(), [])
  assert.equal(await reaches(second), false)
  const status = await gateway.status()
  assert.deepEqual(
    (await streamListeners(gateway)).map(({ port, tls }) => [port, tls]),
    [
      [steady, false],
      [third, true],
    ],
  )
  assert.equal(status.workers.filter(({ state }) => state === 'running').length, 2)
  const { failures, short, echoes } = await traffic.stop()
  assert.deepEqual(failures, [])
  assert.ok(short > 0 && echoes > 0)
  await until(async () => (await gateway.status()).workers.length === 2, { what: 'the end of the third worker' })
  assert.equal((await gateway.status()).pid, pid)
  // The same port without TLS: the listener stays and only what it expects of connections changes.
  put({ workers: 2, more: [`127.0.0.1:${third}`] })
  await gateway.reload()
  assert.ok(await reaches(third))
})

test('sessions on a listener that is gone end after worker_shutdown_timeout, those of its successor on the port do not', async () => {
  const port = await freePort()
  const nginx = { worker_shutdown_timeout: '1s' }
  put({ more: [`127.0.0.1:${port}`], nginx })
  await gateway.reload()
  const old = net.connect(port, '127.0.0.1')
  await once(old, 'data')
  put({ nginx })
  await gateway.reload()
  put({ more: [`127.0.0.1:${port}`], nginx })
  await gateway.reload()
  const fresh = net.connect(port, '127.0.0.1')
  await once(fresh, 'data')
  old.on('error', () => {})
  old.resume()
  await once(old, 'close')
  fresh.write('still')
  const [echo] = (await once(fresh, 'data')) as [Buffer]
  assert.equal(echo.toString(), 'still')
  fresh.destroy()
})

test('logs move, change their format and level, and every worker follows', async () => {
  const access = (format: string) => ({
    stream: { enable_access_log: true, access_log: 'logs/moved/access.log', access_log_format: format },
  })
  put({
    workers: 2,
    nginx: { error_log: 'logs/moved/error.log', error_log_level: 'debug', ...access('first $remote_addr') },
  })
  assert.deepEqual(await gateway.reload(), [])
  await firstLine(steady)
  await until(async () => (await gateway.status()).connections.active === 0, { what: 'the end of the session' })
  await gateway.kill('SIGUSR1')
  await until(async () => (await gateway.file('logs/moved/access.log')).includes('first 127.0.0.1'), { what: 'a line' })
  assert.match(await gateway.file('logs/moved/error.log'), /the configuration was reloaded/)
  put({ workers: 2, nginx: { error_log_level: 'error', ...access('second $server_port') } })
  await gateway.reload()
  for (let i = 0; i < 16; i++) await firstLine(steady)
  await until(async () => (await gateway.status()).connections.active === 0, { what: 'the end of the sessions' })
  await gateway.kill('SIGUSR1')
  const seconds = async (): Promise<number> =>
    (await gateway.file('logs/moved/access.log')).split('\n').filter((line) => line === `second ${steady}`).length
  await until(async () => (await seconds()) === 16, { what: 'the lines of the other format' })
})

test('SIGUSR1 goes on in new files once the old ones were renamed, in main and all workers', async () => {
  const nginx = {
    error_log: 'logs/turned.log',
    error_log_level: 'info',
    stream: { enable_access_log: true, access_log: 'logs/turned-access.log', access_log_format: '$remote_addr' },
  }
  put({ workers: 2, nginx })
  await gateway.reload()
  const turn = (name: string): void =>
    renameSync(path.join(gateway.home, 'logs', name), path.join(gateway.home, 'logs', `${name}.1`))
  for (let i = 0; i < 4; i++) await firstLine(steady)
  await until(async () => (await gateway.status()).connections.active === 0, { what: 'the end of the sessions' })
  turn('turned.log')
  turn('turned-access.log')
  const reopenings = async (): Promise<number> =>
    (await gateway.file('logs/terminal.log')).split('reopening logs: done').length
  const earlier = await reopenings()
  await gateway.kill('SIGUSR1')
  await until(async () => (await reopenings()) > earlier, { what: 'the reopening' })
  const before = await gateway.file('logs/turned.log.1')
  assert.equal((await gateway.file('logs/turned-access.log.1')).split('\n').length, 5)
  for (let i = 0; i < 16; i++) await firstLine(steady)
  await gateway.admin('PUT', '/upstreams/noise', { nodes: { '127.0.0.1:1': 1 } })
  await gateway.kill('SIGUSR1')
  await until(async () => (await gateway.file('logs/turned-access.log')).split('\n').length === 17, {
    what: '16 lines',
  })
  await until(async () => (await gateway.file('logs/turned.log')).includes('changed by the Admin API'), {
    what: 'main',
  })
  assert.equal(await gateway.file('logs/turned.log.1'), before)
})

test('the Admin API moves to another port with another key, and the old one is closed', async () => {
  const moved = await freePort()
  const key = 'ffffffffffffffffffffffffffffffff'
  const at = (port: number, apiKey: string) =>
    askHttp(port, '/apisix/admin/stream_routes/all', { headers: { 'x-api-key': apiKey } }).then(
      ({ status }) => status,
      () => 0,
    )
  const admin = (port: number, apiKey: string) => ({
    deployment: {
      admin: { admin_listen: { ip: '127.0.0.1', port }, admin_key: [{ name: 'admin', key: apiKey, role: 'admin' }] },
    },
  })
  put({ rest: admin(moved, key) })
  assert.deepEqual(await gateway.reload(), [])
  assert.deepEqual(
    [await at(moved, key), await at(moved, adminKey), await at(gateway.port('admin'), key)],
    [200, 401, 0],
  )
  put({ rest: admin(moved, adminKey) })
  assert.deepEqual(await gateway.reload(), [])
  assert.equal(await at(moved, adminKey), 200)
  put({})
  assert.deepEqual(await gateway.reload(), [])
  assert.deepEqual([await at(gateway.port('admin'), adminKey), await at(moved, adminKey)], [200, 0])
})

test('other TLS defaults hold for new handshakes, and sessions made before go on', async () => {
  const port = await freePort()
  const more = [{ addr: `127.0.0.1:${port}`, tls: true }]
  const ca = makeCa()
  put({ workers: 2, more })
  await gateway.reload()
  const ssl = { ...makeCertificate({ ca, names: ['tls.test'] }), snis: ['tls.test'] }
  assert.equal((await gateway.admin('PUT', '/ssls/tls', ssl)).status, 201)
  const dial = async (): Promise<TLSSocket> => {
    const socket = await tlsConnect(port, { servername: 'tls.test', ca: ca.cert })
    await once(socket, 'data')
    return socket
  }
  const old = await dial()
  assert.equal(old.getProtocol(), 'TLSv1.3')
  gateway.configure({
    ...config({ workers: 2 }),
    apisix: { stream_proxy: { tcp: [`127.0.0.1:${steady}`, ...more] }, ssl: { ssl_protocols: 'TLSv1.2' } },
  })
  assert.deepEqual(await gateway.reload(), [])
  for (let i = 0; i < 8; i++) {
    const fresh = await dial()
    assert.equal(fresh.getProtocol(), 'TLSv1.2')
    fresh.destroy()
  }
  old.write('still')
  const [echo] = (await once(old, 'data')) as [Buffer]
  assert.equal(echo.toString(), 'still')
  old.destroy()
  put({})
  await gateway.reload()
})

test('keys that need a restart are named, and do not keep the others from taking effect', async () => {
  const port = await freePort()
  put({ more: [`127.0.0.1:${port}`], rest: { sluice: { data: 'data/other.db', backlog: 100 } } })
  const warnings = await gateway.reload()
  assert.deepEqual(warnings.map((line) => line.split(' ')[0]).sort(), ['sluice.backlog', 'sluice.data'])
  assert.ok(await reaches(port))
  put({})
  await gateway.reload()
})

test('a plugin that is no longer enabled leaves the chains of routes, and comes back', async () => {
  const deny = {
    server_port: steady,
    priority: 1,
    upstream: { nodes: { [backend.node]: 1 } },
    plugins: { 'ip-restriction': { blacklist: ['127.0.0.1'] } },
  }
  const { status } = await gateway.admin('PUT', '/stream_routes/denied', deny)
  assert.equal(status, 201)
  await until(async () => !(await reaches(steady)), { what: 'the plugin' })
  put({ rest: { stream_plugins: ['limit-conn'] } })
  await gateway.reload()
  assert.ok(await reaches(steady))
  put({})
  await gateway.reload()
  assert.equal(await reaches(steady), false)
  await gateway.admin('DELETE', '/stream_routes/denied')
})

test('what cannot be had is refused with its reason, and everything stays as it was', async () => {
  const taken = net.createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const used = (taken.address() as net.AddressInfo).port
  const { pid } = process
  const session = net.connect(steady, '127.0.0.1')
  await once(session, 'data')
  const before = await gateway.status()
  const broken: readonly (readonly [Wanted, RegExp])[] = [
    [{ more: [`127.0.0.1:${used}`] }, new RegExp(`tcp port ${used} .*already in use by .*\\(pid ${pid}\\)`)],
    [{ more: ['no.such.address:80'] }, /config\.yaml:\d+: /],
    [{ nginx: { worker_processes: 'many' } }, /config\.yaml:\d+: .*worker_processes/],
    [{ nginx: { error_log: 'conf/config.yaml/error.log' } }, /nginx_config\.error_log: /],
    [
      { nginx: { stream: { enable_access_log: true, access_log: 'conf/config.yaml/access.log' } } },
      /nginx_config\.stream\.access_log: /,
    ],
    [
      { rest: { deployment: { admin: { admin_listen: { ip: '127.0.0.1', port: used } } } } },
      new RegExp(`deployment\\.admin\\.admin_listen: tcp port ${used} .*already in use`),
    ],
    [
      { rest: { plugin_attr: { prometheus: { export_addr: { ip: '127.0.0.1', port: used } } } } },
      new RegExp(`plugin_attr\\.prometheus\\.export_addr: tcp port ${used}`),
    ],
    [{ rest: { apisix: { ssl: { ssl_ciphers: 'NONE-SUCH' } } } }, /apisix\.ssl\.ssl_ciphers: /],
    [
      { rest: { apisix: { ssl: { ssl_trusted_certificate: 'conf/none.pem' } } } },
      /apisix\.ssl\.ssl_trusted_certificate: .*none\.pem/,
    ],
  ]
  for (const [wanted, reason] of broken) {
    put({ workers: 3, ...wanted })
    await assert.rejects(gateway.reload(), reason)
  }
  writeFileSync(path.join(gateway.home, 'conf/config.yaml'), 'apisix:\n  ssl: [\n')
  await assert.rejects(gateway.reload(), /config\.yaml:\d+: /)
  const now = await gateway.status()
  assert.deepEqual(now.listeners, before.listeners)
  assert.deepEqual(
    now.workers.map(({ index, restarts }) => [index, restarts]),
    before.workers.map(({ index, restarts }) => [index, restarts]),
  )
  assert.equal((await gateway.admin('GET', '/stream_routes/all')).status, 200)
  session.write('still')
  const [echo] = (await once(session, 'data')) as [Buffer]
  assert.equal(echo.toString(), 'still')
  session.destroy()
  taken.close()
  put({})
  await gateway.reload()
})
