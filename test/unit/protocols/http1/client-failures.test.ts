import assert from 'node:assert/strict'
import test from 'node:test'
import { GatewayError } from '../../../../src/errors.ts'
import { connected, LiveBody, ReadyBody, wheel } from '../../../support/http1-hearer.ts'
import type { ScriptedLink } from '../../../support/scripted-link.ts'
import { until } from '../../../support/until.ts'

test('interim answers are told, and too many of them are nonsense', () => {
  const { link, send } = connected()
  const hearer = send()
  link.arrive('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n')
  assert.deepEqual(hearer.interims, [100, 103])
  link.arrive('HTTP/1.1 102 Processing\r\n\r\n'.repeat(40))
  assert.equal(hearer.error?.code, 'bad_response')
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

test('a request whose body breaks off is broken off, and fails for that reason', () => {
  const { link, send } = connected()
  const body = new LiveBody(10)
  const hearer = send({ method: 'POST', body })
  body.receiver?.part(Buffer.from('abc'))
  body.receiver?.failed(new GatewayError('client_gone'))
  assert.deepEqual([hearer.error?.code, link.isReset], ['client_gone', true])
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
