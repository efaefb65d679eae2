/** The stream plugins in the whole gateway: who gets in, how many at once over all workers, and when a plugin counts at all. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { networkInterfaces } from 'node:os'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Backend, firstLine, namedServer } from '../support/backends.ts'
import { freePort } from '../support/free-port.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { resourcesOf } from '../support/resources.ts'
import { until } from '../support/until.ts'

const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))
const throwing = fileURLToPath(new URL('../fixtures/throwing-plugin.ts', import.meta.url))

let gateway: TestGateway
let front: number
let breaking: number
let backend: Backend
const { put, remove } = resourcesOf(() => gateway)

before(async () => {
  front = await freePort()
  breaking = await freePort()
  backend = await namedServer('in')
  const v6 = hasIpv6 ? [`[::1]:${front}`] : []
  gateway = await startTestGateway({
    workers: 2,
    config: {
      apisix: { stream_proxy: { tcp: [`127.0.0.1:${front}`, ...v6, `127.0.0.1:${breaking}`] } },
      sluice: { extra_plugins: [throwing] },
      nginx_config: { stream: { enable_access_log: true, access_log_format: '$route_id|$remote_addr|$status' } },
    },
  })
})
after(async () => {
  await backend.stop()
  await gateway.stop()
})

const from = (localAddress: string): Promise<string> => firstLine(front, { localAddress }).catch(() => '')

/** One route of the port with these plugins, in force in both workers, as `check` shows so often in a row. */
async function route(plugins: object, check: () => Promise<boolean>, more: object = {}, times = 12): Promise<void> {
  const upstream = { nodes: { [backend.node]: 1 } }
  await put('/stream_routes/r', { server_port: front, upstream, plugins, ...more })
  let inARow = 0
  await until(
    async () => {
      inARow = (await check()) ? inARow + 1 : 0
      return inARow >= times
    },
    { what: 'the route' },
  )
  await quiet()
}
const quiet = (): Promise<unknown> =>
  until(async () => (await gateway.status()).connections.active === 0, { what: 'the end of all sessions' })

test('ip-restriction lets in who is on its whitelist, by address and by block', async () => {
  const plugins = { 'ip-restriction': { whitelist: ['127.0.0.9', '127.0.4.0/22', '::1'] } }
  await route(plugins, async () => (await from('127.0.0.1')) === '')
  for (const address of ['127.0.0.9', '127.0.4.1', '127.0.7.254']) assert.equal(await from(address), 'in', address)
  for (const address of ['127.0.0.8', '127.0.8.1', '127.0.3.255']) assert.equal(await from(address), '', address)
})

test('ip-restriction keeps out who is on its blacklist, and the access log tells 403', async () => {
  await route({ 'ip-restriction': { blacklist: ['127.0.0.0/29', '127.0.9.9'] } }, async () => {
    return (await from('127.0.0.1')) === ''
  })
  for (const address of ['127.0.0.7', '127.0.9.9']) assert.equal(await from(address), '', address)
  for (const address of ['127.0.0.8', '127.0.9.8']) assert.equal(await from(address), 'in', address)
  await until(
    async () => {
      await gateway.kill('SIGUSR1')
      const lines = (await gateway.file('logs/access_stream.log')).split('\n')
      return lines.includes('r|127.0.9.9|403') && lines.includes('r|127.0.9.8|200')
    },
    { what: 'the lines of the access log' },
  )
})

test('ip-restriction reads IPv6 addresses and blocks', { skip: hasIpv6 ? false : 'needs IPv6' }, async () => {
  const v6 = (): Promise<string> => firstLine(front, { host: '::1' }).catch(() => '')
  await route({ 'ip-restriction': { blacklist: ['::/64'] } }, async () => (await v6()) === '')
  assert.equal(await from('127.0.0.1'), 'in')
  await route({ 'ip-restriction': { whitelist: ['0:0:0:0:0:0:0:1'] } }, async () => (await v6()) === 'in')
  assert.equal(await from('127.0.0.1'), '')
})

interface Session {
  /** `in`, or '' when it was closed. */
  readonly answer: string
  readonly ms: number
  readonly socket: net.Socket
  closed(): boolean
}

/** A connection that stays open after its first line. */
async function session(port = front, localAddress = '127.0.0.1'): Promise<Session> {
  const began = performance.now()
  const socket = net.connect({ port, host: '127.0.0.1', localAddress })
  let closed = false
  socket.on('error', () => {})
  socket.on('close', () => {
    closed = true
  })
  const answer = await Promise.race([
    once(socket, 'data').then(([line]) => String(line).trim()),
    once(socket, 'close').then(() => ''),
  ])
  socket.resume()
  return { answer, ms: performance.now() - began, socket, closed: () => closed }
}

async function sessions(count: number): Promise<Session[]> {
  const all: Session[] = []
  for (let i = 0; i < count; i++) all.push(await session())
  return all
}
const answersOf = (all: readonly Session[]): string[] => all.map(({ answer }) => answer)
function close(all: readonly Session[]): void {
  for (const { socket } of all) socket.destroy()
}

const limit = (conf: object = {}) => ({
  'limit-conn': {
    conn: 3,
    burst: 0,
    default_conn_delay: 0.3,
    only_use_default_delay: true,
    key: 'remote_addr',
    ...conf,
  },
})
/** A new limit is in force when a fourth session is closed. */
async function limited(): Promise<boolean> {
  const all = await sessions(4)
  close(all)
  await quiet()
  return all[3]?.answer === ''
}

