import assert from 'node:assert/strict'
import test from 'node:test'
import { getOf, served } from '../../../support/http1-road.ts'

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
    link.arrive(bytes + getOf('/second'))
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

test('a client that ends its side while it waits for its answer is gone', () => {
  const { link, road } = served(() => undefined)
  link.arrive(getOf())
  link.peerEnds()
  assert.equal(road.last.gones[0]?.code, 'client_gone')
  assert.equal(link.closed, true)
})

test('a client that ends its side behind several requests gets an answer to each but the last', () => {
  const { link, road } = served(() => undefined)
  link.arrive(getOf() + getOf())
  link.peerEnds()
  road.last.answer(200, 'x')
  assert.match(link.taken(), /^HTTP\/1\.1 200 OK\r\n/)
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
  idle.link.arrive(getOf())
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
