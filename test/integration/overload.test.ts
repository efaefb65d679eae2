/** More than the gateway may take: bursts beyond its descriptors, sessions by the ten thousand. What is there stays served. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { test } from 'node:test'
import { type Backend, firstLine, namedServer } from '../support/backends.ts'
import { makeCa, makeCertificate } from '../support/certificates.ts'
import { type Flood, startFlood } from '../support/flood.ts'
import { freePort } from '../support/free-port.ts'
import { startTestGateway, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts'
import { descriptors, rssMiB } from '../support/rss.ts'
import { tlsConnect } from '../support/tls-client.ts'
import { until } from '../support/until.ts'

const needsPrlimit = spawnSync('prlimit', ['--version']).status === 0 ? false : 'needs prlimit'
const needsProc = rssMiB(process.pid) === undefined ? 'needs /proc' : false

/** Heaps that are small from the start: with V8's own sizes they grow for minutes before anything is collected. */
const smallHeaps = { NODE_OPTIONS: '--max-old-space-size=64 --max-semi-space-size=1' }

interface Rig extends AsyncDisposable {
  readonly gateway: TestGateway
  /** Two plain ports and one that ends TLS, all to the same backend. */
  readonly first: number
  readonly second: number
  readonly secure: number
}

async function startRig(options: TestGatewayOptions = {}): Promise<Rig> {
  const [first, second, secure] = [await freePort(), await freePort(), await freePort()]
  const backend: Backend = await namedServer('here')
  const upstream = { nodes: { [backend.node]: 1 } }
  const { cert, key } = makeCertificate({ ca: makeCa(), names: ['a.test'] })
  const gateway = await startTestGateway({
    workers: 2,
    config: {
      apisix: {
        stream_proxy: {
          tcp: [`127.0.0.1:${first}`, `127.0.0.1:${second}`, { addr: `127.0.0.1:${secure}`, tls: true }],
        },
      },
      nginx_config: { error_log_level: 'warn' },
    },
    resources: {
      '/ssls/a': { sni: 'a.test', cert, key },
      '/stream_routes/first': { server_port: first, upstream },
      '/stream_routes/second': { server_port: second, upstream },
      '/stream_routes/secure': { server_port: secure, upstream },
    },
    ...options,
  })
  for (const port of [first, second]) {
    await until(async () => (await firstLine(port)) === 'here', { what: `port ${port}` })
  }
  return {
    gateway,
    first,
    second,
    secure,
    async [Symbol.asyncDispose]() {
      await backend.stop()
      await gateway.stop()
    },
  }
}

const settled = (gateway: TestGateway, active: number): Promise<unknown> =>
  until(async () => (await gateway.status()).connections.active === active, { ms: 60_000, what: 'the end of sessions' })

/** A client that keeps talking and fails when it is not answered. */
async function steadyClient(port: number): Promise<{ answers: () => number; stop: () => void }> {
  const socket = net.connect(port, '127.0.0.1')
  let answers = 0
  let broken: Error | undefined
  socket.on('error', (error) => (broken = error))
  socket.on('end', () => (broken = new Error('the steady client was closed')))
  await once(socket, 'data')
  socket.on('data', () => {
    answers++
    socket.write('again')
  })
  socket.write('again')
  return {
    answers: () => {
      if (broken !== undefined) throw broken
      return answers
    },
    stop: () => void socket.destroy(),
  }
}