test('limit-conn lets in exactly conn sessions over all workers, and another one for each that ends', async () => {
  await route(limit(), limited)
  for (let round = 0; round < 5; round++) {
    const all = await sessions(4)
    assert.deepEqual(answersOf(all), ['in', 'in', 'in', ''])
    const { workers } = await gateway.status()
    assert.equal(
      workers.reduce((sum, { connections }) => sum + connections, 0),
      3,
    )
    all[round % 3]?.socket.destroy()
    await until(async () => (await gateway.status()).connections.active === 2, { what: 'the end of one' })
    const late = await sessions(2)
    assert.deepEqual(answersOf(late), ['in', ''])
    close([...all, ...late])
    await quiet()
  }
})

test('of a burst at the same moment no more than conn get in', async () => {
  await route(limit(), limited)
  for (let round = 0; round < 5; round++) {
    const all = await Promise.all(Array.from({ length: 12 }, () => session()))
    const got = answersOf(all).filter((answer) => answer === 'in').length
    assert.ok(got <= 3, `${got} got in`)
    close(all)
    await quiet()
  }
  const all = await sessions(4)
  assert.deepEqual(answersOf(all), ['in', 'in', 'in', ''])
  close(all)
  await quiet()
})

test('sessions within the burst are delayed by the steps that they are over, those beyond it closed', async () => {
  const steps = limit({ conn: 1, burst: 2 })
  await route(steps, limited, {}, 2)
  const first = await session()
  const second = session()
  await until(async () => (await gateway.status()).connections.active === 2, { what: 'the second' })
  const delayed = await Promise.all([second, session()])
  const fourth = await session()
  assert.deepEqual(answersOf([first, ...delayed, fourth]), ['in', 'in', 'in', ''])
  assert.ok((delayed[0]?.ms ?? 0) >= 295, `the second after ${delayed[0]?.ms} ms`)
  assert.ok((delayed[1]?.ms ?? 0) >= 595, `the third after ${delayed[1]?.ms} ms`)
  close([first, ...delayed])
  await quiet()
})

test('a combined key counts each combination on its own', async () => {
  await route(limit({ conn: 1, key: '$remote_addr $server_port', key_type: 'var_combination' }), async () => {
    const all = [await session(), await session()]
    close(all)
    await quiet()
    return all[1]?.answer === ''
  })
  const all = [await session(), await session(front, '127.0.0.2'), await session(front, '127.0.0.2'), await session()]
  assert.deepEqual(answersOf(all), ['in', 'in', '', ''])
  close(all)
  await quiet()
})

test('what a broken worker had counted is given back', async () => {
  await route(limit(), limited)
  const upstream = { nodes: { [backend.node]: 1 } }
  const all = await sessions(3)
  assert.deepEqual(answersOf(all), ['in', 'in', 'in'])
  const { restarts: before = 0 } = (await gateway.status()).workers[0] ?? {}
  await put('/stream_routes/breaking', { server_port: breaking, upstream, plugins: { 'throw-later': {} } })
  await until(
    async () => {
      await firstLine(breaking).catch(() => '')
      return (await gateway.status()).workers.some(({ restarts }) => restarts > before)
    },
    { what: 'the replacement' },
  )
  await remove('/stream_routes/breaking')
  await until(
    async () => {
      const { workers } = await gateway.status()
      return workers.length === 2 && workers.every(({ state }) => state === 'running')
    },
    { what: 'two workers' },
  )
  const left = (): number => all.filter((one) => !one.closed()).length
  await until(async () => (await gateway.status()).connections.active === left(), { what: 'the end of the lost ones' })
  const more = await sessions(4)
  assert.deepEqual(
    answersOf(more),
    [0, 1, 2, 3].map((i) => (left() + i < 3 ? 'in' : '')),
  )
  close([...all, ...more])
  await quiet()
  const again = await sessions(4)
  assert.deepEqual(answersOf(again), ['in', 'in', 'in', ''])
  close(again)
  await quiet()
})

test('_meta.disable switches a plugin off, of a service as well', async () => {
  const refuse = { 'ip-restriction': { blacklist: ['127.0.0.0/8'] } }
  await put('/services/s', { plugins: refuse, upstream: { nodes: { [backend.node]: 1 } } })
  const own = { upstream: undefined, service_id: 's' }
  await route({}, async () => (await from('127.0.0.1')) === '', own)
  await route({ 'ip-restriction': { _meta: { disable: true } } }, async () => (await from('127.0.0.1')) === 'in', own)
  // The route's own form takes the place of the service's.
  const other = { 'ip-restriction': { blacklist: ['127.0.0.2'] } }
  await route(other, async () => (await from('127.0.0.2')) === '', own)
  assert.equal(await from('127.0.0.1'), 'in')
  await remove('/stream_routes/r', '/services/s')
})

test('_meta.filter says for whom a plugin runs', async () => {
  const conf = { blacklist: ['127.0.0.0/8'], _meta: { filter: [['remote_addr', '==', '127.0.0.2']] } }
  await route({ 'ip-restriction': conf }, async () => (await from('127.0.0.2')) === '')
  assert.equal(await from('127.0.0.1'), 'in')
})

test('a filter that no longer holds when the session ends does not keep the plugin from counting it out', async () => {
  // The status is unknown while the session lasts.
  await route(limit({ _meta: { filter: [['status', '!', '==', '200']] } }), limited)
  for (let round = 0; round < 3; round++) {
    const all = await sessions(4)
    assert.deepEqual(answersOf(all), ['in', 'in', 'in', ''])
    close(all)
    await quiet()
  }
})
