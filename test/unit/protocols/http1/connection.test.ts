import assert from 'node:assert/strict'
import test from 'node:test'
import { http1 } from '../../../../protocols/http1/index.ts'
import type { HttpSettings } from '../../../../src/protocol/http-protocol.ts'
import { type Handler, headOf, httpSettings, mirror, TestRoad } from '../../../support/http1-road.ts'
import { ScriptedLink } from '../../../support/scripted-link.ts'

const nothing = new Uint8Array(0)

function served(handler?: Handler, given: Partial<HttpSettings> = {}) {
  const road = new TestRoad(handler)
  const link = new ScriptedLink()
  const settings = httpSettings(given)
  http1.serve(link, { head: nothing, hello: undefined }, road, settings, '127.0.0.1:9080')
  return { road, link, settings }
}
const get = (path = '/', fields = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`
const answer = (body: string, rest = ''): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${rest}\r\n${body}`

test('an answer leaves in one write with its head', () => {
  const { link } = served()
  link.arrive(get('/a'))
  assert.deepEqual(link.writes, [answer('GET /a []')])
})

test('a connection is kept and its next request answered', () => {
  const { link, road } = served()
  for (const path of ['/1', '/2', '/3']) {
    link.arrive(get(path))
    assert.equal(link.taken(), answer(`GET ${path} []`))
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
  link.arrive(get('/1') + get('/2') + get('/3'))
  assert.equal(road.journeys.length, 1)
  road.journeys[0]?.answer(200, 'one')
  assert.equal(road.journeys.length, 2)
  road.journeys[1]?.answer(200, 'two')
  road.journeys[2]?.answer(200, 'three')
  assert.equal(link.sent, answer('one') + answer('two') + answer('three'))
  assert.deepEqual(
    road.journeys.map(({ exchange }) => exchange.request.path),
    ['/1', '/2', '/3'],
  )
})

test('a thousand pipelined requests in one read are answered without the stack growing', () => {
  const { link, road } = served()
  link.arrive(get('/x').repeat(1000))
  assert.equal(road.journeys.length, 1000)
})

test('a request cut at any byte is the same request', () => {
  const whole = `POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello${get('/next')}`
  for (let at = 1; at < whole.length; at += 1) {
    const { link, road } = served()
    link.arrive(whole.slice(0, at))
    link.arrive(whole.slice(at))
    assert.equal(link.sent, answer('POST /p [hello]') + answer('GET /next []'), `cut at ${at}`)
    assert.equal(road.refusals.length, 0)
  }
})

test('a chunked request cut at any byte is the same request', () => {
  const whole =
    'POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nX-T: 1\r\n\r\n' +
    get('/next')
  for (let at = 1; at < whole.length; at += 1) {
    const { link, road } = served()
    link.arrive(whole.slice(0, at))
    link.arrive(whole.slice(at))
    assert.equal(link.sent, answer('POST /p [hello]') + answer('GET /next []'), `cut at ${at}`)
    assert.equal(road.journeys[0]?.trailers?.get('x-t'), '1')
  }
})

test('requests that come byte by byte are the same requests', () => {
  const { link } = served()
  for (const byte of `POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello${get('/next')}`) link.arrive(byte)
  assert.equal(link.sent, answer('POST /p [hello]') + answer('GET /next []'))
})

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
  link.arrive(get())
  assert.deepEqual(link.writes, [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n',
  ])
})

test('a large chunk is framed around its bytes', () => {
  const part = 'x'.repeat(40_000)
  const { link, road } = served(({ sink }) => sink.begin(headOf(200), undefined))
  link.arrive(get())
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
  assert.equal(second.link.taken(), answer('GET / []', 'Connection: keep-alive\r\n'))
  assert.equal(second.link.closed, false)
  second.link.arrive('GET / HTTP/1.0\r\n\r\n')
  assert.equal(second.link.taken(), answer('GET / []', 'Connection: close\r\n'))
  assert.equal(second.link.closed, true)
})

test('a connection is closed after the answer where the client asks for it', () => {
  const { link, road, settings } = served()
  link.arrive(get('/', 'Connection: close\r\n') + get('/second'))
  assert.equal(link.sent, answer('GET / []', 'Connection: close\r\n'))
  assert.equal(link.closed, true)
  assert.equal(road.journeys.length, 1)
  assert.equal(settings.connections.size, 0)
})

