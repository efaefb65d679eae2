import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { outgoingDatagrams, outgoingStream } from '../../../../src/net/outgoing-lines.ts'
import { until } from '../../../support/until.ts'

async function receiver(t: TestContext) {
  const sockets: Socket[] = []
  let text = ''
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.on('data', (part) => {
      text += part.toString()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, sockets, text: () => text }
}

const host = '127.0.0.1'

test('without kept connections each message has one of its own, which is closed behind it', async (t) => {
  const { port, sockets, text } = await receiver(t)
  const outgoing = outgoingStream({ host, port, timeoutMs: 2000, maxIdle: 0 })
  await outgoing.send('a')
  await outgoing.send('b')
  await until(() => text() === 'ab', { what: 'both messages' })
  assert.equal(sockets.length, 2)
  await until(() => sockets.every((socket) => socket.readableEnded), { what: 'both ends' })
})

test('a kept connection is used again, and another is made when the receiver has closed it', async (t) => {
  const { port, sockets, text } = await receiver(t)
  const outgoing = outgoingStream({ host, port, timeoutMs: 2000, maxIdle: 1 })
  t.after(() => outgoing.close())
  await outgoing.send('a')
  await outgoing.send('b')
  await until(() => text() === 'ab', { what: 'both messages' })
  assert.equal(sockets.length, 1)
  sockets[0]?.end()
  await until(() => sockets[0]?.destroyed === true, { what: 'the connection to be closed' })
  await outgoing.send('c')
  await until(() => text() === 'abc', { what: 'the third message' })
  assert.equal(sockets.length, 2)
})

test('a receiver that is not there, or does not read, is an error with its address', async (t) => {
  const { port, sockets } = await receiver(t)
  const stuck = outgoingStream({ host, port, timeoutMs: 200, maxIdle: 1 })
  const sending = stuck.send('x'.repeat(64 << 20))
  await until(() => sockets.length === 1, { what: 'a connection' })
  sockets[0]?.pause()
  await assert.rejects(sending, new RegExp(`failed to send to 127.0.0.1:${port}`))
  const gone = outgoingStream({ host, port: 1, timeoutMs: 2000, maxIdle: 0 })
  await assert.rejects(gone.send('a'), /failed to connect to 127\.0\.0\.1:1: .*ECONNREFUSED/)
})

test('a message that is too large for a datagram is rejected', async (t) => {
  const outgoing = outgoingDatagrams({ host, port: 9, timeoutMs: 2000 })
  t.after(() => outgoing.close())
  await assert.rejects(outgoing.send('x'.repeat(70_000)), /EMSGSIZE/)
})
