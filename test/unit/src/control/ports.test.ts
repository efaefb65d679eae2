/** Ports as main keeps them: tried before they are shared, told to workers, tried again where they failed. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { type LoadedBoot, loadBootConf } from '../../../../src/config/boot.ts'
import type { BootConf } from '../../../../src/config/boot-schema.ts'
import { Ports } from '../../../../src/control/ports.ts'
import { silentLog } from '../../../../src/observability/log.ts'
import type { StreamRouteValue } from '../../../../src/resources/stream-route.ts'
import type { ListenerSpec } from '../../../../src/threads/messages.ts'
import { freePort } from '../../../support/free-port.ts'
import { temporaryFolder } from '../../../support/home.ts'

const folder = temporaryFolder()
let fixed: number
let opened: number
before(async () => {
  fixed = await freePort()
  opened = await freePort()
  mkdirSync(path.join(folder.path, 'conf'))
})
after(() => folder[Symbol.dispose]())

function boot(tcp: readonly unknown[]): BootConf {
  const conf = { apisix: { proxy_mode: 'stream', stream_proxy: { tcp } }, sluice: { stream_ports: [opened] } }
  writeFileSync(path.join(folder.path, 'conf/config.yaml'), JSON.stringify(conf))
  const loaded: LoadedBoot = loadBootConf({ home: folder.path, env: {} })
  return loaded.conf
}

const route = (port: number): StreamRouteValue => ({
  ...{ id: 'r', server_addrs: [], remote_addrs: [], snis: [], priority: 0, tls_passthrough: false },
  server_ports: [port],
})

/** `fails`: keys that workers cannot open, and whether some of them can. */
function setUp(fails: () => ReadonlyMap<string, boolean> = () => new Map()) {
  const asked: (readonly ListenerSpec[])[] = []
  const during: (readonly ListenerSpec[])[] = []
  const ports: Ports = new Ports({
    conf: boot([`127.0.0.1:${fixed}`]),
    schemeOf: () => undefined,
    log: silentLog,
    listen: async (specs) => {
      asked.push(specs)
      during.push(ports.open)
      return [...fails()].map(([key, openElsewhere]) => ({ key, code: 'EADDRINUSE', message: 'in use', openElsewhere }))
    },
  })
  return { ports, asked, during, numbers: () => ports.open.map(({ port }) => port) }
}

async function taken(port: number): Promise<net.Server> {
  const server = net.createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

test('a worker that starts while ports are being opened is told of them', async () => {
  const { ports, during, numbers } = setUp()
  await ports.begin()
  assert.equal(ports.set('r', route(opened)), true)
  await ports.apply()
  assert.deepEqual(
    during[0]?.map(({ port }) => port),
    [fixed, opened],
  )
  assert.deepEqual(numbers(), [fixed, opened])
  ports.close()
})

test('a port that some workers could not open stays open at the others; one that nobody could does not', async () => {
  const fails = new Map<string, boolean>()
  const { ports, numbers, asked } = setUp(() => fails)
  await ports.begin()
  ports.set('r', route(opened))
  await ports.apply()
  const key = ports.open[1]?.key as string
  fails.set(key, true)
  assert.equal((await ports.apply()).length, 1)
  assert.deepEqual(numbers(), [fixed, opened])
  fails.set(key, false)
  await ports.apply()
  assert.deepEqual(numbers(), [fixed])
  fails.clear()
  await ports.apply()
  assert.deepEqual(numbers(), [fixed, opened])
  assert.equal(asked.length, 4)
  ports.close()
})

test('a port of a route that a stranger has is left out, and workers never hear of it', async () => {
  const stranger = await taken(opened)
  const { ports, asked, numbers } = setUp()
  ports.set('r', route(opened))
  await ports.begin()
  assert.deepEqual(numbers(), [fixed])
  const [message] = await ports.apply()
  assert.match(message ?? '', new RegExp(`tcp port ${opened} .*already in use by .*\\(pid ${process.pid}\\)`))
  assert.deepEqual(
    asked[0]?.map(({ port }) => port),
    [fixed],
  )
  stranger.close()
  ports.close()
})

test('checking another configuration refuses what is taken and changes nothing', async () => {
  const { ports, numbers } = setUp()
  await ports.begin()
  const stranger = await taken(0)
  const { port } = stranger.address() as net.AddressInfo
  const next = boot([`127.0.0.1:${port}`])
  await assert.rejects(ports.check(next), new RegExp(`tcp port ${port}`))
  await ports.apply()
  assert.deepEqual(numbers(), [fixed])
  stranger.close()
  await once(stranger, 'close')
  await ports.check(next)
  ports.replan(next)
  await ports.apply()
  assert.deepEqual(numbers(), [port])
  ports.close()
})
