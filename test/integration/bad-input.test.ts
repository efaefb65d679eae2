/** Nonsense, half sentences and slow talkers on every port: each is refused or dropped for itself, and all others are served. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import net from 'node:net'
import { after, afterEach, before, test } from 'node:test'
import { askDatagram, type Backend, firstLine, namedDatagrams, namedServer } from '../support/backends.ts'
import { makeCa, makeCertificate } from '../support/certificates.ts'
import { startFlood } from '../support/flood.ts'
import { freePort } from '../support/free-port.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { captureHello } from '../support/hellos.ts'
import { resourcesOf } from '../support/resources.ts'
import { tlsConnect } from '../support/tls-client.ts'
import { until } from '../support/until.ts'

let gateway: TestGateway
/** Of the client that behaves; of what ends TLS; of a plain port with server names; of datagrams. */
let good: number
let secure: number
let named: number
let datagrams: number
let hello: Buffer
let steady: Steady
const { put } = resourcesOf(() => gateway)
const backends: Backend[] = []
const configOf = (more: readonly unknown[] = []) => ({
  apisix: {
    stream_proxy: {
      tcp: [`127.0.0.1:${good}`, { addr: `127.0.0.1:${secure}`, tls: true }, `127.0.0.1:${named}`, ...more],
      udp: [`127.0.0.1:${datagrams}`],
    },
  },
  sluice: { limits: { tls_handshake_timeout: '1s', hello_timeout: '1s' }, udp_idle_timeout: '1s' },
  nginx_config: { error_log_level: 'warn' },
})

before(async () => {
  good = await freePort()
  secure = await freePort()
  named = await freePort()
  datagrams = await freePort()
  const [here, echo] = [await namedServer('here'), await namedDatagrams('echo')]
  backends.push(here, echo)
  const upstream = { nodes: { [here.node]: 1 } }
  const { cert, key } = makeCertificate({ ca: makeCa(), names: ['a.test'] })
  gateway = await startTestGateway({
    workers: 2,
    config: configOf(),
    resources: {
      '/ssls/a': { sni: 'a.test', cert, key },
      '/stream_routes/good': { server_port: good, upstream },
      '/stream_routes/secure': { server_port: secure, upstream },
      '/stream_routes/named': { server_port: named, sni: 'a.test', upstream },
      '/stream_routes/udp': {
        server_port: datagrams,
        upstream: { timeout: { connect: 1, send: 1, read: 1 }, nodes: { [echo.node]: 1 } },
      },
    },
  })
  hello = await captureHello((port) => tlsConnect(port, { servername: 'a.test' }).catch(() => {}))
  await until(async () => (await firstLine(good)) === 'here', { what: 'the route' })
  steady = await behave()
})
after(async () => {
  await steady.stop()
  for (const backend of backends) await backend.stop()
  await gateway.stop()
})
/** Whatever was done: the client that behaves was served, nothing is left of the others, and no worker broke. */
afterEach(async () => {
  const before = steady.served()
  await until(() => steady.served() > before + 5, { what: 'service for the client that behaves' })
  await calm()
  const { workers } = await gateway.status()
  assert.deepEqual(
    workers.map(({ state, restarts }) => [state, restarts]),
    [
      ['running', 0],
      ['running', 0],
    ],
  )
})

/** All that is left is the client that behaves: its long session, and at times a short one. */
const calm = (): Promise<unknown> =>
  until(async () => (await gateway.status()).connections.active <= 2, { ms: 20_000, what: 'the end of all others' })

interface Steady {
  /** Throws the first thing that went wrong. */
  served(): number
  stop(): Promise<void>
}

/** Holds one session, and opens others one after the other. */
async function behave(): Promise<Steady> {
  let served = 0
  let going = true
  let broken: unknown
  const long = net.connect(good, '127.0.0.1')
  long.on('error', (error) => (broken ??= error))
  long.on('end', () => (broken ??= new Error('the long session was closed')))
  await once(long, 'data')
  const done = (async () => {
    while (going) {
      try {
        assert.equal(await firstLine(good), 'here')
        long.write('x')
        await once(long, 'data')
        served++
      } catch (error) {
        broken ??= error
        return
      }
    }
  })()
  return {
    served() {
      if (broken !== undefined) throw broken
      return served
    },
    async stop() {
      going = false
      await done
      long.destroy()
    },
  }
}

