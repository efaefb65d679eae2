/** Datagrams through the whole gateway: sessions by client address, sizes, idle ends, limits, nodes that are gone. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { after, afterEach, before, test } from 'node:test'
import { type Backend, namedDatagrams } from '../support/backends.ts'
import { type DatagramClient, datagramClient } from '../support/datagram-client.ts'
import { freePort } from '../support/free-port.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { resourcesOf } from '../support/resources.ts'
import { until } from '../support/until.ts'

const maxSessions = 4
let gateway: TestGateway
let front: number
let opened: number
const { put, remove } = resourcesOf(() => gateway)
const clients: DatagramClient[] = []
const backends: Backend[] = []

before(async () => {
  front = await freePort()
  opened = await freePort()
  gateway = await startTestGateway({
    config: {
      apisix: { stream_proxy: { udp: [`127.0.0.1:${front}`] } },
      sluice: { stream_ports: [opened], limits: { udp_sessions: maxSessions } },
      nginx_config: {
        stream: { enable_access_log: true, access_log_format: '$route_id|$protocol|$status|$upstream_addr' },
      },
    },
  })
})
after(() => gateway.stop())
/** Nothing of one test is in the way of the next. */
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  for (const backend of backends.splice(0)) await backend.stop()
  await until(async () => (await active()) === 0, { what: 'the end of all sessions' })
})

const active = async (): Promise<number> => (await gateway.status()).connections.active

async function served(name: string): Promise<Backend> {
  const backend = await namedDatagrams(name)
  backends.push(backend)
  return backend
}
async function client(port = front, localAddress?: string): Promise<DatagramClient> {
  const made = await datagramClient(port, localAddress)
  clients.push(made)
  return made
}

/** Sessions end after a short silence, so that the tests do not wait. */
const timeout = { connect: 1, send: 1, read: 0.4 }
const to = (...nodes: readonly Backend[]) => ({
  timeout,
  nodes: Object.fromEntries(nodes.map(({ node }) => [node, 1])),
})

async function route(id: string, value: object, port = front): Promise<void> {
  await put(`/stream_routes/${id}`, { server_port: port, ...value })
  await until(async () => (await active()) === 0, { what: 'the end of all sessions' })
  // A session that finds no route ends at once, and its client may try again.
  const probe = await client(port)
  await until(() => probe.ask('?', 500).catch(() => undefined), { what: `route ${id}` })
  await until(async () => (await active()) === 0, { what: 'the end of the probe' })
}

async function metric(pattern: RegExp): Promise<number> {
  const { body } = await gateway.ask('prometheus', '/apisix/prometheus/metrics')
  const found = String(body)
    .split('\n')
    .find((line) => pattern.test(line))
  return found === undefined ? 0 : Number(found.slice(found.lastIndexOf(' ')))
}

test('a client stays on one node for as long as its session lasts, others may be on another', async () => {
  const [a, b] = [await served('a'), await served('b')]
  await route('spread', { upstream: to(a, b) })
  const names = new Set<string>()
  for (const one of [await client(), await client()]) {
    const first = (await one.ask('0')).toString().split(' ')[0] as string
    names.add(first)
    for (let i = 1; i < 20; i++) assert.equal((await one.ask(String(i))).toString(), `${first} ${i}`)
  }
  assert.deepEqual([...names].sort(), ['a', 'b'])
  await remove('/stream_routes/spread')
})

test('datagrams of every size keep their bounds: none, one byte, 65,507 bytes', async () => {
  const backend = await served('x')
  await route('sizes', { upstream: to(backend) })
  const one = await client()
  // Two of the longest that there can be: the backend answers with its name before what came.
  for (const size of [0, 1, 1472, 9000, 65_505, 0]) {
    const sent = Buffer.alloc(size, 'sluice')
    const answer = await one.ask(sent)
    assert.equal(answer.length, size + 2, `${size} bytes`)
    assert.ok(answer.subarray(2).equals(sent))
  }
  const seen = backend.count()
  await one.send(Buffer.alloc(65_507))
  await until(() => backend.count() > seen, { what: 'a datagram of 65,507 bytes' })
  await remove('/stream_routes/sizes')
})

test('a session ends when nothing came for a while, and the next datagram opens another', async () => {
  const backend = await served('idle')
  await route('idle', { upstream: to(backend) })
  const one = await client()
  await one.ask('one')
  assert.equal(await active(), 1)
  await until(async () => (await active()) === 0, { what: 'the end' })
  assert.equal((await one.ask('two')).toString(), 'idle two')
  await until(
    async () => {
      await gateway.kill('SIGUSR1')
      return (await gateway.file('logs/access_stream.log')).split('\n').includes(`idle|UDP|200|${backend.node}`)
    },
    { what: 'the line of the access log' },
  )
  await remove('/stream_routes/idle')
})

