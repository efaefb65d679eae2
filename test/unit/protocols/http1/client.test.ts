import assert from 'node:assert/strict'
import test from 'node:test'
import { HeaderList } from '../../../../src/exchange/header-list.ts'
import { connected, LiveBody, ReadyBody } from '../../../support/http1-hearer.ts'

test('a request without a body is one write', () => {
  const { link, client, send } = connected()
  const hearer = send()
  assert.deepEqual(link.writes, ['GET /x?y HTTP/1.1\r\nHost: up\r\nAccept: */*\r\n\r\n'])
  assert.deepEqual(hearer.calls, ['sending'])
  assert.deepEqual([client.busy, client.closed, client.served], [true, false, 1])
})

test('a body that is there leaves with its head', () => {
  const { link, send } = connected()
  send({ method: 'POST', body: new ReadyBody('hello') })
  assert.deepEqual(link.writes, ['POST /x?y HTTP/1.1\r\nHost: up\r\nAccept: */*\r\nContent-Length: 5\r\n\r\nhello'])
})

test('an empty body is announced where a method has one by nature', () => {
  for (const [method, expected] of [
    ['POST', true],
    ['PUT', true],
    ['GET', false],
    ['DELETE', false],
  ] as const) {
    const { link, send } = connected()
    send({ method })
    assert.equal(link.sent.includes('Content-Length: 0\r\n'), expected, method)
  }
})

test('a body of unknown length is sent in chunks, with its trailers', () => {
  const { link, send } = connected()
  const body = new LiveBody(undefined)
  send({ method: 'POST', body })
  assert.match(link.taken(), /\r\nTransfer-Encoding: chunked\r\n\r\n$/)
  body.receiver?.part(Buffer.from('abc'))
  body.receiver?.flush()
  assert.equal(link.taken(), '3\r\nabc\r\n')
  body.receiver?.ended(HeaderList.of({ 'X-Sum': '1' }))
  assert.equal(link.taken(), '0\r\nX-Sum: 1\r\n\r\n')
})

test('an answer is passed on, and the connection goes back before it is told to be whole', () => {
  const { link, client, events, send } = connected()
  const hearer = send()
  client.idle = () => hearer.calls.push('idle')
  link.arrive('HTTP/1.1 200 Fine\r\nContent-Length: 5\r\nX: y\r\n\r\nhello')
  assert.deepEqual(hearer.calls, ['sending', 'head', 'idle', 'ended'])
  assert.deepEqual(
    [hearer.response?.status, hearer.response?.reason, hearer.length, hearer.text],
    [200, 'Fine', 5, 'hello'],
  )
  assert.deepEqual([client.busy, client.closed, events], [false, false, []])
  send()
  assert.equal(client.served, 2)
})

test('an answer cut at any byte is the same answer', () => {
  const answers = [
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\n\r\n',
  ]
  for (const answer of answers) {
    for (let at = 1; at < answer.length; at += 1) {
      const { link, events, send } = connected()
      const hearer = send()
      link.arrive(answer.slice(0, at))
      link.arrive(answer.slice(at))
      assert.deepEqual([hearer.text, hearer.calls.at(-1), events], ['hello', 'ended', ['idle']], `cut at ${at}`)
    }
  }
})

test('answers without a body end with their head', () => {
  for (const [method, answer] of [
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'],
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n'],
  ] as const) {
    const { link, events, send } = connected()
    const hearer = send({ method })
    link.arrive(answer)
    assert.deepEqual([hearer.calls, hearer.length, events], [['sending', 'head', 'ended'], 0, ['idle']])
  }
})

test('an answer without a length lasts until the endpoint ends, and the connection with it', () => {
  const { link, events, send } = connected()
  const hearer = send()
  link.arrive('HTTP/1.1 200 OK\r\n\r\nhel')
  link.arrive('lo')
  assert.equal(hearer.length, undefined)
  link.peerEnds()
  assert.deepEqual([hearer.text, hearer.calls.at(-1), events, link.closed], ['hello', 'ended', ['ended'], true])
})

test('a connection is not used again when either side or the bytes on it say so', () => {
  for (const answer of [
    'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n',
  ]) {
    const { link, client, events, send } = connected()
    const hearer = send()
    link.arrive(answer)
    assert.deepEqual([hearer.calls.at(-1), events, client.closed, link.closed], ['ended', ['ended'], true, true])
  }
})

test('a body of the request stops while the endpoint is slow, and goes on when it is not', () => {
  const { link, send } = connected()
  const body = new LiveBody(undefined)
  send({ method: 'POST', body })
  link.full = true
  body.receiver?.part(Buffer.from('x'.repeat(50_000)))
  assert.equal(body.paused, true)
  link.drain()
  assert.equal(body.paused, false)
})

test('an answer that comes before the request is whole is passed on, and the connection not used again', () => {
  const { link, events, send } = connected()
  const body = new LiveBody(10)
  const hearer = send({ method: 'POST', body })
  body.receiver?.part(Buffer.from('abc'))
  link.arrive('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno')
  assert.deepEqual([hearer.response?.status, hearer.text, hearer.calls.at(-1)], [413, 'no', 'ended'])
  assert.deepEqual([events, link.closed], [['ended'], true])
  link.taken()
  body.receiver?.part(Buffer.from('late'))
  body.receiver?.ended(undefined)
  assert.equal(link.sent, '')
})

test('an answer may begin before the request is whole, and both go on', () => {
  const { link, events, send } = connected()
  const body = new LiveBody(6)
  const hearer = send({ method: 'POST', body })
  link.arrive('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab')
  body.receiver?.part(Buffer.from('abcdef'))
  body.receiver?.ended(undefined)
  link.arrive('cd')
  assert.deepEqual([hearer.text, hearer.calls.at(-1), events], ['abcd', 'ended', ['idle']])
})

test('a change of protocol hands the link over with what was read beyond the head', () => {
  const { link, events, send } = connected()
  const hearer = send({ upgrade: 'websocket' })
  assert.match(link.sent, /\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n$/)
  link.arrive('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX: y\r\n\r\nframe')
  assert.deepEqual([hearer.calls.at(-1), hearer.link, hearer.rest], ['upgraded', link, 'frame'])
  assert.deepEqual([hearer.response?.headers.get('upgrade'), hearer.response?.headers.get('x')], ['websocket', 'y'])
  assert.deepEqual([events, link.closed], [['ended'], false])
})

test('a request that asks for a change may be answered without one', () => {
  const { link, events, send } = connected()
  const hearer = send({ upgrade: 'websocket' })
  link.arrive('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
  assert.deepEqual([hearer.response?.status, hearer.calls.at(-1), events], [403, 'ended', ['idle']])
})

test('a cancelled request is heard no more of, and its connection is closed', () => {
  const { link, client, events, send } = connected()
  const hearer = send()
  hearer.onPart = () => client.cancel()
  link.arrive('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n')
  assert.deepEqual([hearer.text, hearer.calls, events, link.closed], ['a', ['sending', 'head'], ['ended'], true])
})

test('an answer that is paused holds the link, and an idle connection is read again', () => {
  const { link, client, send } = connected()
  const hearer = send()
  hearer.onPart = () => client.pause()
  link.arrive('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab')
  assert.equal(link.paused, true)
  client.resume()
  assert.equal(link.paused, false)
  link.arrive('cd')
  assert.deepEqual([link.paused, client.busy], [false, false])
})
