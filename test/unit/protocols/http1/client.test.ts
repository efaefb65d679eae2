import assert from 'node:assert/strict'
import test from 'node:test'
import { Http1Client } from '../../../../protocols/http1/index.ts'
import { TimerWheel } from '../../../../src/base/timers.ts'
import { GatewayError } from '../../../../src/errors.ts'
import { HeaderList } from '../../../../src/exchange/header-list.ts'
import type { RequestBody, ResponseHead } from '../../../../src/exchange/http-exchange.ts'
import type { Link } from '../../../../src/net/link.ts'
import type { HttpClientLimits, ResponseReceiver, UpstreamRequest } from '../../../../src/protocol/http-protocol.ts'
import { httpExchange } from '../../../support/http-exchange.ts'
import { MemoryBody } from '../../../support/memory-body.ts'
import { ScriptedLink } from '../../../support/scripted-link.ts'
import { until } from '../../../support/until.ts'

/** Writes down what it hears. */
class Hearer implements ResponseReceiver {
  readonly calls: string[] = []
  readonly interims: number[] = []
  text = ''
  response: ResponseHead | undefined
  length: number | undefined
  trailers: HeaderList | undefined
  error: GatewayError | undefined
  link: Link | undefined
  rest = ''
  onPart: (() => void) | undefined

  interim(head: ResponseHead): void {
    this.interims.push(head.status)
  }
  head(head: ResponseHead, length: number | undefined): void {
    this.calls.push('head')
    this.response = head
    this.length = length
  }
  part(bytes: Uint8Array): void {
    this.text += Buffer.from(bytes).toString('latin1')
    this.onPart?.()
  }
  flush(): void {}
  ended(trailers: HeaderList | undefined): void {
    this.calls.push('ended')
    this.trailers = trailers
  }
  failed(error: GatewayError): void {
    this.calls.push('failed')
    this.error = error
  }
  upgraded(head: ResponseHead, link: Link, bytes: Uint8Array): void {
    this.calls.push('upgraded')
    this.response = head
    this.link = link
    this.rest = Buffer.from(bytes).toString()
  }
  sending(): void {
    this.calls.push('sending')
  }
}

const wheel = new TimerWheel({ tickMs: 10, unref: true })
const unlimited: HttpClientLimits = { sendMs: 0, readMs: 0, wheel }

function requestOf(given: Partial<UpstreamRequest> = {}): UpstreamRequest {
  const { request } = httpExchange()
  const headers = HeaderList.of({ Host: 'up', Accept: '*/*' })
  return { method: 'GET', uri: '/x?y', headers, body: new MemoryBody([]), upgrade: undefined, request, ...given }
}

function connected() {
  const link = new ScriptedLink()
  const client = new Http1Client(link)
  const events: string[] = []
  client.idle = () => events.push('idle')
  client.ended = () => events.push('ended')
  const send = (given: Partial<UpstreamRequest> = {}, limits = unlimited): Hearer => {
    const hearer = new Hearer()
    client.send(requestOf(given), limits, hearer)
    return hearer
  }
  return { link, client, events, send }
}

/** A body whose bytes come when the test says so. */
class LiveBody implements RequestBody {
  readonly length: number | undefined
  received = 0
  complete = false
  readonly replayable = false
  paused = false
  receiver: Parameters<RequestBody['open']>[0] | undefined
  constructor(length: number | undefined) {
    this.length = length
  }
  open(receiver: Parameters<RequestBody['open']>[0]): void {
    this.receiver = receiver
    receiver.flush()
  }
  pause(): void {
    this.paused = true
  }
  resume(): void {
    this.paused = false
  }
  collect(): never {
    throw new Error('not here')
  }
  replace(): void {}
}