test('beyond udp_sessions datagrams of new clients are dropped and counted, old ones are served', async () => {
  const backend = await served('full')
  await route('full', { upstream: to(backend) })
  const inside = await Promise.all(Array.from({ length: maxSessions }, () => client()))
  const stayIn = async (): Promise<void> => {
    for (const one of inside) assert.equal((await one.ask('in')).toString(), 'full in')
  }
  await stayIn()
  const outside = await Promise.all([client(), client(), client()])
  for (const one of outside) for (let i = 0; i < 5; i++) await one.send('out')
  await until(
    async () => {
      await stayIn()
      return (await metric(/^sluice_udp_dropped_total\{.*too_many_sessions/)) === 15
    },
    { what: '15 counted drops' },
  )
  assert.deepEqual(
    outside.map(({ answers }) => answers.length),
    [0, 0, 0],
  )
  assert.equal(await active(), maxSessions)
  assert.match(await gateway.log(), /4 sessions at 127\.0\.0\.1:\d+: datagrams are dropped/)
  await remove('/stream_routes/full')
})

test('a datagram without a route is dropped, and its client keeps no session', async () => {
  const one = await client()
  for (let i = 0; i < 20; i++) await one.send('to nowhere')
  await until(async () => (await active()) === 0, { what: 'the end' })
  assert.equal(one.answers.length, 0)
})

test('a node that is gone ends the session, and the next datagram goes to another', async () => {
  const [a, b] = [await served('a'), await served('b')]
  const nodes = { [a.node]: 1, [b.node]: 1 }
  await route('gone', { upstream: { timeout, nodes } })
  const one = await client()
  const first = (await one.ask('first')).toString().split(' ')[0]
  const [stopped, left] = first === 'a' ? [a, b] : [b, a]
  await stopped.stop()
  backends.splice(backends.indexOf(stopped), 1)
  await until(async () => (await one.ask('next', 200).catch(() => '')).toString() === `${left.name} next`, {
    what: 'an answer of the other node',
  })
  await remove('/stream_routes/gone')
})

test('a route opens a UDP port by the scheme of its upstream', async () => {
  const backend = await served('opened')
  await route('opener', { upstream: { ...to(backend), scheme: 'udp' } }, opened)
  const { listeners } = await gateway.status()
  const found = listeners.find(({ port }) => port === opened)
  assert.deepEqual([found?.transport, found?.from], ['udp', 'route'])
  assert.equal((await (await client(opened)).ask('hello')).toString(), 'opened hello')
  await remove('/stream_routes/opener')
  await until(async () => (await gateway.status()).listeners.every(({ port }) => port !== opened), {
    what: 'the end of the port',
  })
  const free = createSocket('udp4')
  await until(
    async () => {
      try {
        free.bind(opened, '127.0.0.1')
        await once(free, 'listening')
        return true
      } catch {
        return false
      }
    },
    { what: 'the free port' },
  )
  free.close()
})

test('chash keeps an address on its node, or each of its ports on one', async () => {
  const nodes = await Promise.all(['a', 'b', 'c', 'd'].map(served))
  const upstream = { ...to(...nodes), type: 'chash' }
  const who = async (localAddress?: string): Promise<string> => {
    const one = await datagramClient(front, localAddress)
    try {
      return (await one.ask('?')).toString()
    } finally {
      one.close()
    }
  }
  const settled = () => until(async () => (await active()) === 0, { what: 'room for more sessions' })
  await route('hash', { upstream: { ...upstream, key: 'remote_addr' } })
  const byAddress = new Set<string>()
  for (let i = 2; i < 14; i++) {
    const address = `127.0.0.${i}`
    const first = await who(address)
    byAddress.add(first)
    assert.equal(await who(address), first)
    if (i % 2 === 1) await settled()
  }
  assert.ok(byAddress.size > 1, 'all addresses share one node')
  await route('hash', { upstream: { ...upstream, key: 'remote_port' } })
  const byPort = new Set<string>()
  for (let i = 0; i < 3; i++) {
    for (const name of await Promise.all([who(), who(), who(), who()])) byPort.add(name)
    await settled()
  }
  assert.ok(byPort.size > 1, 'all ports share one node')
  await remove('/stream_routes/hash')
})
