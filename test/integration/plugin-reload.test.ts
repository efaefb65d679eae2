/** The user's own plugins in a running gateway: loaded anew in main and in every worker, without a session being lost. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { type Answer, send } from '../support/admin-server.ts'
import { type Backend, firstLine, namedServer } from '../support/backends.ts'
import { freePort } from '../support/free-port.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { adminKey } from '../support/gateway-config.ts'
import { temporaryFolder } from '../support/home.ts'
import { httpBackend } from '../support/http-backend.ts'
import { resourcesOf } from '../support/resources.ts'
import { until } from '../support/until.ts'

const folder = temporaryFolder('sluice-own-plugin')
const file = path.join(folder.path, 'gatekeeper.ts')
let gateway: TestGateway
let front: number
let backend: Backend
const { put } = resourcesOf(() => gateway)

/** What the plugin says it does is in a file that it imports. */
function write(rule: string, schema: object = {}): void {
  mkdirSync(path.join(folder.path, 'lib'), { recursive: true })
  writeFileSync(path.join(folder.path, 'lib/rule.ts'), `export const admits = (conf: any): boolean => ${rule}\n`)
  writeFileSync(
    file,
    `import type { Plugin } from 'sluice/sdk'
import { IpSet } from 'sluice/sdk'
import { admits } from './lib/rule.ts'
const everybody = new IpSet(['0.0.0.0/0', '::/0'])
export const plugin: Plugin<object> = {
  name: 'gatekeeper', priority: 1, version: 0.1, subsystem: 'stream',
  schema: ${JSON.stringify({ type: 'object', ...schema })},
  create: (conf) => ({
    preread: (exchange) => (everybody.has(exchange.downstream.remoteAddress) && admits(conf) ? undefined : { status: 403 }),
  }),
}
`,
  )
}

before(async () => {
  write('true')
  front = await freePort()
  backend = await namedServer('in')
  gateway = await startTestGateway({
    workers: 2,
    config: {
      apisix: { stream_proxy: { tcp: [`127.0.0.1:${front}`] } },
      sluice: { extra_plugins: [file] },
    },
  })
  await put('/stream_routes/r', { upstream: { nodes: { [backend.node]: 1 } }, plugins: { gatekeeper: {} } })
})
after(async () => {
  await backend.stop()
  await gateway.stop()
  folder[Symbol.dispose]()
})

const answer = async (): Promise<string> => (await firstLine(front, {}).catch(() => '')) || 'refused'
const reload = (): Promise<Answer> =>
  send(gateway.port('admin'), 'PUT', '/apisix/admin/plugins/reload', undefined, { 'x-api-key': adminKey })

/** So often in a row that both workers have said so. */
async function settled(expected: string): Promise<void> {
  let inARow = 0
  const asked = async (): Promise<boolean> => {
    inARow = (await answer()) === expected ? inARow + 1 : 0
    return inARow >= 12
  }
  await until(asked, { ms: 30_000, what: `the answer ${expected}` })
}

test('a reload brings the plugin as its files are now, and leaves sessions alone', async () => {
  await settled('in')
  const session = net.connect(front, '127.0.0.1')
  const heard: string[] = []
  session.on('data', (chunk) => heard.push(String(chunk)))
  session.on('error', () => {})
  await until(() => heard.length > 0, { what: 'the first line' })
  write('false')
  assert.equal(await answer(), 'in')
  const reply = await reload()
  assert.deepEqual([reply.status, reply.text], [200, 'done'])
  // In force when the answer comes, in every worker.
  for (let i = 0; i < 12; i++) assert.equal(await answer(), 'refused')
  assert.equal(session.destroyed, false)
  assert.equal(session.readableEnded, false)
  session.destroy()
})

test('a plugin that cannot be loaded changes nothing, and the reply says why', async () => {
  writeFileSync(file, 'export const plugin = {')
  const reply = await reload()
  assert.equal(reply.status, 503)
  assert.match(reply.text, /sluice\.extra_plugins: .*gatekeeper\.ts/)
  await settled('refused')
  write('true')
  assert.equal((await reload()).status, 200)
  await settled('in')
})