test('the last request that a connection may carry says so', () => {
  const { link, road } = served(undefined, { maxRequests: 2 })
  link.arrive(get('/1') + get('/2') + get('/3'))
  assert.equal(link.sent, answer('GET /1 []') + answer('GET /2 []', 'Connection: close\r\n'))
  assert.equal(link.closed, true)
  assert.equal(road.journeys.length, 2)
})

test('a gateway that drains closes idle connections, and others with their answer', () => {
  const settings = { ...httpSettings(), draining: false }
  const road = new TestRoad(() => undefined)
  const [idle, busy] = [new ScriptedLink(), new ScriptedLink()]
  for (const link of [idle, busy]) http1.serve(link, { head: nothing, hello: undefined }, road, settings, 'l')
  busy.arrive(get())
  settings.draining = true
  for (const connection of settings.connections) connection.drain()
  assert.deepEqual([idle.closed, busy.closed], [true, false])
  road.last.answer(200, 'x')
  assert.equal(busy.taken(), answer('x', 'Connection: close\r\n'))
  assert.equal(busy.closed, true)
})

test('100 Continue is sent when the body is wanted, and not before', () => {
  const { link, road } = served(() => undefined)
  link.arrive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n')
  assert.equal(link.sent, '')
  road.last.exchange.request.body.open(road.last)
  assert.equal(link.taken(), 'HTTP/1.1 100 Continue\r\n\r\n')
  link.arrive('abc')
  assert.equal(road.last.text, 'abc')
  road.last.answer(200, 'x')
  assert.equal(link.taken(), answer('x'))
  assert.equal(link.closed, false)
})