/** A generator of bytes that are the same in every run (mulberry32). */
function random(seed: number): { bytes: (length: number) => Buffer; below: (n: number) => number } {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const below = (n: number): number => next() % n
  return { below, bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))) }
}

/** Sends that and half-closes (or leaves it at that); resolves when the other side has closed. */
function throwAt(port: number, bytes: Uint8Array, end = true): Promise<void> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: !end })
  socket.on('error', () => {})
  socket.on('end', () => socket.destroy())
  socket.resume()
  if (end) socket.end(bytes)
  else socket.write(bytes)
  return new Promise((resolve) => socket.once('close', () => resolve()))
}

test('a resource that makes no sense is refused with the reason, and nothing changes for traffic', async () => {
  const [one, other] = [
    makeCertificate({ ca: makeCa(), names: ['x.test'] }),
    makeCertificate({ ca: makeCa(), names: ['x.test'] }),
  ]
  const cases: readonly [path: string, body: unknown, status: number, message: RegExp][] = [
    ['/stream_routes/good', '{"server_port":', 400, /invalid request body/],
    ['/stream_routes/good', 'null', 400, /./],
    ['/stream_routes/good', '[]', 400, /./],
    ['/stream_routes/good', { server_port: 'good' }, 400, /server_port/],
    ['/stream_routes/good', { server_port: 1.5 }, 400, /server_port/],
    ['/stream_routes/good', { server_port: good, upstream: { nodes: { 'no port at all:': 'x' } } }, 400, /nodes/],
    [
      '/stream_routes/good',
      { server_port: good, plugins: { 'no-such-plugin': {} } },
      400,
      /unknown plugin \[no-such-plugin\]/,
    ],
    [
      '/stream_routes/good',
      { server_port: good, plugins: { 'ip-restriction': { whitelist: ['nowhere'] } } },
      400,
      /nowhere|whitelist/,
    ],
    ['/stream_routes/good', { server_port: good, upstream_id: 'nobody' }, 400, /upstream.*\[?nobody/],
    ['/stream_routes/good', { server_port: good, service_id: 'nobody' }, 400, /service.*\[?nobody/],
    ['/ssls/a', { sni: 'a.test', cert: one.cert, key: other.key }, 400, /key/],
    ['/ssls/a', { sni: 'a.test', cert: 'x'.repeat(200), key: one.key }, 400, /cert/],
    ['/stream_routes/good', `{"server_port":${'['.repeat(5000)}`, 400, /./],
    ['/no_such_kind/1', {}, 404, /Unsupported resource type/],
  ]
  for (const [path, body, status, message] of cases) {
    const reply = await gateway.admin('PUT', path, body)
    assert.equal(reply.status, status, `${path} ${JSON.stringify(reply.body)}`)
    assert.match(JSON.stringify(reply.body), message)
  }
  const { body } = await gateway.admin('GET', '/stream_routes/good')
  assert.equal((body as { value: { server_port: number } }).value.server_port, good)
  assert.equal(await firstLine(good), 'here')
  const socket = await tlsConnect(secure, { servername: 'a.test' })
  socket.destroy()
})

test('a listener that is named twice is refused with both places, and the running configuration goes on', async () => {
  gateway.configure(configOf([`127.0.0.1:${good}`]))
  await assert.rejects(gateway.reload(), (error: Error) => {
    assert.match(error.message, new RegExp(`${good}`))
    assert.match(error.message, /stream_proxy\.tcp/)
    return true
  })
  gateway.configure(configOf())
  await gateway.reload()
  assert.equal(await firstLine(good), 'here')
})

test('random bytes on every port harm nobody', async () => {
  const { bytes, below } = random(20_261_121)
  const { admin, control, prometheus, status } = gateway.ports
  for (const port of [good, secure, named, admin, control, prometheus, status]) {
    for (let round = 0; round < 8; round++) {
      await Promise.all(Array.from({ length: 8 }, () => throwAt(port, bytes(1 + below(3000)))))
    }
  }
  // What looks like TLS, and like HTTP, and then is not.
  for (let round = 0; round < 8; round++) {
    const noise = bytes(below(600))
    const record = Buffer.concat([Buffer.from([0x16, 3, 1, noise.length >> 8, noise.length & 0xff]), noise])
    await Promise.all([secure, named].map((port) => throwAt(port, record)))
    const request = Buffer.concat([Buffer.from('GET /apisix/admin/routes HTTP/1.1\r\nhost: x\r\n'), noise])
    await Promise.all([admin, control, prometheus, status].map((port) => throwAt(port, request)))
  }
  const socket = createSocket('udp4')
  for (let i = 0; i < 500; i++) socket.send(bytes(below(1400)), datagrams, '127.0.0.1')
  await until(async () => (await askDatagram(datagrams, 'still there?').catch(() => '')) === 'echo still there?', {
    what: 'an answer to a datagram',
  })
  socket.close()
  assert.equal((await gateway.admin('GET', '/stream_routes')).status, 200)
  assert.equal((await gateway.ask('status', '/status/ready')).status, 200)
  assert.equal((await gateway.ask('prometheus', '/apisix/prometheus/metrics')).status, 200)
})

test('a ClientHello with any of its bytes wrong is answered or refused', async () => {
  const { below } = random(77)
  for (let round = 0; round < 12; round++) {
    const broken = Array.from({ length: 25 }, () => {
      const copy = Buffer.from(hello)
      for (let i = 0; i <= below(3); i++) copy[below(copy.length)] = below(256)
      return copy
    })
    await Promise.all(broken.map((bytes, i) => throwAt(i % 2 === 0 ? secure : named, bytes)))
  }
  const socket = await tlsConnect(secure, { servername: 'a.test' })
  socket.destroy()
})

test('a ClientHello that is cut at any byte is given up, whether the client ends, resets or just stops', async () => {
  const gone: Promise<void>[] = []
  for (let cut = 0; cut < hello.length; cut += 1) {
    const port = cut % 2 === 0 ? secure : named
    const part = hello.subarray(0, cut)
    if (cut % 3 === 0) gone.push(throwAt(port, part))
    else if (cut % 3 === 1) gone.push(throwAt(port, part, false))
    else {
      const socket = net.connect(port, '127.0.0.1')
      socket.on('error', () => {})
      socket.write(part, () => socket.resetAndDestroy())
    }
    // So that they come in while others wait.
    if (cut % 50 === 0) await firstLine(good)
  }
  await Promise.all(gone)
  await calm()
})

test('whoever sends one byte at a time is let go when the time is over, and keeps nobody from being served', async () => {
  const drips: NodeJS.Timeout[] = []
  const sockets: net.Socket[] = []
  const dripTo = (port: number, text: Uint8Array): net.Socket => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    let at = 0
    socket.on('error', () => {})
    socket.on('end', () => socket.destroy())
    socket.resume()
    drips.push(
      setInterval(() => void (at < text.length && socket.writable && socket.write(text.subarray(at, ++at))), 25),
    )
    sockets.push(socket)
    return socket
  }
  try {
    const onTls = Array.from({ length: 60 }, (_, i) => dripTo(i % 2 === 0 ? secure : named, hello))
    const request = Buffer.from(`GET /apisix/admin/routes HTTP/1.1\r\nx: ${'y'.repeat(4000)}`)
    for (let i = 0; i < 60; i++) dripTo(gateway.port('admin'), request)
    for (let i = 0; i < 20; i++) assert.equal((await gateway.admin('GET', '/stream_routes')).status, 200)
    await put('/stream_routes/later', { server_port: 1 + (good % 60_000), upstream: { nodes: { '127.0.0.1:1': 1 } } })
    assert.equal((await gateway.admin('DELETE', '/stream_routes/later')).status, 200)
    await until(() => onTls.every((socket) => socket.destroyed), { what: 'the end of the slow ones' })
    await calm()
  } finally {
    for (const drip of drips) clearInterval(drip)
    for (const socket of sockets) socket.destroy()
  }
})

test('thousands who say nothing on a port of TLS are let go, and handshakes go on meanwhile', async () => {
  const flood = startFlood({ port: secure, connections: 2000, processes: 2 })
  try {
    await flood.settled
    const socket = await tlsConnect(secure, { servername: 'a.test' })
    socket.destroy()
    await until(async () => (await flood.now()).closed === 2000, { ms: 20_000, what: 'the end of all of them' })
  } finally {
    await flood.stop()
  }
})