test('a default that the new plugin has is filled in for what is configured already', async () => {
  write('conf.open === true', { properties: { open: { type: 'boolean', default: true } } })
  assert.equal((await reload()).status, 200)
  await settled('in')
  const schema = (await gateway.admin('GET', '/schema/plugins/gatekeeper?subsystem=stream')).body as {
    properties: Record<string, object>
  }
  assert.deepEqual(schema.properties['open'], { type: 'boolean', default: true })
  write('true', { properties: { open: { type: 'boolean' } }, required: ['open'] })
  assert.equal((await reload()).status, 200)
  const refused = await gateway.admin('PUT', '/stream_routes/x', { server_port: 1, plugins: { gatekeeper: {} } })
  assert.match(JSON.stringify(refused.body), /property \\"open\\" is required/)
})

test('a worker that is replaced has the plugin of the last reload', async () => {
  write('false')
  assert.equal((await reload()).status, 200)
  await gateway.restart()
  await settled('refused')
  write('true')
  assert.equal((await reload()).status, 200)
  await settled('in')
})

test('the list of files is read again too', async () => {
  const other = path.join(folder.path, 'other.ts')
  writeFileSync(
    other,
    `export const plugins = ['one', 'two'].map((name) => ({
  name, priority: 1, version: 1, subsystem: 'http', schema: { type: 'object' }, create: () => ({}),
}))\n`,
  )
  gateway.configure({
    apisix: { stream_proxy: { tcp: [`127.0.0.1:${front}`] } },
    sluice: { extra_plugins: [file, other] },
  })
  assert.equal((await reload()).status, 200)
  const names = (await gateway.admin('GET', '/plugins/list')).body as string[]
  assert.ok(names.includes('one') && names.includes('two'))
})

test('no request of HTTP is lost or answered by a mixture while plugins are reloaded', async () => {
  const stamp = path.join(folder.path, 'stamp.ts')
  const release = (version: number): void =>
    writeFileSync(
      stamp,
      `import type { Plugin } from 'sluice/sdk'
export const plugin: Plugin<{ version: number }> = {
  name: 'stamp', priority: 1, version: ${version}, subsystem: 'http',
  schema: { type: 'object', properties: { version: { type: 'integer', default: ${version} } } },
  create: (conf) => ({
    rewrite: () => new Promise((resolve) => setImmediate(() => resolve(undefined))),
    headerFilter: (_exchange, head) => void head.headers.set('X-Stamp', '${version}.' + conf.version),
  }),
}
`,
    )
  release(1)
  gateway.configure({
    apisix: { stream_proxy: { tcp: [`127.0.0.1:${front}`] } },
    sluice: { extra_plugins: [file, stamp] },
  })
  assert.equal((await reload()).status, 200)
  const endpoint = await httpBackend({ name: 'endpoint' })
  try {
    const upstream = { nodes: { [endpoint.node]: 1 }, type: 'roundrobin' }
    await put('/routes/1', { uri: '/', upstream, plugins: { stamp: {} } })
    await until(async () => (await gateway.ask('http', '/')).status === 200, { what: 'the route' })
    const stamps: string[] = []
    let going = true
    const asking = Array.from({ length: 4 }, async () => {
      while (going) {
        const { status, headers } = await gateway.ask('http', '/')
        stamps.push(`${status} ${headers['x-stamp']}`)
      }
    })
    for (const version of [2, 3, 4]) {
      const before = stamps.length
      await until(() => stamps.length > before + 20, { what: 'some requests' })
      release(version)
      assert.equal((await reload()).status, 200)
      const { headers } = await gateway.ask('http', '/')
      assert.equal(headers['x-stamp'], `${version}.${version}`)
    }
    going = false
    await Promise.all(asking)
    assert.deepEqual([...new Set(stamps)].sort(), ['200 1.1', '200 2.2', '200 3.3', '200 4.4'])
  } finally {
    await endpoint.stop()
  }
})