test('50,000 connections in a burst against 4,096 descriptors: who is in is served, and afterwards everybody is', {
  skip: needsPrlimit,
}, async () => {
  await using rig = await startRig({ under: ['prlimit', '--nofile=4096:4096'] })
  const { gateway, first, second } = rig
  const steady = await steadyClient(second)
  const resting = descriptors(gateway.pid)
  let flood: Flood | undefined
  try {
    for (let round = 0; round < 2; round++) {
      const before = steady.answers()
      flood = startFlood({ port: first, connections: 50_000, processes: 4 })
      const { connected, failed } = await flood.settled
      assert.equal(connected + failed, 50_000)
      const { active } = (await gateway.status()).connections
      assert.ok(active > 500 && active <= 2048, `${active} sessions at the limit`)
      assert.equal((await gateway.admin('GET', '/stream_routes')).status, 200)
      assert.ok(steady.answers() > before, 'the steady client was not served')
      await flood.stop()
      await settled(gateway, 1)
      for (const port of [first, second]) for (let i = 0; i < 20; i++) assert.equal(await firstLine(port), 'here')
    }
    steady.stop()
    await settled(gateway, 0)
    assert.ok((await gateway.status()).workers.every(({ state, restarts }) => state === 'running' && restarts === 0))
    if (resting !== undefined) assert.ok((descriptors(gateway.pid) ?? 0) <= resting + 8, 'descriptors were left behind')
    const log = await gateway.log()
    assert.match(log, /"limit":1920,"set_by":"the 4096 open files that the process may have"/)
    assert.match(log, /repeated too often/)
    assert.ok(log.split('\n').length < 10_000, `${log.split('\n').length} lines`)
  } finally {
    steady.stop()
    await flood?.stop()
  }
})

/** Runs so many sessions to their end, some at a time: connect, hear, ask, hear, close. */
async function sessions(count: number, atOnce: number, one: () => Promise<void>): Promise<void> {
  let left = count
  const runner = async (): Promise<void> => {
    while (left-- > 0) await one()
  }
  await Promise.all(Array.from({ length: atOnce }, runner))
}

async function plainSession(port: number): Promise<void> {
  const socket = net.connect(port, '127.0.0.1')
  await once(socket, 'data')
  socket.write('x')
  await once(socket, 'data')
  socket.end()
  await once(socket.resume(), 'close')
}

async function tlsSession(port: number): Promise<void> {
  const socket = await tlsConnect(port, { servername: 'a.test' })
  await once(socket, 'data')
  socket.destroy()
}

test('20,000 short sessions leave nothing behind, neither sessions nor descriptors nor memory', {
  skip: needsProc,
}, async () => {
  await using rig = await startRig({ env: smallHeaps })
  const { gateway, first, secure } = rig
  const held: number[] = []
  const resting = descriptors(gateway.pid) ?? 0
  // The first round grows heaps to their working size.
  for (let round = 0; round < 3; round++) {
    await sessions(7000, 64, () => plainSession(first))
    await sessions(300, 16, () => tlsSession(secure))
    await settled(gateway, 0)
    held.push(rssMiB(gateway.pid) ?? 0)
  }
  const [, before = 0, after = 0] = held
  assert.ok(after - before < 12, `resident after each round: ${held.map(Math.round).join(', ')} MiB`)
  assert.ok((descriptors(gateway.pid) ?? 0) <= resting + 8, 'descriptors were left behind')
  const { connections } = await gateway.status()
  assert.ok(connections.accepted >= 21_000, `${connections.accepted} accepted`)
})

test('a flood of connections that come and go leaves no memory behind', { skip: needsProc }, async () => {
  await using rig = await startRig({ env: smallHeaps })
  const { gateway, first, second } = rig
  const held: number[] = []
  for (let round = 0; round < 3; round++) {
    const flood = startFlood({ port: first, connections: 3000, processes: 2, payload: Buffer.from('flood') })
    try {
      await flood.settled
      await until(async () => (await gateway.status()).connections.active > 0, { what: 'sessions' })
    } finally {
      await flood.stop()
    }
    await settled(gateway, 0)
    assert.equal(await firstLine(second), 'here')
    held.push(rssMiB(gateway.pid) ?? 0)
  }
  const [, before = 0, after = 0] = held
  assert.ok(after - before < 24, `resident after each round: ${held.map(Math.round).join(', ')} MiB`)
})