/** A body that is there as soon as it is opened. */
class ReadyBody extends LiveBody {
  readonly #text: string
  constructor(text: string, length: number | undefined = text.length) {
    super(length)
    this.#text = text
  }
  override open(receiver: Parameters<RequestBody['open']>[0]): void {
    receiver.part(Buffer.from(this.#text))
    receiver.ended(undefined)
  }
}

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

test('interim answers are told, and too many of them are nonsense', () => {
  const { link, send } = connected()
  const hearer = send()
  link.arrive('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n')
  assert.deepEqual(hearer.interims, [100, 103])
  link.arrive('HTTP/1.1 102 Processing\r\n\r\n'.repeat(40))
  assert.equal(hearer.error?.code, 'bad_response')
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

test('what is no answer is told as one, and ends the connection', () => {
  for (const answer of [
    'HTTP/1.1 2000 OK\r\n\r\n',
    'SSH-2.0-OpenSSH\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
    `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(70_000)}\r\n\r\n`,
  ]) {
    const { link, events, send } = connected()
    const hearer = send()
    link.arrive(answer)
    assert.deepEqual([hearer.error?.code, events, link.isReset], ['bad_response', ['ended'], true], answer.slice(0, 60))
  }
})

test('an endpoint that closes before any answer is told from one that breaks off within it', () => {
  const closed = connected()
  const first = closed.send()
  closed.link.peerEnds()
  assert.equal(first.error?.code, 'upstream_closed')
  const reset = connected()
  const second = reset.send()
  reset.link.breaks(new GatewayError('upstream_reset', 'read ECONNRESET'))
  assert.equal(second.error?.code, 'upstream_reset')
  for (const begin of [
    'HTTP/1.1 200',
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel',
  ]) {
    for (const reason of [undefined, new GatewayError('upstream_reset', 'read ECONNRESET')]) {
      const { link, send, events } = connected()
      const hearer = send()
      link.arrive(begin)
      link.breaks(reason)
      assert.deepEqual([hearer.error?.code, events], ['bad_response', ['ended']], begin)
    }
  }
})

test('a reset is no end of an answer without a length', () => {
  const { link, send } = connected()
  const hearer = send()
  link.arrive('HTTP/1.1 200 OK\r\n\r\nhel')
  link.breaks(new GatewayError('upstream_reset'))
  assert.equal(hearer.error?.code, 'bad_response')
})

test('an idle connection that the endpoint closes or writes to is gone', () => {
  for (const disturb of [
    (link: ScriptedLink) => link.peerEnds(),
    (link: ScriptedLink) => link.arrive('HTTP/1.1 408 x\r\n\r\n'),
  ]) {
    const { link, client, events, send } = connected()
    send()
    link.arrive('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    disturb(link)
    assert.deepEqual([events, client.closed, link.closed], [['idle', 'ended'], true, true])
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

test('a request whose body breaks off is broken off, and fails for that reason', () => {
  const { link, send } = connected()
  const body = new LiveBody(10)
  const hearer = send({ method: 'POST', body })
  body.receiver?.part(Buffer.from('abc'))
  body.receiver?.failed(new GatewayError('client_gone'))
  assert.deepEqual([hearer.error?.code, link.isReset], ['client_gone', true])
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

test('an endpoint that does not answer in time is given up', async () => {
  const { link, events, send } = connected()
  const hearer = send({}, { sendMs: 0, readMs: 20, wheel })
  await until(() => hearer.error !== undefined)
  assert.deepEqual([hearer.error?.code, events, link.closed], ['upstream_timeout', ['ended'], true])
})

test('an endpoint that takes nothing of the request is given up', async () => {
  const { link, send } = connected()
  link.full = true
  const hearer = send({ method: 'POST', body: new ReadyBody('x'.repeat(50_000)) }, { sendMs: 20, readMs: 0, wheel })
  await until(() => hearer.error !== undefined)
  assert.equal(hearer.error?.code, 'upstream_timeout')
})

test('the time to answer does not run while the client sends, nor while it takes nothing', async () => {
  const limits = { sendMs: 0, readMs: 20, wheel }
  const sending = connected()
  const first = sending.send({ method: 'POST', body: new LiveBody(10) }, limits)
  const taking = connected()
  const second = taking.send({}, limits)
  taking.link.arrive('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab')
  taking.client.pause()
  const waiting = connected()
  const third = waiting.send({}, { ...limits, readMs: 80 })
  await until(() => third.error !== undefined)
  assert.deepEqual([first.error, second.error], [undefined, undefined])
})

test('a request that can be no request line fails without a byte', () => {
  const { link, send, client } = connected()
  const hearer = send({ uri: '/a b' })
  assert.deepEqual([hearer.error?.code, hearer.calls, link.sent, client.closed], ['internal', ['failed'], '', true])
})
