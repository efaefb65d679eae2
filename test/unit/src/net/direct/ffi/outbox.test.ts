/** Replies in batches, where the kernel takes messages apart and where it refuses to. */
import assert from 'node:assert/strict'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { wires } from '../../../../../../src/net/wires.ts'
import { until } from '../../../../../support/until.ts'

const skip = wires.find(({ name }) => name === 'epoll')?.refusal() ?? false
const load = async () => {
  const folder = '../../../../../../src/net/direct/ffi/'
  return {
    ...((await import(`${folder}outbox.ts`)) as typeof import('../../../../../../src/net/direct/ffi/outbox.ts')),
    ...((await import(`${folder}inbox.ts`)) as typeof import('../../../../../../src/net/direct/ffi/inbox.ts')),
    ...((await import(`${folder}sockets.ts`)) as typeof import('../../../../../../src/net/direct/ffi/sockets.ts')),
    ...((await import(`${folder}calls.ts`)) as typeof import('../../../../../../src/net/direct/ffi/calls.ts')),
    ...((await import(`${folder}memory.ts`)) as typeof import('../../../../../../src/net/direct/ffi/memory.ts')),
  }
}

for (const refuses of [false, true]) {
  const what = refuses
    ? 'goes out one by one where the kernel refuses to take it apart'
    : 'is taken apart by the kernel'
  test(`a run of replies to one client ${what}`, { skip }, async (t) => {
    const { bindSocket, call, closeSocket, inbox, localName, openSocket, outbox, Region } = await load()
    const fd = openSocket('datagram', '127.0.0.1')
    t.after(() => closeSocket(fd))
    assert.equal(bindSocket(fd, '127.0.0.1', 0, 'no'), 0)
    if (refuses) {
      // SO_NO_CHECK: for want of a checksum it takes nothing apart.
      const one = new Region(64)
      new Int32Array(one.buffer)[0] = 1
      assert.equal(call.setsockopt(fd, 1, 11, one.start, 4), 0)
    }
    const clients = [dgram.createSocket('udp4'), dgram.createSocket('udp4')]
    const received: number[][] = [[], []]
    for (const [index, client] of clients.entries()) {
      t.after(() => client.close())
      client.on('message', (bytes) => received[index]?.push(bytes.length * 1000 + (bytes[0] ?? 0)))
      client.bind(0, '127.0.0.1')
      await once(client, 'listening')
      client.send('here', localName(fd).port, '127.0.0.1')
    }
    let known = 0
    const peers: ReturnType<typeof inbox.peer>[] = []
    await until(() => {
      const count = inbox.receive(fd)
      for (let index = 0; index < count; index += 1, known += 1) peers.push(inbox.peer(index))
      return known === 2
    })
    const socket = { fd, mayJoin: true }
    const sent: number[][] = [[], []]
    const reply = (to: number, size: number, mark: number): void => {
      outbox.add(socket, new Uint8Array(size).fill(mark), peers[to]!, undefined)
      sent[to]?.push(size * 1000 + mark)
    }
    for (let index = 0; index < 40; index += 1) reply(0, 1000, index)
    for (let index = 0; index < 10; index += 1) reply(1, index === 9 ? 30 : 40, index)
    outbox.flush()
    assert.equal(socket.mayJoin, !refuses)
    for (let index = 0; index < 70; index += 1) reply(index % 3 === 0 ? 1 : 0, 500, index)
    outbox.flush()
    await until(() => received.every((list, index) => list.length === sent[index]?.length))
    assert.deepEqual(received, sent)
  })
}
