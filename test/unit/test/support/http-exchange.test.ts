/** The exchanges that tests of plugins make: they must behave as real ones do, or those tests prove nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../../../../src/errors.ts'
import type { BodyReceiver } from '../../../../src/exchange/http-exchange.ts'
import { httpExchange, linesOf, responseHead } from '../../../support/http-exchange.ts'

function receiver() {
  const heard: string[] = []
  let done: () => void = () => {}
  const finished = new Promise<void>((resolve) => {
    done = resolve
  })
  const taking: BodyReceiver = {
    part: (bytes) => void heard.push(Buffer.from(bytes).toString()),
    ended: () => {
      heard.push('ended')
      done()
    },
    failed: (error) => {
      heard.push(error.code)
      done()
    },
    flush: () => {},
  }
  return { taking, heard, finished }
}

test('a request is read into the fields and variables of its exchange', () => {
  const exchange = httpExchange({ target: '/a%20b//c?x=1', headers: { Host: '[::1]:9080' }, remoteAddress: '10.0.0.1' })
  assert.equal(exchange.request.path, '/a b/c')
  assert.equal(exchange.request.query, 'x=1')
  assert.equal(exchange.request.host, '::1')
  assert.equal(exchange.variable('remote_addr'), '10.0.0.1')
  assert.deepEqual(linesOf(exchange.request.headers), ['Host: [::1]:9080'])
})

test('a body comes part by part in later turns, and again once it was collected', async () => {
  const { request } = httpExchange({ method: 'POST', body: ['one', 'two'] })
  assert.equal(request.headers.get('content-length'), '6')
  const first = receiver()
  request.body.open(first.taking)
  assert.deepEqual(first.heard, [])
  await first.finished
  assert.deepEqual(first.heard, ['one', 'two', 'ended'])
  assert.throws(() => request.body.open(first.taking))

  const second = httpExchange({ body: ['one', 'two'] }).request.body
  const collected = await second.collect(6)
  assert.equal(Buffer.from(await collected.bytes()).toString(), 'onetwo')
  for (const again of [receiver(), receiver()]) {
    second.open(again.taking)
    await again.finished
    assert.deepEqual(again.heard, ['one', 'two', 'ended'])
  }
})

test('a body that is too large, or of a client that left, rejects', async () => {
  const large = httpExchange({ body: 'seven b' })
  await assert.rejects(async () => large.request.body.collect(6), { code: 'body_too_large' })
  const left = httpExchange({ body: 'half', fails: new GatewayError('client_gone') })
  await assert.rejects(async () => left.request.body.collect(100), { code: 'client_gone' })
  const hearing = receiver()
  httpExchange({ body: 'half', fails: new GatewayError('client_gone') }).request.body.open(hearing.taking)
  await hearing.finished
  assert.deepEqual(hearing.heard, ['half', 'client_gone'])
})

test('a body that was replaced is what goes upstream', async () => {
  const { body } = httpExchange({ body: 'old', chunked: true }).request
  assert.equal(body.length, undefined)
  body.replace(Buffer.from('newer'))
  assert.deepEqual([body.length, body.text, body.replayable], [5, 'newer', true])
})

test('the head of an answer has its fields in order', () => {
  const fields = [
    ['A', '1'],
    ['A', '2'],
  ] as const
  assert.deepEqual(linesOf(responseHead(200, fields).headers), ['A: 1', 'A: 2'])
})
