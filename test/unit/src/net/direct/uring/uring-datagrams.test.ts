/** Connected sockets of datagrams on a ring, with peers of `node:dgram`. */
import assert from 'node:assert/strict'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { here, writeAddress } from '../../../../../../src/net/direct/ffi/socket-address.ts'
import { connectSocket, localName, openSocket } from '../../../../../../src/net/direct/ffi/sockets.ts'
import { uringRefusal } from '../../../../../../src/net/direct/uring/ring-setup.ts'
import { until } from '../../../../../support/until.ts'

const skip = uringRefusal() ?? false

class Heard {
  readonly texts: string[] = []
  readonly errors: [number, string][] = []

  arrived(bytes: Uint8Array): void {
    this.texts.push(Buffer.from(bytes).toString())
  }

  failed(errno: number, doing: string): void {
    this.errors.push([errno, doing])
  }
}

async function peer(): Promise<dgram.Socket> {
  const socket = dgram.createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

function connected(port: number): number {
  const fd = openSocket('datagram', '127.0.0.1')
  assert.equal(connectSocket(fd, here, writeAddress('127.0.0.1', port)), 0)
  return fd
}

test('a burst larger than a turn has room for, empty ones among it, arrives; more than buffers are lent comes back', {
  skip,
  timeout: 30_000,
}, async () => {
  const { uringEngine } = await import('../../../../../../src/net/direct/uring/uring-engine.ts')
  const far = await peer()
  far.setRecvBufferSize(4 << 20)
  const heard = new Heard()
  const fd = connected(far.address().port)
  const { port } = localName(fd)
  const near = uringEngine({ checks: false, shortQueues: false }).datagrams(fd, heard)
  near.startReading()
  const sizes: number[] = []
  far.on('message', (bytes) => sizes.push(bytes.length))
  const sent = Array.from({ length: 24 }, (_, index) => (index % 4 === 3 ? 0 : 60_000 - index))
  for (const size of sent) near.send(Buffer.alloc(size))
  await until(() => sizes.length === sent.length, { what: 'the whole burst' })
  assert.deepEqual(sizes.toSorted(), sent.toSorted())
  for (let index = 0; index < 200; index += 1) far.send(index === 50 ? '' : `number ${index}`, port, '127.0.0.1')
  await until(() => heard.texts.length === 200, { what: 'all answers' })
  assert.equal(heard.texts[50], '')
  assert.equal(heard.texts[199], 'number 199')
  assert.deepEqual(heard.errors, [])
  near.close()
  far.close()
})

test('what ICMP says is told, and the socket goes on', { skip, timeout: 30_000 }, async () => {
  const { uringEngine } = await import('../../../../../../src/net/direct/uring/uring-engine.ts')
  const gone = await peer()
  const { port } = gone.address()
  gone.close()
  await once(gone, 'close')
  const heard = new Heard()
  const near = uringEngine({ checks: false, shortQueues: false }).datagrams(connected(port), heard)
  near.startReading()
  near.send(Buffer.from('anyone'))
  await until(() => heard.errors.length > 0, { what: 'the refusal' })
  assert.equal(heard.errors[0]?.[0], 111)
  const back = dgram.createSocket('udp4')
  back.bind(port, '127.0.0.1')
  await once(back, 'listening')
  back.on('message', (bytes, from) => back.send(bytes, from.port, from.address))
  near.send(Buffer.from('hello'))
  await until(() => heard.texts.includes('hello'), { what: 'an answer after the refusal' })
  near.close()
  near.close()
  near.send(Buffer.from('lost'))
  back.close()
})
