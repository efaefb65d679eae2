import assert from 'node:assert/strict'
import test from 'node:test'
import { answerOf, getOf, served } from '../../../support/http1-road.ts'

const _nothing = new Uint8Array(0)

test('100 Continue is sent when the body is wanted, and not before', () => {
  const { link, road } = served(() => undefined)
  link.arrive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n')
  assert.equal(link.sent, '')
  road.last.exchange.request.body.open(road.last)
  assert.equal(link.taken(), 'HTTP/1.1 100 Continue\r\n\r\n')
  link.arrive('abc')
  assert.equal(road.last.text, 'abc')
  road.last.answer(200, 'x')
  assert.equal(link.taken(), answerOf('x'))
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
  assert.equal(link.taken(), answerOf('POST / [abc]'))
})

test('a body that nobody wanted is dropped, and the next request read after it', () => {
  const { link, road } = served((journey) => journey.answer(200, 'x'))
  link.arrive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234')
  assert.equal(link.taken(), answerOf('x'))
  link.arrive('56')
  link.arrive(`789${getOf('/next')}`)
  assert.equal(link.taken(), answerOf('x'))
  assert.deepEqual(
    road.journeys.map(({ exchange }) => exchange.request.target),
    ['/', '/next'],
  )
})

test('a body that nobody wanted and that is too large to drop ends the connection', () => {
  const announced = served((journey) => journey.answer(200, 'x'))
  announced.link.arrive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n')
  assert.equal(announced.link.taken(), answerOf('x', 'Connection: close\r\n'))
  assert.deepEqual([announced.link.closed, announced.link.lingered], [true, true])
  const chunked = served((journey) => journey.answer(200, 'x'))
  chunked.link.arrive('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
  assert.equal(chunked.link.taken(), answerOf('x'))
  for (let round = 0; round < 5; round += 1) chunked.link.arrive(`4000\r\n${'x'.repeat(0x4000)}\r\n`)
  assert.deepEqual([chunked.link.closed, chunked.link.lingered], [true, true])
})

test('an answer may be whole before the body is', () => {
  const { link, road } = served((journey) => journey.exchange.request.body.open(journey))
  link.arrive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc')
  road.last.answer(200, 'early')
  assert.equal(link.taken(), answerOf('early'))
  link.arrive(`def${getOf('/2')}`)
  assert.equal(road.journeys[0]?.text, 'abc')
  assert.equal(road.journeys[1]?.exchange.request.target, '/2')
})

test('a broken body fails it for whoever reads it, and nothing after it is taken for a request', () => {
  const { link, road } = served()
  link.arrive(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n${getOf('/smuggled')}`)
  assert.equal(road.last.bodyError?.code, 'bad_request')
  assert.equal(link.sent, 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
  assert.deepEqual([link.closed, road.journeys.length], [true, 1])
})

test('a body that is announced too large is refused before any of it is read', () => {
  const { link, road } = served(undefined, { maxBodyBytes: 10 })
  link.arrive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n')
  assert.equal(road.last.bodyError?.code, 'body_too_large')
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
  link.arrive(`abc${getOf('/2')}`)
  assert.deepEqual([road.last.text, road.last.bodyEnds], ['abc', 0])
  body.resume()
  assert.deepEqual([road.last.bodyEnds, body.complete], [1, true])
})

test('a request may be allowed another size of body than the listener allows', () => {
  const { link, road } = served(
    (journey) => {
      const { body } = journey.exchange.request
      assert.equal(body.error?.code, 'body_too_large')
      body.limit(20)
      assert.equal(body.error, undefined)
      journey.onEnd = () => journey.answer(200, journey.text)
      journey.onFail = () => journey.answer(413)
      body.open(journey)
    },
    { maxBodyBytes: 10 },
  )
  link.arrive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n0123456789x')
  assert.equal(link.taken(), answerOf('0123456789x'))
  road.handler = (journey) => {
    journey.exchange.request.body.limit(5)
    journey.onFail = () => journey.answer(413)
    journey.exchange.request.body.open(journey)
  }
  link.arrive('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n0\r\n\r\n')
  assert.match(link.taken(), /^HTTP\/1\.1 413 /)
})
