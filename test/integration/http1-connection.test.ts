/** HTTP/1.1 on real connections of every wire, in front of a road that leads nowhere. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after, before, describe } from 'node:test'
import { http1 } from '../../protocols/http1/index.ts'
import { TimerWheel } from '../../src/base/timers.ts'
import type { Listener, Wire } from '../../src/net/wire.ts'
import { wires } from '../../src/net/wires.ts'
import type { HttpSettings } from '../../src/protocol/http-protocol.ts'
import { type Handler, headOf, httpSettings, mirror, TestRoad } from '../support/http1-road.ts'
import { RawClient } from '../support/raw-client.ts'
import { until } from '../support/until.ts'

const nothing = new Uint8Array(0)
const get = (target = '/', fields = ''): string => `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`
const answer = (body: string, rest = ''): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${rest}\r\n${body}`

for (const { name, refusal, create } of wires) {
  const reason = refusal()
  if (reason !== undefined) test(`http1 on ${name}`, { skip: reason })
  else describe(`http1 on ${name}`, () => suite(create))
}

function suite(create: () => Wire): void {
  const wheel = new TimerWheel({ tickMs: 20, unref: true })
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-bodies-'))
  let wire: Wire
  const listeners: Listener[] = []
  const clients: RawClient[] = []
  before(() => {
    wire = create()
  })
  after(async () => {
    for (const client of clients) client.close()
    await Promise.all(listeners.map((listener) => listener.close()))
    // A file of a body that nobody waits for any more may just be being made.
    await until(() => readdirSync(folder).length === 0, { what: 'the end of all files' })
    rmSync(folder, { recursive: true })
  })

  async function serving(handler?: Handler, given: Partial<HttpSettings> = {}) {
    const road = new TestRoad(handler)
    const settings = httpSettings({ wheel, spillFolder: folder, ...given })
    const options = { host: '127.0.0.1', port: 0, reusePort: false, backlog: 128, keepAliveMs: 0 }
    const listener = await wire.listen(
      options,
      (link) => http1.serve(link, { head: nothing, hello: undefined }, road, settings, 'here'),
      (error) => assert.fail(error),
    )
    listeners.push(listener)
    const connect = async (): Promise<RawClient> => {
      const client = await RawClient.connect(listener.port)
      clients.push(client)
      return client
    }
    return { road, settings, connect, client: await connect() }
  }

  test('a connection carries one request after the other', async () => {
    const { client, road, settings } = await serving()
    for (const target of ['/1', '/2', '/3']) {
      await client.send(get(target))
      await client.expect(answer(`GET ${target} []`))
    }
    assert.deepEqual(
      road.journeys.map(({ sents }) => sents),
      [1, 1, 1],
    )
    client.close()
    await until(() => settings.connections.size === 0, { what: 'the connection to be forgotten' })
  })

  test('pipelined requests are answered in order, late answers too', async () => {
    const { client, road } = await serving((journey) =>
      setImmediate(() => journey.answer(200, journey.exchange.request.path)),
    )
    await client.send([1, 2, 3, 4, 5].map((number) => get(`/${number}`)).join(''))
    await client.expect([1, 2, 3, 4, 5].map((number) => answer(`/${number}`)).join(''))
    assert.equal(road.journeys.length, 5)
  })

  test('a request and its body may be cut anywhere', async () => {
    const { client } = await serving()
    const whole = 'POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n'
    for (let at = 1; at < whole.length; at += 1) {
      await client.send(whole.slice(0, at))
      await new Promise(setImmediate)
      await client.send(whole.slice(at))
      await client.expect(answer('POST /p [hello]'))
    }
  })

  test('a client that sends byte by byte is served', async () => {
    const { client } = await serving()
    for (const byte of 'POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello') await client.send(byte)
    await client.expect(answer('POST /p [hello]'))
  })

  test('100 Continue comes before the body is sent', async () => {
    const { client } = await serving()
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n')
    await client.expect('HTTP/1.1 100 Continue\r\n\r\n')
    await client.send('abc')
    await client.expect(answer('POST / [abc]'))
  })

  test('a client that sends on and on still reads the early answer', async () => {
    const { client, road } = await serving((journey) => journey.answer(403, 'no'))
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n')
    await client.send('x'.repeat(900_000))
    await client.end()
    assert.match(client.text, /^HTTP\/1\.1 403 .*\r\nConnection: close\r\n\r\nno$/s)
    assert.deepEqual([client.error, road.journeys.length], [undefined, 1])
  })

  test('a refused head is answered although more than it was sent', async () => {
    const { client, road } = await serving()
    await client.send(`GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n${get('/smuggled').repeat(100)}`)
    await client.end()
    assert.match(client.text, /^HTTP\/1\.1 400 .*\r\nConnection: close\r\n\r\npage of 400$/s)
    assert.deepEqual([road.refusals.length, road.journeys.length], [1, 0])
  })

  test('a client that ends its side while it waits is gone for the owner', async () => {
    const { client, road } = await serving(() => undefined)
    client.socket.end(get())
    await until(() => road.journeys.length === 1 && road.last.gones.length === 1, { what: 'the owner to hear of it' })
    await client.end()
    assert.equal(client.text, '')
  })

  test('a client that leaves within its body, or is reset, is gone for the owner', async () => {
    for (const leave of ['end', 'resetAndDestroy'] as const) {
      const { client, road } = await serving((journey) => journey.exchange.request.body.open(journey))
      await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc')
      await until(() => road.journeys.length === 1 && road.last.text === 'abc', { what: 'the first part' })
      client.socket[leave]()
      await until(() => road.last.gones.length === 1, { what: 'the owner to hear of it' })
      assert.equal(road.last.bodyError?.kind, 'gone')
    }
  })

  test('a client that is reset while it waits is gone for the owner', async () => {
    const { client, road, settings } = await serving(() => undefined)
    await client.send(get())
    await until(() => road.journeys.length === 1, { what: 'the request' })
    client.socket.resetAndDestroy()
    await until(() => road.last.gones.length === 1, { what: 'the owner to hear of it' })
    assert.equal(settings.connections.size, 0)
  })

  test('a head that does not come in time is 408, however its bytes trickle; silence is closed silently', async () => {
    const { client, connect, road } = await serving(undefined, { headerMs: 150 })
    const silent = await connect()
    await client.send('GET / HTTP/1.1\r\n')
    const trickle = setInterval(() => client.socket.write('X: y\r\n'), 20)
    await client.end()
    clearInterval(trickle)
    assert.match(client.text, /^HTTP\/1\.1 408 /)
    await silent.end()
    assert.equal(silent.text, '')
    assert.deepEqual(
      road.refusals.map(({ error, status }) => [error.code, status]),
      [['client_timeout', 408]],
    )
  })

  test('an idle connection is closed after its time, one that is used is not', async () => {
    const { client, connect } = await serving(undefined, { idleMs: 200 })
    const used = await connect()
    await client.send(get())
    await client.expect(answer('GET / []'))
    let ended = false
    const waited = client.end().then(() => {
      ended = true
    })
    while (!ended) {
      await used.send(get())
      await used.expect(answer('GET / []'))
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await waited
    assert.deepEqual([client.text, used.closed || used.ended], ['', false])
  })

  test('a body that stops coming fails in time', async () => {
    const { client, road } = await serving(undefined, { bodyMs: 100 })
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc')
    await client.end()
    assert.equal(road.last.bodyError?.code, 'client_timeout')
    assert.match(client.text, /^HTTP\/1\.1 400 .*Connection: close/s)
  })

  test('a client that takes nothing is cut off in time', async () => {
    const part = Buffer.alloc(64 * 1024)
    const { client, road } = await serving(
      (journey) => {
        journey.sink.begin(headOf(200), undefined)
        journey.onDrain = () => {
          while (journey.sink.write(part));
        }
        journey.onDrain()
      },
      { sendMs: 200 },
    )
    client.socket.pause()
    await client.send(get())
    await until(() => road.journeys.length === 1 && road.last.gones.length === 1, { what: 'the client to be given up' })
    assert.equal(road.last.gones[0]?.code, 'client_timeout')
    client.socket.resume()
    await until(() => client.closed, { what: 'the reset' })
  })

  test('an upgraded connection carries whatever is sent', async () => {
    const { client } = await serving(({ sink }) => {
      sink.begin(headOf(101), 0)
      const { link, head } = sink.takeOver()
      if (head.length > 0) link.send(head)
      link.open({
        bytes: (_link, bytes) => void link.forward(bytes),
        ended: () => link.close(),
        drained: () => undefined,
        closed: () => undefined,
      })
      link.resume()
    })
    await client.send(`${get('/', 'Connection: upgrade\r\nUpgrade: echo\r\n')}early`)
    await client.expect('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nearly')
    await client.send('\x00\xff GET / HTTP/1.1\r\n\r\n')
    await client.expect('\x00\xff GET / HTTP/1.1\r\n\r\n')
  })

  test('a body of many megabytes is mirrored to a slow client in bounded memory', async () => {
    const { client, road } = await serving(mirror)
    const size = 64 * 1024 * 1024
    const part = Buffer.alloc(256 * 1024, 'x')
    client.counts = true
    client.socket.pause()
    await client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`)
    let sent = 0
    const more = (): void => {
      while (sent < size && client.socket.write(part)) sent += part.length
      if (sent < size) {
        sent += part.length
        client.socket.once('drain', more)
      }
    }
    more()
    // Nothing is taken yet: what the gateway has read by now is all that it will.
    let before = -1
    await until(
      async () => {
        const now = road.journeys.at(-1)?.exchange.downstream.bytesRead ?? 0
        const isStill = now === before && now > 0
        before = now
        await new Promise((resolve) => setTimeout(resolve, 50))
        return isStill
      },
      { what: 'the gateway to hold the client back' },
    )
    const { downstream } = road.last.exchange
    assert.ok(downstream.pending < 2 * 1024 * 1024, `${downstream.pending} bytes wait`)
    client.socket.resume()
    await until(() => client.received >= size, { ms: 60_000, what: 'all of the body' })
    await until(() => road.last.sents === 1, { what: 'the end' })
  })

  test('a chunked body of many megabytes is mirrored whole', async () => {
    const { client, road } = await serving(mirror)
    const chunk = Buffer.concat([Buffer.from('30000\r\n'), Buffer.alloc(0x30000, 'y'), Buffer.from('\r\n')])
    client.counts = true
    void client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
    for (let round = 0; round < 64; round += 1) await client.send(chunk)
    await client.send('0\r\n\r\n')
    await until(() => road.journeys.length === 1 && road.last.sents === 1, { ms: 60_000, what: 'the end' })
    await until(() => client.received > 64 * 0x30000, { what: 'the body' })
    client.counts = false
    await client.send(get())
    await client.heard((text) => text.endsWith('0\r\n\r\n') || text.includes('Content-Length: 0'), 'the next answer')
  })

  test('a large body is collected in a file, replayed and gone from the folder', async () => {
    const { client, road } = await serving((journey) => {
      const { body } = journey.exchange.request
      void Promise.resolve(body.collect(10_000_000)).then(async (collected) => {
        assert.equal(collected.size, 3_000_000)
        assert.equal((await collected.bytes()).length, 3_000_000)
        assert.equal(body.replayable, true)
        let size = 0
        journey.onPart = (bytes) => {
          size += bytes.length
        }
        journey.onEnd = () => journey.answer(200, String(size))
        body.open(journey)
      })
    })
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n')
    await client.send('x'.repeat(3_000_000))
    await client.expect(answer('3000000'))
    assert.equal(road.last.bodyError, undefined)
    assert.deepEqual(readdirSync(folder), [])
  })
}
