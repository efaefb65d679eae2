/** What every wire promises about datagrams. Peers are sockets of `node:dgram`. */
import assert from 'node:assert/strict'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { TimerWheel } from '../../src/base/timers.ts'
import type { GatewayError } from '../../src/errors.ts'
import type { Link } from '../../src/net/link.ts'
import { relay } from '../../src/net/relay.ts'
import type { DatagramOptions, Listener, Target, Wire } from '../../src/net/wire.ts'
import { dialled, Echo, Recorder } from '../support/recorder.ts'
import { until } from '../support/until.ts'

const datagramsTo = (port: number): Target => ({
  carrier: 'datagram',
  host: '127.0.0.1',
  port,
  timeoutMs: 5000,
  keepAliveMs: 0,
  tls: undefined,
})

interface Peer {
  readonly socket: dgram.Socket
  readonly port: number
  readonly received: Buffer[]
  readonly senders: number[]
}

/** A peer that writes down what comes, and sends it back if it is to echo. */
async function openPeer(echo = false): Promise<Peer> {
  const socket = dgram.createSocket('udp4')
  const received: Buffer[] = []
  const senders: number[] = []
  socket.on('message', (bytes, from) => {
    received.push(bytes)
    senders.push(from.port)
    if (echo) socket.send(bytes, from.port, from.address)
  })
  socket.on('error', () => {})
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return { socket, port: socket.address().port, received, senders }
}

const openSockets = (): number => process.getActiveResourcesInfo().filter((name) => name.startsWith('UDP')).length

