/** Datagrams in batches. */
import assert from 'node:assert/strict'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { wires } from '../../../../../../src/net/wires.ts'
import { until } from '../../../../../support/until.ts'

const skip = wires.find(({ name }) => name === 'epoll')?.refusal() ?? false
const { Inbox } = skip === false ? await import('../../../../../../src/net/direct/ffi/inbox.ts') : ({} as never)
const sockets = skip === false ? await import('../../../../../../src/net/direct/ffi/sockets.ts') : ({} as never)

test('a datagram larger than the room that there is is told from those that fit, whatever came before', {
  skip,
}, async (t) => {
  const fd = sockets.openSocket('datagram', '127.0.0.1')
  t.after(() => sockets.closeSocket(fd))
  assert.equal(sockets.bindSocket(fd, '127.0.0.1', 0, 'no'), 0)
  const { port } = sockets.localName(fd)
  const client = dgram.createSocket('udp4').bind(0, '127.0.0.1')
  t.after(() => client.close())
  await once(client, 'listening')
  const inbox = new Inbox(4, 100)
  for (const sizes of [[100, 101, 0, 3], [200, 7], [99], [1000, 1000, 1000, 1000]]) {
    const got: (number | undefined)[] = []
    for (const size of sizes) client.send(Buffer.alloc(size, size), port, '127.0.0.1')
    await until(() => {
      const count = inbox.receive(fd)
      for (let index = 0; index < count; index += 1) {
        const bytes = inbox.datagram(index)
        if (bytes !== undefined) assert.ok(bytes.every((byte) => byte === bytes.length))
        assert.equal(inbox.peerName(index).port, client.address().port)
        got.push(bytes?.length)
      }
      return got.length === sizes.length
    })
    assert.deepEqual(
      got,
      sizes.map((size) => (size > 100 ? undefined : size)),
    )
  }
  assert.ok(inbox.receive(fd) < 0)
})
