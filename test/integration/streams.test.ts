/** TCP through the whole gateway: routing, balancing, failing over, half-closing, timing out, and listeners that routes open. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { after, before, test } from 'node:test'
import { customServer, firstLine, namedServer } from '../support/backends.ts'
import { freePort } from '../support/free-port.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { until } from '../support/until.ts'

let gateway: TestGateway
let front: number
let second: number
let range: number
before(async () => {
  front = await freePort()
  second = await freePort()
  range = await freePort()
  gateway = await startTestGateway({
    workers: 2,
    config: {
      apisix: { stream_proxy: { tcp: [`127.0.0.1:${front}`, `127.0.0.1:${second}`] } },
      sluice: { stream_ports: [`${range}-${range}`] },
      nginx_config: {
        stream: {
          enable_access_log: true,
          access_log_format:
            '$route_id|$remote_addr|$protocol|$status|$bytes_received|$bytes_sent|$upstream_addr|$server_port',
        },
      },
    },
  })
})
after(() => gateway.stop())

async function put(path: string, body: unknown): Promise<void> {
  const { status, body: answer } = await gateway.admin('PUT', path, body)
  assert.ok(status === 200 || status === 201, `PUT ${path}: ${status} ${JSON.stringify(answer)}`)
}
const remove = (path: string) => gateway.admin('DELETE', path)

/** Asks the port so many times, one after the other, and counts who answered. */
async function census(port: number, times: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (let i = 0; i < times; i++) {
    const name = await firstLine(port)
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

test('a connection without a matching route is closed without a byte', async () => {
  assert.equal(await firstLine(second), '')
})

test('connections are spread by weight, and a change of weights is in force for the next one', async () => {
  const [a, b] = [await namedServer('a'), await namedServer('b')]
  await put('/upstreams/spread', { nodes: { [a.node]: 3, [b.node]: 1 } })
  await put('/stream_routes/spread', { server_port: front, upstream_id: 'spread' })
  await until(async () => (await firstLine(front)) !== '', { what: 'the route' })
  const { a: toA = 0, b: toB = 0 } = await census(front, 80)
  assert.ok(toA >= 54 && toA <= 66 && toA + toB === 80, `a ${toA}, b ${toB}`)
  await put('/upstreams/spread', { nodes: { [b.node]: 1 } })
  await until(async () => (await census(front, 8))['b'] === 8, { what: 'all connections at b' })
  await remove('/stream_routes/spread')
  await remove('/upstreams/spread')
  await Promise.all([a.stop(), b.stop()])
})

test('chash on remote_addr keeps each client on its node', async () => {
  const backends = await Promise.all(['a', 'b', 'c'].map((name) => namedServer(name)))
  const nodes = Object.fromEntries(backends.map(({ node }) => [node, 1]))
  await put('/stream_routes/hash', { server_port: front, upstream: { type: 'chash', key: 'remote_addr', nodes } })
  await until(async () => (await firstLine(front)) !== '', { what: 'the route' })
  const chosen = new Set<string>()
  for (const client of ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5', '127.0.0.6', '127.0.0.7', '127.0.0.8']) {
    const first = await firstLine(front, { localAddress: client })
    for (let i = 0; i < 4; i++) assert.equal(await firstLine(front, { localAddress: client }), first)
    chosen.add(first)
  }
  assert.ok(chosen.size > 1, 'seven clients share one node')
  await remove('/stream_routes/hash')
  await Promise.all(backends.map((backend) => backend.stop()))
})

test('a node that refuses is followed by the next one, and the client sees nothing of it', async () => {
  const live = await namedServer('live')
  const dead = await freePort()
  await put('/stream_routes/over', {
    server_port: front,
    upstream: { nodes: { [`127.0.0.1:${dead}`]: 10, [live.node]: 1 } },
  })
  await until(async () => (await firstLine(front)) === 'live', { what: 'the route' })
  assert.deepEqual(await census(front, 20), { live: 20 })
  await put('/stream_routes/over', {
    server_port: front,
    upstream: { retries: 0, nodes: { [`127.0.0.1:${dead}`]: 1 } },
  })
  await until(async () => (await firstLine(front)) === '', { what: 'the refusal' })
  await remove('/stream_routes/over')
  await live.stop()
})

test('nodes of lower priority serve only when the higher ones cannot', async () => {
  const [first, reserve] = [await namedServer('first'), await namedServer('reserve')]
  const nodes = [
    { host: '127.0.0.1', port: first.port, weight: 1, priority: 1 },
    { host: '127.0.0.1', port: reserve.port, weight: 1, priority: 0 },
  ]
  await put('/stream_routes/tiers', { server_port: front, upstream: { nodes } })
  await until(async () => (await firstLine(front)) === 'first', { what: 'the route' })
  assert.deepEqual(await census(front, 10), { first: 10 })
  await first.stop()
  assert.deepEqual(await census(front, 10), { reserve: 10 })
  await remove('/stream_routes/tiers')
  await reserve.stop()
})

test('a half-close is passed on and the answer that follows it arrives whole', async () => {
  const answer = Buffer.alloc(300_000, 'answer ')
  const backend = await customServer((socket) => {
    let got = 0
    socket.on('data', (chunk) => (got += chunk.length))
    socket.on('end', () => socket.end(Buffer.concat([Buffer.from(`${got}\n`), answer])))
  })
  await put('/stream_routes/half', { server_port: front, upstream: { nodes: { [backend.node]: 1 } } })
  const ask = async (): Promise<Buffer> => {
    const socket = net.connect({ port: front, host: '127.0.0.1', allowHalfOpen: true })
    socket.end(Buffer.alloc(200_000, 'x'))
    const chunks: Buffer[] = []
    socket.on('error', () => {})
    for await (const chunk of socket) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks)
  }
  const got = await until(
    async () => {
      const all = await ask()
      return all.length > 0 ? all : undefined
    },
    { what: 'an answer' },
  )
  assert.equal(got.length, 7 + answer.length)
  assert.equal(got.subarray(0, 7).toString(), '200000\n')
  await remove('/stream_routes/half')
  await backend.stop()
})

test('a session in which nothing moves ends after timeout.read, one in which bytes move does not', async () => {
  const backend = await namedServer('quiet')
  const timeout = { connect: 1, send: 1, read: 1 }
  await put('/stream_routes/idle', { server_port: front, upstream: { timeout, nodes: { [backend.node]: 1 } } })
  await until(async () => (await firstLine(front)) === 'quiet', { what: 'the route' })
  const [idle, busy] = [net.connect(front, '127.0.0.1'), net.connect(front, '127.0.0.1')]
  let busyEnded = false
  busy.on('close', () => (busyEnded = true))
  busy.resume()
  idle.resume()
  const talking = (async () => {
    while (!idle.destroyed) {
      busy.write('x')
      await once(busy, 'data')
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  await once(idle, 'close')
  assert.equal(busyEnded, false)
  await talking
  busy.destroy()
  await remove('/stream_routes/idle')
  await backend.stop()
})

test('routes are chosen by client address, list and priority', async () => {
  const [a, b, rest] = [await namedServer('a'), await namedServer('b'), await namedServer('rest')]
  const to = (node: string) => ({ server_port: front, upstream: { nodes: { [node]: 1 } } })
  await put('/stream_routes/rest', to(rest.node))
  await put('/stream_routes/one', { ...to(a.node), remote_addr: '127.0.0.9', priority: 5 })
  await put('/stream_routes/list', { ...to(b.node), remote_addrs: ['127.0.1.0/24', '127.0.2.1'], priority: 5 })
  await until(async () => (await firstLine(front, { localAddress: '127.0.2.1' })) === 'b', { what: 'the routes' })
  assert.equal(await firstLine(front), 'rest')
  assert.equal(await firstLine(front, { localAddress: '127.0.0.9' }), 'a')
  assert.equal(await firstLine(front, { localAddress: '127.0.1.77' }), 'b')
  for (const id of ['rest', 'one', 'list']) await remove(`/stream_routes/${id}`)
  await Promise.all([a.stop(), b.stop(), rest.stop()])
})

test('a service gives its upstream to routes that have none', async () => {
  const backend = await namedServer('of the service')
  await put('/services/s', { upstream: { nodes: { [backend.node]: 1 } } })
  await put('/stream_routes/served', { server_port: front, service_id: 's' })
  await until(async () => (await firstLine(front)) === 'of the service', { what: 'the route' })
  await remove('/stream_routes/served')
  await remove('/services/s')
  await backend.stop()
})

test('a node with a host name is resolved', async () => {
  const backend = await namedServer('by name')
  await put('/stream_routes/named', { server_port: front, upstream: { nodes: { [`localhost:${backend.port}`]: 1 } } })
  await until(async () => (await firstLine(front)) === 'by name', { what: 'the route' })
  await remove('/stream_routes/named')
  await backend.stop()
})

test('a route opens its port while the gateway runs and closes it when it goes, its sessions going on', async () => {
  const backend = await namedServer('opened')
  await put('/stream_routes/opener', { server_port: range, upstream: { nodes: { [backend.node]: 1 } } })
  const answers = () => firstLine(range).catch(() => undefined)
  await until(async () => (await answers()) === 'opened', { what: 'the port' })
  const { listeners } = (await gateway.status()) as unknown as { listeners: { port: number; from: string }[] }
  assert.equal(listeners.find(({ port }) => port === range)?.from, 'route')
  const session = net.connect(range, '127.0.0.1')
  await once(session, 'data')
  await remove('/stream_routes/opener')
  await until(async () => (await answers()) === undefined, { what: 'the end of the port' })
  session.write('still here')
  const [echo] = (await once(session, 'data')) as [Buffer]
  assert.equal(echo.toString(), 'still here')
  session.destroy()
  await backend.stop()
})

test('every session has its line in the access log, in the format that was asked for', async () => {
  const backend = await namedServer('logged')
  await put('/stream_routes/logged', { server_port: front, upstream: { nodes: { [backend.node]: 1 } } })
  await until(async () => (await firstLine(front)) === 'logged', { what: 'the route' })
  const line = `logged|127.0.0.1|TCP|200|0|7|${backend.node}|${front}`
  await gateway.kill('SIGUSR1')
  const logged = async () => (await gateway.file('logs/access_stream.log')).split('\n')
  await until(async () => (await logged()).includes(line), { what: line }).catch(async (error) => {
    assert.fail(`${error.message} among ${(await logged()).join(' ')}`)
  })
  await remove('/stream_routes/logged')
  await backend.stop()
})