export function datagramContract(name: string, create: () => Wire): void {
  describe(`${name}: datagrams`, { timeout: 60_000 }, () => {
    let wire: Wire
    let listener: Listener
    let links: Link[]
    let errors: GatewayError[]
    let peers: Peer[]
    let accept: (link: Link) => void
    let atRest: number

    async function listen(more: Partial<DatagramOptions> = {}): Promise<void> {
      await listener?.close()
      listener = await wire.listenDatagrams(
        { host: '127.0.0.1', port: 0, reusePort: false, idleMs: 60_000, maxSessions: 100, ...more },
        (link) => {
          links.push(link)
          accept(link)
        },
        (error) => errors.push(error),
      )
    }

    async function peer(echo = false): Promise<Peer> {
      const opened = await openPeer(echo)
      peers.push(opened)
      return opened
    }

    beforeEach(async () => {
      atRest = openSockets()
      wire = create()
      links = []
      errors = []
      peers = []
      accept = (link) => link.open(new Echo())
      await listen()
    })

    afterEach(async () => {
      await listener.close()
      for (const link of links) link.close()
      for (const { socket } of peers) socket.close()
      await until(() => openSockets() <= atRest, { what: 'every socket closed again' })
    })

    test('each client is a session of its own, answered from the port it sent to', async () => {
      const [one, two] = [await peer(), await peer()]
      for (const text of ['a', 'b']) one.socket.send(text, listener.port, '127.0.0.1')
      two.socket.send('c', listener.port, '127.0.0.1')
      await until(() => one.received.length === 2 && two.received.length === 1, { what: 'three answers' })
      assert.equal(links.length, 2)
      assert.deepEqual(one.received.map(String), ['a', 'b'])
      assert.deepEqual(two.received.map(String), ['c'])
      assert.deepEqual([...one.senders, ...two.senders], [listener.port, listener.port, listener.port])
      const link = links.find((each) => each.remotePort === one.port)
      assert.equal(link?.carrier, 'datagram')
      assert.equal(link?.remoteAddress, '127.0.0.1')
      assert.equal(link?.localAddress, '127.0.0.1')
      assert.equal(link?.localPort, listener.port)
      assert.equal(link?.bytesRead, 2)
      assert.equal(link?.bytesWritten, 2)
    })

    for (const size of [0, 1, 1472, 9000, 65_507]) {
      test(`a datagram of ${size} bytes goes out as one, there and back`, async () => {
        const client = await peer()
        const sent = Buffer.alloc(size, 'x')
        client.socket.send(sent, listener.port, '127.0.0.1')
        await until(() => client.received.length === 1, { what: 'the answer' })
        assert.deepEqual(client.received[0], sent)
        const server = await peer(true)
        const recorder = new Recorder()
        const { link } = await dialled(wire, datagramsTo(server.port))
        link?.open(recorder)
        link?.send(sent)
        await until(() => recorder.chunks.length === 1, { what: 'the answer' })
        assert.deepEqual(recorder.chunks[0], sent)
        assert.deepEqual(server.received[0], sent)
        link?.close()
      })
    }

    test('many sessions of two ports, relayed at the same moment, keep their datagrams apart and in order', async () => {
      const wheel = new TimerWheel({ unref: true })
      const server = await peer(true)
      const relayed = (link: Link): void => {
        const joined = (upstream: Link): void => void relay(link, upstream, { idleMs: 0, lingerMs: 0, wheel }, () => {})
        wire.dial(datagramsTo(server.port), { connected: joined, failed: assert.ifError })
      }
      accept = relayed
      const other = await wire.listenDatagrams(
        { host: '127.0.0.1', port: 0, reusePort: false, idleMs: 60_000, maxSessions: 100 },
        (link) => {
          links.push(link)
          relayed(link)
        },
        assert.ifError,
      )
      const clients = await Promise.all(Array.from({ length: 80 }, () => peer()))
      const sent = clients.map((): string[] => [])
      for (let round = 0; round < 8; round += 1) {
        // Both ports have their turns in between, and some datagrams are larger than a batch takes.
        for (const [index, { socket }] of clients.entries()) {
          const text = `${index} ${round} `.padEnd((index + round) % 13 === 0 ? 5000 : 20 + ((index * 7) % 90), 'x')
          sent[index]?.push(text)
          socket.send(text, index % 2 === 0 ? listener.port : other.port, '127.0.0.1')
        }
        const isAnswered = ({ received }: Peer): boolean => received.length === round + 1
        await until(() => clients.every(isAnswered), { what: `all answers of round ${round}` })
      }
      for (const [index, { received }] of clients.entries()) assert.deepEqual(received.map(String), sent[index])
      for (const link of links) link.close()
      await other.close()
    })

    test('a burst of one server reaches its client whole', async () => {
      const server = await peer()
      const recorder = new Recorder()
      const { link } = await dialled(wire, datagramsTo(server.port))
      link?.open(recorder)
      link?.send(Buffer.from('go'))
      await until(() => server.received.length === 1, { what: 'the question' })
      const burst = Array.from({ length: 100 }, (_, index) => `${index} `.padEnd(1 + ((index * 131) % 1400), 'y'))
      for (const text of burst) server.socket.send(text, link?.localPort as number, '127.0.0.1')
      await until(() => recorder.chunks.length === burst.length, { what: 'the burst' })
      assert.deepEqual(recorder.chunks.map(String), burst)
      link?.close()
    })

    test('a flow of replies reaches each client whole and in order, whatever the sizes', async () => {
      const sizes = [1200, 1200, 1200, 1200, 700, 1200, 1200, 1300, 1300, 0, 0, 5, 5, 5, 5, 5, 3000, 1200, 1200]
      const flow = Array.from({ length: 10 }, (_, round) =>
        sizes.map((size, index) => Buffer.alloc(size, `${round} ${index} `)),
      ).flat()
      const clients = [await peer(), await peer(), await peer()]
      accept = (link) => {
        const asked = new Recorder()
        asked.bytes = (of: Link): void => {
          for (const bytes of flow) of.send(Buffer.from(bytes))
          // In between they go to another one.
          if (links.length === clients.length)
            for (const bytes of flow) for (const each of links) each.send(Buffer.from(bytes))
        }
        link.open(asked)
      }
      for (const [index, { socket }] of clients.entries()) {
        socket.setRecvBufferSize(1 << 22)
        socket.send('go', listener.port, '127.0.0.1')
        const expected = (index === clients.length - 1 ? 2 : 1) * flow.length
        await until(() => clients[index]?.received.length === expected, { what: `the flow to ${index}` })
      }
      await until(() => clients.every(({ received }) => received.length === 2 * flow.length), { what: 'all flows' })
      for (const { received } of clients) assert.ok(Buffer.concat(received).equals(Buffer.concat([...flow, ...flow])))
      for (const { received } of clients)
        assert.deepEqual(
          received.map(({ length }) => length),
          [...flow, ...flow].map(({ length }) => length),
        )
    })

    test('what comes before a session is opened is delivered afterwards, in order', async () => {
      accept = () => {}
      const client = await peer()
      for (const text of ['one', 'two', 'three']) client.socket.send(text, listener.port, '127.0.0.1')
      const other = await peer()
      await until(() => links.length === 1, { what: 'a session' })
      other.socket.send('x', listener.port, '127.0.0.1')
      await until(() => links.length === 2, { what: 'a session that came after the three' })
      const recorder = new Recorder()
      links[0]?.open(recorder)
      assert.equal(recorder.chunks.length, 0)
      await until(() => recorder.chunks.length === 3, { what: 'three datagrams' })
      assert.deepEqual(recorder.chunks.map(String), ['one', 'two', 'three'])
      assert.equal(recorder.ends, 0)
    })

    test('a silent session ends with idle_timeout, and its client begins a new one', async () => {
      const recorder = new Recorder()
      accept = (link) => link.open(recorder)
      await listen({ idleMs: 100 })
      const client = await peer()
      client.socket.send('one', listener.port, '127.0.0.1')
      await until(() => recorder.closes === 1, { what: 'the idle end' })
      assert.equal(recorder.error?.code, 'idle_timeout')
      assert.equal(links[0]?.closed, true)
      client.socket.send('two', listener.port, '127.0.0.1')
      await until(() => links.length === 2 && recorder.text === 'onetwo', { what: 'a new session' })
    })

    test('a full table drops and counts what would open one more session, tells it once, and serves the others', async () => {
      const drops: string[] = []
      await listen({ maxSessions: 2, dropped: (reason) => void drops.push(reason) })
      const clients = [await peer(), await peer(), await peer()]
      for (const { socket } of clients) socket.send('first', listener.port, '127.0.0.1')
      clients[2]?.socket.send('again', listener.port, '127.0.0.1')
      await until(() => errors.length === 1, { what: 'the report' })
      clients[0]?.socket.send('second', listener.port, '127.0.0.1')
      await until(() => clients[0]?.received.length === 2, { what: 'the second answer' })
      assert.equal(errors.length, 1)
      assert.equal(errors[0]?.code, 'too_many_links')
      assert.equal(links.length, 2)
      assert.equal(clients[2]?.received.length, 0)
      await until(() => drops.length === 2, { what: 'the count of both' })
      assert.deepEqual(new Set(drops), new Set(['too_many_sessions']))
    })

    test('a port where nobody is ends the dialled link with connect_refused', async () => {
      const gone = await openPeer()
      gone.socket.close()
      await once(gone.socket, 'close')
      const recorder = new Recorder()
      const { link } = await dialled(wire, datagramsTo(gone.port))
      link?.open(recorder)
      await until(
        () => {
          link?.send(Buffer.from('anyone'))
          return recorder.closes === 1
        },
        { what: 'the refusal' },
      )
      assert.equal(recorder.error?.code, 'connect_refused')
      assert.equal(link?.closed, true)
    })

    test('a server that goes away after it has answered is upstream_closed', async () => {
      const server = await openPeer(true)
      const recorder = new Recorder()
      const { link } = await dialled(wire, datagramsTo(server.port))
      link?.open(recorder)
      link?.send(Buffer.from('ping'))
      await until(() => recorder.text === 'ping', { what: 'the answer' })
      server.socket.close()
      await once(server.socket, 'close')
      await until(
        () => {
          link?.send(Buffer.from('ping'))
          return recorder.closes === 1
        },
        { what: 'the refusal' },
      )
      assert.equal(recorder.error?.code, 'upstream_closed')
    })

    test('a closed port opens no session, and those that it has go on', async () => {
      const [one, two] = [await peer(), await peer()]
      one.socket.send('before', listener.port, '127.0.0.1')
      await until(() => one.received.length === 1, { what: 'an answer' })
      await listener.close()
      two.socket.send('late', listener.port, '127.0.0.1')
      one.socket.send('after', listener.port, '127.0.0.1')
      await until(() => one.received.length === 2, { what: 'an answer after the close' })
      assert.equal(links.length, 1)
      assert.equal(two.received.length, 0)
    })

    test('a closed session tells so once, later, and without an error', async () => {
      const recorder = new Recorder()
      accept = (link) => link.open(recorder)
      const client = await peer()
      client.socket.send('one', listener.port, '127.0.0.1')
      await until(() => recorder.text === 'one', { what: 'a datagram' })
      const [link] = links
      link?.end()
      link?.close()
      link?.reset()
      link?.send(Buffer.from('lost'))
      assert.equal(recorder.closes, 0)
      await until(() => recorder.closes === 1, { what: 'closed' })
      assert.equal(recorder.error, undefined)
      assert.equal(client.received.length, 0)
    })

    test('a port that is taken is refused with the system error', async () => {
      const { port } = await peer()
      await assert.rejects(listen({ port }), { code: 'EADDRINUSE' })
    })
  })
}