test('a client that waits for 100 and is refused is not kept: what it sends next could be either', () => {
  const { link, road } = served((journey) => journey.answer(403, 'no'))
  link.arrive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n')
  assert.equal(link.taken(), 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno')
  assert.deepEqual([link.closed, link.lingered], [true, true])
  assert.equal(road.journeys.length, 1)
})

test('no 100 goes to a client that has begun to send', () => {
  const { link } = served()
  link.arrive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\na')
  assert.equal(link.taken(), '')
  link.arrive('bc')
  assert.equal(link.taken(), answer('POST / [abc]'))
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
  link.arrive(get())
  assert.equal(link.taken(), `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${answer('x')}`)
  const old = served(hints)
  old.link.arrive('GET / HTTP/1.0\r\n\r\n')
  assert.equal(old.link.taken(), answer('x', 'Connection: close\r\n'))
})

test('a body that nobody wanted is dropped, and the next request read after it', () => {
  const { link, road } = served((journey) => journey.answer(200, 'x'))
  link.arrive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234')
  assert.equal(link.taken(), answer('x'))
  link.arrive('56')
  link.arrive(`789${get('/next')}`)
  assert.equal(link.taken(), answer('x'))
  assert.deepEqual(
    road.journeys.map(({ exchange }) => exchange.request.target),
    ['/', '/next'],
  )
})

test('a body that nobody wanted and that is too large to drop ends the connection', () => {
  const announced = served((journey) => journey.answer(200, 'x'))
  announced.link.arrive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n')
  assert.equal(announced.link.taken(), answer('x', 'Connection: close\r\n'))
  assert.deepEqual([announced.link.closed, announced.link.lingered], [true, true])
  const chunked = served((journey) => journey.answer(200, 'x'))
  chunked.link.arrive('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
  assert.equal(chunked.link.taken(), answer('x'))
  for (let round = 0; round < 5; round += 1) chunked.link.arrive(`4000\r\n${'x'.repeat(0x4000)}\r\n`)
  assert.deepEqual([chunked.link.closed, chunked.link.lingered], [true, true])
})

test('an answer may be whole before the body is', () => {
  const { link, road } = served((journey) => journey.exchange.request.body.open(journey))
  link.arrive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc')
  road.last.answer(200, 'early')
  assert.equal(link.taken(), answer('early'))
  link.arrive(`def${get('/2')}`)
  assert.equal(road.journeys[0]?.text, 'abc')
  assert.equal(road.journeys[1]?.exchange.request.target, '/2')
})

test('a head that is none is refused, told to the road, and the connection ends', () => {
  for (const [bytes, status] of [
    ['GET / HTTP/1.1\r\n\r\n', 400],
    ['GET / HTTP/2.5\r\nHost: a\r\n\r\n', 505],
    ['CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', 405],
    ['GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['GET /../x HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    [`GET /${'x'.repeat(9000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
    [`GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(101)}\r\n`, 431],
    ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', 501],
  ] as const) {
    const { link, road } = served()
    link.arrive(bytes + get('/second'))
    assert.match(
      link.sent,
      new RegExp(
        `^HTTP/1\\.1 ${status} .*\\r\\nServer: test\\r\\nContent-Length: 11\\r\\nConnection: close\\r\\n\\r\\npage of ${status}$`,
      ),
    )
    assert.deepEqual([link.closed, link.lingered], [true, true])
    assert.deepEqual(
      road.refusals.map((refusal) => [refusal.error.code, refusal.status]),
      [['bad_request', status]],
    )
    assert.equal(road.journeys.length, 0)
  }
})

test('a broken body fails it for whoever reads it, and nothing after it is taken for a request', () => {
  const { link, road } = served()
  link.arrive(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n${get('/smuggled')}`)
  assert.equal(road.last.bodyError?.code, 'bad_request')
  assert.equal(link.sent, 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
  assert.deepEqual([link.closed, road.journeys.length], [true, 1])
})

test('a body that is announced too large is refused before any of it is read', () => {
  const { link, road } = served(undefined, { maxBodyBytes: 10 })
  link.arrive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n')
  assert.equal(road.last.exchange.error?.code, 'body_too_large')
  assert.match(link.sent, /^HTTP\/1\.1 413 .*\r\n\r\n$/s)
  assert.deepEqual([link.closed, link.lingered], [true, true])
})

test('a chunked body that grows too large fails when it does', () => {
  const { link, road } = served(undefined, { maxBodyBytes: 10 })
  link.arrive('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n')
  assert.equal(road.last.text, '0123456789')
  link.arrive('1\r\nx\r\n')
  assert.equal(road.last.bodyError?.code, 'body_too_large')
  assert.match(link.sent, /^HTTP\/1\.1 413 /)
  assert.equal(link.closed, true)
})

test('what nobody takes is read ahead up to a limit, then left with the kernel', () => {
  const { link, road } = served(() => undefined)
  link.arrive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n')
  for (let round = 0; round < 3; round += 1) link.arrive('x'.repeat(20_000))
  assert.equal(link.paused, false)
  link.arrive('x'.repeat(20_000))
  assert.equal(link.paused, true)
  road.last.exchange.request.body.open(road.last)
  assert.equal(road.last.text.length, 80_000)
  assert.equal(link.paused, false)
})

test('a receiver that pauses gets no more before it resumes', () => {
  const { link, road } = served(() => undefined)
  link.arrive('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
  const { body } = road.last.exchange.request
  road.last.onPart = () => body.pause()
  body.open(road.last)
  link.arrive('1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n')
  assert.deepEqual(road.last.parts, ['a'])
  body.resume()
  assert.deepEqual(road.last.parts, ['a', 'b'])
  road.last.onPart = undefined
  body.resume()
  assert.deepEqual([road.last.parts, road.last.bodyEnds], [['a', 'b', 'c'], 1])
})

test('a receiver that pauses at the last part hears of the end when it resumes', () => {
  const { link, road } = served(() => undefined)
  link.arrive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n')
  const { body } = road.last.exchange.request
  road.last.onPart = () => body.pause()
  body.open(road.last)
  link.arrive(`abc${get('/2')}`)
  assert.deepEqual([road.last.text, road.last.bodyEnds], ['abc', 0])
  body.resume()
  assert.deepEqual([road.last.bodyEnds, body.complete], [1, true])
})

test('an answer waits for a client that is slow, and the next request with it', () => {
  const { link, road } = served(({ sink }) => sink.begin(headOf(200), 6))
  link.arrive(get('/1') + get('/2'))
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

test('a client that leaves is told to the owner, and the sink is deaf from then on', () => {
  const { link, road, settings } = served((journey) => journey.exchange.request.body.open(journey))
  link.arrive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc')
  link.breaks()
  assert.equal(road.last.gones.length, 1)
  assert.equal(road.last.gones[0]?.code, 'client_gone')
  assert.equal(road.last.bodyError?.code, 'client_gone')
  road.last.answer(200, 'x')
  assert.deepEqual([link.sent, road.last.sents, settings.connections.size], ['', 0, 0])
})

test('a client that half-closes after its request still gets the answer, then the connection ends', () => {
  const { link, road } = served(() => undefined)
  link.arrive(get())
  link.peerEnds()
  road.last.answer(200, 'x')
  assert.equal(link.taken(), answer('x', 'Connection: close\r\n'))
  assert.equal(link.closed, true)
  assert.deepEqual(road.last.gones, [])
})

test('a client that half-closes within its body is gone', () => {
  for (const open of [true, false]) {
    const { link, road } = served((journey) => {
      if (open) journey.exchange.request.body.open(journey)
    })
    link.arrive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n')
    link.peerEnds()
    assert.equal(road.last.gones[0]?.code, 'client_gone')
    assert.equal(link.closed, true)
  }
})

test('a client that half-closes while its body waits unread is gone once that is used up', () => {
  const { link, road } = served(() => undefined)
  link.arrive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc')
  link.peerEnds()
  assert.equal(road.last.gones.length, 0)
  road.last.exchange.request.body.open(road.last)
  assert.equal(road.last.text, 'abc')
  assert.equal(road.last.gones[0]?.code, 'client_gone')
})

test('a connection that ends between requests is nobody’s business, one that ends within a head is told', () => {
  const idle = served()
  idle.link.arrive(get())
  idle.link.peerEnds()
  assert.deepEqual([idle.link.closed, idle.road.refusals.length], [true, 0])
  const midway = served()
  midway.link.arrive('GET / HT')
  midway.link.peerEnds()
  assert.deepEqual([midway.link.closed, midway.link.sent], [true, ''])
  assert.deepEqual(
    midway.road.refusals.map(({ error, status }) => [error.code, status]),
    [['client_gone', 0]],
  )
})

test('an answer that is cut off after its head left is a reset, before that an end', () => {
  const { link, road } = served(({ sink }) => sink.begin(headOf(200), 6))
  link.arrive(get())
  road.last.sink.write(Buffer.from('abc'))
  road.last.sink.cut()
  assert.deepEqual([link.isReset, road.last.sents, road.last.gones.length], [true, 0, 0])
  const early = served(({ sink }) => sink.cut())
  early.link.arrive(get())
  assert.deepEqual([early.link.isReset, early.link.closed], [false, true])
})

test('an answer of other than the announced length does not pass for whole', () => {
  for (const size of [2, 4]) {
    const { link, road } = served(({ sink }) => sink.begin(headOf(200), 3))
    link.arrive(get())
    road.last.sink.write(Buffer.from('x'.repeat(size)))
    road.last.sink.finish()
    assert.equal(road.last.gones[0]?.code, 'internal')
    assert.equal(link.closed, true)
    assert.equal(road.last.sents, 0)
  }
})

test('a call that comes after its exchange does not reach the next one', () => {
  const { link, road } = served((journey) => journey.answer(200, 'x'))
  link.arrive(get('/1'))
  road.handler = () => undefined
  link.arrive(get('/2'))
  link.taken()
  road.journeys[0]?.sink.begin(headOf(500), 0)
  road.journeys[0]?.sink.write(Buffer.from('late'))
  road.journeys[0]?.sink.finish()
  road.journeys[0]?.sink.cut()
  assert.deepEqual([link.sent, link.closed], ['', false])
})

test('an upgraded connection is given away with what was read of it', () => {
  const { link, road, settings } = served(() => undefined)
  link.arrive(`${get('/', 'Connection: upgrade\r\nUpgrade: websocket\r\n')}frames`)
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
  link.arrive(get())
  let told: readonly string[] = []
  Object.assign(road.last, { leftOut: (names: readonly string[]) => (told = names) })
  road.last.answer(200, 'x', { 'X-Bad': 'a\r\nInjected: yes', 'X-Good': 'b' })
  assert.equal(link.taken(), 'HTTP/1.1 200 OK\r\nX-Good: b\r\nContent-Length: 1\r\n\r\nx')
  assert.deepEqual(told, ['X-Bad'])
})

test('bytes that were read before the connection began come first', () => {
  const road = new TestRoad()
  const link = new ScriptedLink()
  http1.serve(link, { head: Buffer.from(get('/a').slice(0, 20)), hello: undefined }, road, httpSettings(), 'l')
  link.arrive(get('/a').slice(20))
  assert.equal(link.sent, answer('GET /a []'))
})
