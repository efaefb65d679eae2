/** The relay on real links: clients and servers are sockets of Node, in between is the portable wire. */
import assert from 'node:assert/strict'
import dgram from 'node:dgram'
import { once } from 'node:events'
import net from 'node:net'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { TimerWheel } from '../../../../src/base/timers.ts'
import type { Link } from '../../../../src/net/link.ts'
import { createPortableWire } from '../../../../src/net/portable/wire.ts'
import { type RelayOptions, type RelayOutcome, relay } from '../../../../src/net/relay.ts'
import type { Listener } from '../../../../src/net/wire.ts'
import { dialled, streamTo } from '../../../support/recorder.ts'
import { readAll } from '../../../support/stream-bench.ts'
import { until } from '../../../support/until.ts'

const wheel = new TimerWheel({ tickMs: 20, unref: true })
const wire = createPortableWire({ wheel })

describe('a relay', { timeout: 30_000 }, () => {
  let listener: Listener
  let server: net.Server
  let served: net.Socket[]
  let clients: net.Socket[]
  let outcomes: RelayOutcome[]
  let stops: (() => void)[]
  let options: RelayOptions

  async function join(downstream: Link): Promise<void> {
    const { link } = await dialled(wire, streamTo((server.address() as net.AddressInfo).port))
    stops.push(relay(downstream, link as Link, options, (outcome) => outcomes.push(outcome)))
  }

  /** A client and the server's end of the same session. */
  async function session(): Promise<[net.Socket, net.Socket]> {
    const count = served.length
    const client = net.connect({ port: listener.port, host: '127.0.0.1', allowHalfOpen: true })
    client.on('error', () => {})
    clients.push(client)
    await until(() => served.length > count && stops.length > count, { what: 'a joined session' })
    return [client, served[count] as net.Socket]
  }

  const outcome = (): Promise<RelayOutcome> => until(() => outcomes[0], { what: 'the outcome' })

  before(async () => {
    server = net.createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {})
      served.push(socket)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    listener = await wire.listen(
      { host: '127.0.0.1', port: 0, reusePort: false, backlog: 16, keepAliveMs: 0 },
      (link) => void join(link),
      assert.ifError,
    )
  })

  beforeEach(() => {
    served = []
    clients = []
    outcomes = []
    stops = []
    options = { idleMs: 0, wheel, lingerMs: 0 }
  })

  afterEach(async () => {
    for (const socket of [...clients, ...served]) socket.destroy()
    await until(() => outcomes.length === stops.length, { what: 'every session done' })
  })

  after(async () => {
    await listener.close()
    server.close()
    assert.equal(wheel.size, 0)
  })

  test('passes an end on, and the other direction goes on until it ends too', async () => {
    const [client, upstream] = await session()
    client.end('question')
    assert.equal((await readAll(upstream)).toString(), 'question')
    assert.equal(outcomes.length, 0)
    upstream.end('the answer')
    assert.equal((await readAll(client)).toString(), 'the answer')
    assert.deepEqual(await outcome(), { reason: 'ended', error: undefined, bytesUp: 8, bytesDown: 10 })
  })

  test('works for servers that speak and end first', async () => {
    const [client, upstream] = await session()
    upstream.end('banner')
    assert.equal((await readAll(client)).toString(), 'banner')
    client.end('late')
    assert.equal((await readAll(upstream)).toString(), 'late')
    assert.deepEqual(await outcome(), { reason: 'ended', error: undefined, bytesUp: 4, bytesDown: 6 })
  })

  test('loses nothing between a fast sender and a slow reader, and makes the sender wait', async () => {
    const [client, upstream] = await session()
    const sent = Buffer.alloc(20_000_000)
    for (let index = 0; index < sent.length; index += 4) sent.writeUInt32LE(index, index)
    upstream.pause()
    client.write(sent)
    let last = -1
    await until(
      () => {
        const still = client.writableLength > 0 && client.bytesWritten === last
        last = client.bytesWritten
        return still
      },
      { what: 'a sender that waits' },
    )
    client.end()
    const got = await readAll(upstream)
    assert.ok(got.equals(sent))
    upstream.end()
    assert.equal((await outcome()).bytesUp, sent.length)
  })

  test('sends the head before anything else', async () => {
    options = { ...options, head: Buffer.from('head ') }
    const [client, upstream] = await session()
    client.end('tail')
    assert.equal((await readAll(upstream)).toString(), 'head tail')
    upstream.end()
    assert.equal((await outcome()).bytesUp, 9)
  })

  test('closes the upstream when the client breaks off, and says who did', async () => {
    const [client, upstream] = await session()
    client.resetAndDestroy()
    await readAll(upstream)
    upstream.end()
    const { reason, error } = await outcome()
    assert.equal(reason, 'downstream')
    assert.equal(error?.code, 'client_gone')
  })

  test('resets the client when the upstream breaks off in the middle of an answer', async () => {
    const [client, upstream] = await session()
    upstream.write('half of')
    await once(client, 'data')
    upstream.resetAndDestroy()
    const [thrown] = (await once(client, 'close', {}).catch((error: unknown) => [error])) as [NodeJS.ErrnoException]
    assert.equal(thrown.code, 'ECONNRESET')
    const { reason, error, bytesDown } = await outcome()
    assert.equal(reason, 'upstream')
    assert.equal(error?.code, 'upstream_reset')
    assert.equal(bytesDown, 7)
  })

  test('closes the client in order when the upstream breaks off without a word', async () => {
    const [client, upstream] = await session()
    upstream.resetAndDestroy()
    await readAll(client)
    client.end()
    const { reason, error } = await outcome()
    assert.equal(reason, 'upstream')
    assert.equal(error?.code, 'upstream_reset')
  })

  test('ends both sides after a silence, not while bytes move in one direction', async () => {
    options = { ...options, idleMs: 200 }
    const [client, upstream] = await session()
    const startedAt = performance.now()
    client.resume()
    for (let round = 0; round < 5; round += 1) {
      upstream.write('x')
      await once(client, 'data')
      const next = performance.now() + 80
      await until(() => performance.now() > next, { what: 'a while' })
    }
    assert.equal(outcomes.length, 0)
    assert.ok(performance.now() - startedAt > 400)
    const { reason, error } = await outcome()
    assert.equal(reason, 'idle')
    assert.equal(error?.code, 'idle_timeout')
  })

  test('ends when one side takes nothing for too long, although the other one goes on talking', async () => {
    for (const [stuck, reason, code] of [
      ['client', 'downstream', 'client_timeout'],
      ['server', 'upstream', 'upstream_timeout'],
    ] as const) {
      const before = outcomes.length
      options = { ...options, sendMs: 200 }
      const [client, server] = await session()
      const [deaf, talker] = stuck === 'client' ? [client, server] : [server, client]
      deaf.pause()
      talker.resume()
      const flood = Buffer.alloc(1024 * 1024)
      const pour = (): void => {
        while (!talker.destroyed && talker.writableLength < 8 * flood.length) talker.write(flood)
      }
      talker.on('drain', pour)
      pour()
      // The deaf side still speaks: bytes move, so it is not silence that ends the session.
      const chatter = setInterval(() => deaf.write('x'), 20)
      try {
        const { reason: said, error } = await until(() => outcomes[before], { what: 'the outcome' })
        assert.equal(said, reason)
        assert.equal(error?.code, code)
      } finally {
        clearInterval(chatter)
      }
    }
  })

  test('gives the second direction no longer than the lingering time, if there is one', async () => {
    options = { ...options, lingerMs: 100 }
    const [client, upstream] = await session()
    upstream.end()
    await readAll(client)
    assert.equal((await outcome()).reason, 'ended')
  })

  test('can be stopped from outside', async () => {
    const [client, upstream] = await session()
    stops[0]?.()
    await Promise.all([readAll(client), readAll(upstream)])
    assert.equal((await outcome()).reason, 'ended')
  })
})

