import assert from 'node:assert/strict'
import test from 'node:test'
import { http1 } from '../../../../protocols/http1/index.ts'
import { answerOf, getOf, headOf, httpSettings, served, TestRoad } from '../../../support/http1-road.ts'
import { ScriptedLink } from '../../../support/scripted-link.ts'

const nothing = new Uint8Array(0)

test('an answer leaves in one write with its head', () => {
  const { link } = served()
  link.arrive(getOf('/a'))
  assert.deepEqual(link.writes, [answerOf('GET /a []')])
})

test('a connection is kept and its next request answered', () => {
  const { link, road } = served()
  for (const path of ['/1', '/2', '/3']) {
    link.arrive(getOf(path))
    assert.equal(link.taken(), answerOf(`GET ${path} []`))
  }
  assert.deepEqual(
    road.journeys.map(({ sents, exchange }) => [sents, exchange.connectionRequests]),
    [
      [1, 1],
      [1, 2],
      [1, 3],
    ],
  )
})

test('pipelined requests are answered in order, each begun when the one before it is out', () => {
  const { link, road } = served(() => undefined)
  link.arrive(getOf('/1') + getOf('/2') + getOf('/3'))
  assert.equal(road.journeys.length, 1)
  road.journeys[0]?.answer(200, 'one')
  assert.equal(road.journeys.length, 2)
  road.journeys[1]?.answer(200, 'two')
  road.journeys[2]?.answer(200, 'three')
  assert.equal(link.sent, answerOf('one') + answerOf('two') + answerOf('three'))
  assert.deepEqual(
    road.journeys.map(({ exchange }) => exchange.request.path),
    ['/1', '/2', '/3'],
  )
})

test('a thousand pipelined requests in one read are answered without the stack growing', () => {
  const { link, road } = served()
  link.arrive(getOf('/x').repeat(1000))
  assert.equal(road.journeys.length, 1000)
})

test('a request cut at any byte is the same request', () => {
  const whole = `POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello${getOf('/next')}`
  for (let at = 1; at < whole.length; at += 1) {
    const { link, road } = served()
    link.arrive(whole.slice(0, at))
    link.arrive(whole.slice(at))
    assert.equal(link.sent, answerOf('POST /p [hello]') + answerOf('GET /next []'), `cut at ${at}`)
    assert.equal(road.refusals.length, 0)
  }
})

test('a chunked request cut at any byte is the same request', () => {
  const whole =
    'POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nX-T: 1\r\n\r\n' +
    getOf('/next')
  for (let at = 1; at < whole.length; at += 1) {
    const { link, road } = served()
    link.arrive(whole.slice(0, at))
    link.arrive(whole.slice(at))
    assert.equal(link.sent, answerOf('POST /p [hello]') + answerOf('GET /next []'), `cut at ${at}`)
    assert.equal(road.journeys[0]?.trailers?.get('x-t'), '1')
  }
})

test('requests that come byte by byte are the same requests', () => {
  const { link } = served()
  for (const byte of `POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello${getOf('/next')}`) link.arrive(byte)
  assert.equal(link.sent, answerOf('POST /p [hello]') + answerOf('GET /next []'))
})

test('a connection is closed after the answer where the client asks for it', () => {
  const { link, road, settings } = served()
  link.arrive(getOf('/', 'Connection: close\r\n') + getOf('/second'))
  assert.equal(link.sent, answerOf('GET / []', 'Connection: close\r\n'))
  assert.equal(link.closed, true)
  assert.equal(road.journeys.length, 1)
  assert.equal(settings.connections.size, 0)
})

test('the last request that a connection may carry says so', () => {
  const { link, road } = served(undefined, { maxRequests: 2 })
  link.arrive(getOf('/1') + getOf('/2') + getOf('/3'))
  assert.equal(link.sent, answerOf('GET /1 []') + answerOf('GET /2 []', 'Connection: close\r\n'))
  assert.equal(link.closed, true)
  assert.equal(road.journeys.length, 2)
})

test('a gateway that drains closes idle connections, and others with their answer', () => {
  const settings = { ...httpSettings(), draining: false }
  const road = new TestRoad(() => undefined)
  const [idle, busy] = [new ScriptedLink(), new ScriptedLink()]
  for (const link of [idle, busy]) http1.serve(link, { head: nothing, hello: undefined }, road, settings, 'l')
  busy.arrive(getOf())
  settings.draining = true
  for (const connection of settings.connections.list()) connection.drain()
  assert.deepEqual([idle.closed, busy.closed], [true, false])
  road.last.answer(200, 'x')
  assert.equal(busy.taken(), answerOf('x', 'Connection: close\r\n'))
  assert.equal(busy.closed, true)
})

test('an answer waits for a client that is slow, and the next request with it', () => {
  const { link, road } = served(({ sink }) => sink.begin(headOf(200), 6))
  link.arrive(getOf('/1') + getOf('/2'))
  const { sink } = road.last
  link.full = true
  assert.equal(sink.write(Buffer.from('abc')), false)
  link.drain()
  assert.equal(road.last.drains, 1)
  link.full = true
  assert.equal(sink.write(Buffer.from('def')), false)
  sink.finish()
  assert.deepEqual([road.journeys[0]?.sents, road.journeys.length], [0, 1])
  link.drain()
  assert.deepEqual([road.journeys[0]?.sents, road.journeys.length], [1, 2])
})

test('a call that comes after its exchange does not reach the next one', () => {
  const { link, road } = served((journey) => journey.answer(200, 'x'))
  link.arrive(getOf('/1'))
  road.handler = () => undefined
  link.arrive(getOf('/2'))
  link.taken()
  road.journeys[0]?.sink.begin(headOf(500), 0)
  road.journeys[0]?.sink.write(Buffer.from('late'))
  road.journeys[0]?.sink.finish()
  road.journeys[0]?.sink.cut()
  assert.deepEqual([link.sent, link.closed], ['', false])
})

test('bytes that were read before the connection began come first', () => {
  const road = new TestRoad()
  const link = new ScriptedLink()
  http1.serve(link, { head: Buffer.from(getOf('/a').slice(0, 20)), hello: undefined }, road, httpSettings(), 'l')
  link.arrive(getOf('/a').slice(20))
  assert.equal(link.sent, answerOf('GET /a []'))
})

test('a connection that is drained alone ends with its answer, begun or not', () => {
  for (const begun of [true, false]) {
    const { link, road, settings } = served(({ sink }) => {
      if (begun) sink.begin(headOf(200), 1)
    })
    link.arrive(getOf() + getOf('/next'))
    for (const connection of settings.connections.list()) connection.drain()
    if (!begun) road.last.sink.begin(headOf(200), 1)
    road.last.sink.write(Buffer.from('x'))
    road.last.sink.finish()
    assert.equal(link.sent, answerOf('x', begun ? '' : 'Connection: close\r\n'))
    assert.deepEqual([link.closed, road.journeys.length], [true, 1])
  }
})
