import assert from 'node:assert/strict'
import test from 'node:test'
import { answerOf, getOf, type Handler, headOf, mirror, served } from '../../../support/http1-road.ts'

test('a body of a mirrored request goes out as it comes, framed as it came', () => {
  const { link } = served(mirror)
  link.arrive('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')
  assert.equal(link.taken(), 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')
  link.arrive('2\r\nde\r\n4\r\nfghi\r\n')
  assert.deepEqual(link.writes.splice(0), ['2\r\nde\r\n4\r\nfghi\r\n'])
  link.arrive('0\r\nX-Sum: 9\r\n\r\n')
  assert.equal(link.taken(), '0\r\nX-Sum: 9\r\n\r\n')
})

test('a small chunked answer is one write', () => {
  const { link } = served(({ sink }) => {
    sink.begin(headOf(200), undefined)
    sink.write(Buffer.from('abc'))
    sink.write(Buffer.from('defg'))
    sink.finish()
  })
  link.arrive(getOf())
  assert.deepEqual(link.writes, [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n',
  ])
})

test('a large chunk is framed around its bytes', () => {
  const part = 'x'.repeat(40_000)
  const { link, road } = served(({ sink }) => sink.begin(headOf(200), undefined))
  link.arrive(getOf())
  road.last.sink.write(Buffer.from(part))
  road.last.sink.flush()
  road.last.sink.finish()
  assert.equal(link.sent, `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9c40\r\n${part}\r\n0\r\n\r\n`)
})

test('HEAD, 204 and 304 are answered without a body', () => {
  for (const [method, status, expected] of [
    ['HEAD', 200, 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n'],
    ['GET', 204, 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['GET', 304, 'HTTP/1.1 304 Not Modified\r\n\r\n'],
  ] as const) {
    const { link } = served((journey) => journey.answer(status, 'body'))
    link.arrive(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`)
    assert.equal(link.taken(), expected)
    assert.equal(link.closed, false)
  }
})

test('a length that speaks of no body is passed on with HEAD and 304', () => {
  for (const [method, status] of [
    ['HEAD', 200],
    ['GET', 304],
  ] as const) {
    const { link } = served(({ sink }) => {
      sink.begin(headOf(status, { 'Content-Length': '1234' }), 0)
      sink.finish()
    })
    link.arrive(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`)
    assert.match(link.taken(), /\r\nContent-Length: 1234\r\n\r\n$/)
  }
})

test('a client of HTTP/1.0 gets no chunks, and is kept only if it asks for it', () => {
  const unknown: Handler = ({ sink }) => {
    sink.begin(headOf(200), undefined)
    sink.write(Buffer.from('abc'))
    sink.finish()
  }
  const first = served(unknown)
  first.link.arrive('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
  assert.equal(first.link.taken(), 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc')
  assert.equal(first.link.closed, true)
  const second = served()
  second.link.arrive('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
  assert.equal(second.link.taken(), answerOf('GET / []', 'Connection: keep-alive\r\n'))
  assert.equal(second.link.closed, false)
  second.link.arrive('GET / HTTP/1.0\r\n\r\n')
  assert.equal(second.link.taken(), answerOf('GET / []', 'Connection: close\r\n'))
  assert.equal(second.link.closed, true)
})

test('an interim 100 of an endpoint reaches a client that waits for it, once', () => {
  const { link, road } = served(() => undefined)
  link.arrive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n')
  road.last.sink.inform(headOf(100))
  road.last.sink.inform(headOf(100))
  road.last.exchange.request.body.open(road.last)
  assert.equal(link.taken(), 'HTTP/1.1 100 Continue\r\n\r\n')
})

test('other interim answers are passed on, but not to HTTP/1.0', () => {
  const hints: Handler = (journey) => {
    journey.sink.inform(headOf(103, { Link: '</a>' }))
    journey.answer(200, 'x')
  }
  const { link } = served(hints)
  link.arrive(getOf())
  assert.equal(link.taken(), `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${answerOf('x')}`)
  const old = served(hints)
  old.link.arrive('GET / HTTP/1.0\r\n\r\n')
  assert.equal(old.link.taken(), answerOf('x', 'Connection: close\r\n'))
})

test('an answer that is cut off after its head left is a reset, before that an end', () => {
  const { link, road } = served(({ sink }) => sink.begin(headOf(200), 6))
  link.arrive(getOf())
  road.last.sink.write(Buffer.from('abc'))
  road.last.sink.cut()
  assert.deepEqual([link.isReset, road.last.sents, road.last.gones.length], [true, 0, 0])
  const early = served(({ sink }) => sink.cut())
  early.link.arrive(getOf())
  assert.deepEqual([early.link.isReset, early.link.closed], [false, true])
})

test('an answer of other than the announced length does not pass for whole', () => {
  for (const size of [2, 4]) {
    const { link, road } = served(({ sink }) => sink.begin(headOf(200), 3))
    link.arrive(getOf())
    road.last.sink.write(Buffer.from('x'.repeat(size)))
    road.last.sink.finish()
    assert.equal(road.last.gones[0]?.code, 'internal')
    assert.equal(link.closed, true)
    assert.equal(road.last.sents, 0)
  }
})

test('an upgraded connection is given away with what was read of it', () => {
  const { link, road, settings } = served(() => undefined)
  link.arrive(`${getOf('/', 'Connection: upgrade\r\nUpgrade: websocket\r\n')}frames`)
  assert.equal(road.last.exchange.request.upgrade, 'websocket')
  road.last.sink.begin(headOf(101, { 'Sec-WebSocket-Accept': 'x' }), 0)
  const taken = road.last.sink.takeOver()
  assert.equal(
    link.taken(),
    'HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
  )
  assert.equal(taken.link, link)
  assert.equal(Buffer.from(taken.head).toString(), 'frames')
  assert.equal(settings.connections.size, 0)
  assert.equal(link.closed, false)
})

test('fields that would break the head are left out, and told', () => {
  const { link, road } = served(() => undefined)
  link.arrive(getOf())
  let told: readonly string[] = []
  Object.assign(road.last, { leftOut: (names: readonly string[]) => (told = names) })
  road.last.answer(200, 'x', { 'X-Bad': 'a\r\nInjected: yes', 'X-Good': 'b' })
  assert.equal(link.taken(), 'HTTP/1.1 200 OK\r\nX-Good: b\r\nContent-Length: 1\r\n\r\nx')
  assert.deepEqual(told, ['X-Bad'])
})