test('a relay of datagrams keeps their bounds both ways and ends when idle', { timeout: 30_000 }, async () => {
  const echo = dgram.createSocket('udp4')
  echo.on('message', (bytes, from) => echo.send(bytes, from.port, from.address))
  echo.bind(0, '127.0.0.1')
  await once(echo, 'listening')
  const outcomes: RelayOutcome[] = []
  const listener = await wire.listenDatagrams(
    { host: '127.0.0.1', port: 0, reusePort: false, idleMs: 10_000, maxSessions: 10 },
    async (downstream) => {
      const target = { ...streamTo(echo.address().port), carrier: 'datagram' } as const
      const { link } = await dialled(wire, target)
      relay(downstream, link as Link, { idleMs: 150, wheel, lingerMs: 0 }, (outcome) => outcomes.push(outcome))
    },
    assert.ifError,
  )
  const client = dgram.createSocket('udp4')
  const got: string[] = []
  client.on('message', (bytes) => got.push(bytes.toString()))
  for (const text of ['one', '', 'three']) client.send(text, listener.port, '127.0.0.1')
  await until(() => got.length === 3, { what: 'three answers' })
  assert.deepEqual(got.toSorted(), ['', 'one', 'three'])
  const outcome = await until(() => outcomes[0], { what: 'the idle end' })
  assert.equal(outcome.reason, 'idle')
  assert.equal(outcome.bytesUp, 8)
  assert.equal(outcome.bytesDown, 8)
  client.close()
  echo.close()
  await listener.close()
})
