/** What every wire promises about streams. Peers are sockets of `node:net`, which share nothing with the wire's links. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import net from 'node:net'
import os from 'node:os'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import type { Link } from '../../src/net/link.ts'
import type { Listener, ListenOptions, Wire } from '../../src/net/wire.ts'
import { Dialled, dialled, Echo, Recorder, streamTo } from '../support/recorder.ts'
import { until } from '../support/until.ts'

const hasV6 = Object.values(os.networkInterfaces()).some((list) => list?.some((entry) => entry.address === '::1'))
const fingerprint = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Bytes that differ at every place and for every seed, so that a mix-up shows. */
function sample(size: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(size)
  let state = (seed * 2654435761 + 1) >>> 0
  for (let index = 0; index < size; index += 1) {
    state = (state * 1664525 + 1013904223) >>> 0
    bytes[index] = state >>> 24
  }
  return bytes
}

/** Reads a socket to its end; it stays open for writing. */
async function readAll(socket: net.Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.resume()
  await once(socket, 'end')
  return Buffer.concat(chunks)
}

const openSockets = (): number =>
  process.getActiveResourcesInfo().filter((name) => /^(TCP|UDP|Pipe)/.test(name) && !name.startsWith('Pipe')).length

export function wireContract(name: string, create: () => Wire): void {
  describe(`${name}: streams`, { timeout: 60_000 }, () => {
    let wire: Wire
    let listener: Listener
    let links: Link[]
    let accept: ((link: Link) => void) | undefined
    let sockets: net.Socket[]
    let server: net.Server
    let served: net.Socket[]
    let atRest = 0

    const options = (more: Partial<ListenOptions> = {}): ListenOptions => ({
      host: '127.0.0.1',
      port: 0,
      reusePort: false,
      backlog: 128,
      keepAliveMs: 0,
      ...more,
    })

    async function connect(port = listener.port, host = '127.0.0.1'): Promise<net.Socket> {
      const socket = net.connect({ port, host, allowHalfOpen: true })
      sockets.push(socket)
      socket.on('error', () => {})
      await once(socket, 'connect')
      return socket
    }

    /** A client and the link that was accepted for it. */
    async function pair(): Promise<[net.Socket, Link]> {
      const count = links.length
      const socket = await connect()
      await until(() => links.length > count, { what: 'an accepted link' })
      return [socket, links[count] as Link]
    }

    before(async () => {
      wire = create()
      server = net.createServer({ allowHalfOpen: true }, (socket) => {
        socket.on('error', () => {})
        served.push(socket)
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      atRest = openSockets()
    })

    after(() => {
      server.close()
    })

    beforeEach(async () => {
      links = []
      sockets = []
      served = []
      accept = undefined
      listener = await wire.listen(
        options(),
        (link) => {
          links.push(link)
          accept?.(link)
        },
        assert.ifError,
      )
    })

    afterEach(async () => {
      for (const link of links) link.reset()
      for (const socket of [...sockets, ...served]) socket.destroy()
      await listener.close()
      await until(() => openSockets() <= atRest, { what: 'every socket closed again' })
    })

    const serverPort = (): number => (server.address() as net.AddressInfo).port

    for (const size of [1, 100, 4096, 65_536, 65_537, 1_000_003, 8_388_608]) {
      test(`${size} bytes come back whole and in order`, async () => {
        accept = (link) => link.open(new Echo())
        const [socket] = await pair()
        const sent = sample(size, size)
        socket.end(sent)
        assert.equal(fingerprint(await readAll(socket)), fingerprint(sent))
        assert.equal(links[0]?.bytesRead, size)
        assert.equal(links[0]?.bytesWritten, size)
      })
    }

    test('bytes in pieces of many sizes keep their order', async () => {
      accept = (link) => link.open(new Echo())
      const [socket] = await pair()
      const all: Buffer[] = []
      const answer = readAll(socket)
      for (let round = 0; round < 300; round += 1) {
        const piece = sample(1 + ((round * 7919) % 20_000), round)
        all.push(piece)
        if (!socket.write(piece)) await once(socket, 'drain')
      }
      socket.end()
      assert.equal(fingerprint(await answer), fingerprint(Buffer.concat(all)))
    })

    test('what waits for a slow reader is not overwritten by what other links read', async () => {
      accept = (link) => link.open(new Echo())
      const clients = await Promise.all(Array.from({ length: 8 }, () => connect()))
      const samples = clients.map((_, index) => sample(6_000_000, index))
      for (const [index, client] of clients.entries()) {
        client.pause()
        client.end(samples[index] as Buffer)
      }
      // Every link is stuck: its peer does not read, and a small talker keeps the shared memory busy meanwhile.
      await until(() => links.length === 8 && links.every((link) => link.pending > 0), { what: 'eight stuck links' })
      const talker = await connect()
      for (let round = 0; round < 50; round += 1) {
        talker.write(sample(3000, 100 + round))
        await once(talker, 'data')
      }
      const answers = await Promise.all(clients.map(readAll))
      assert.deepEqual(answers.map(fingerprint), samples.map(fingerprint))
    })

    test('small pieces forwarded to a link that is stuck are not overwritten by later reads', async () => {
      const { link: stuck } = await dialled(wire, streamTo(serverPort()))
      await until(() => served.length === 1, { what: 'the served socket' })
      const [reader] = served as [net.Socket]
      stuck?.open(new Recorder())
      let filled = 0
      let [last, still] = [0, 0]
      await until(
        () => {
          const { pending } = stuck as Link
          if (pending === 0) {
            stuck?.send(Buffer.alloc(1_000_000))
            filled += 1_000_000
          }
          still = pending > 0 && pending === last ? still + 1 : 0
          last = pending
          return still === 20
        },
        { what: 'a link that is stuck' },
      )
      const [socket, link] = await pair()
      let forwarded = 0
      link.open({
        bytes(_link, bytes) {
          stuck?.forward(bytes)
          forwarded += bytes.length
        },
        ended() {},
        drained() {},
        closed() {},
      })
      const pieces = Array.from({ length: 40 }, (_, index) => sample(100 + index, index))
      for (const piece of pieces) {
        const goal = forwarded + piece.length
        socket.write(piece)
        await until(() => forwarded === goal, { what: 'a forwarded piece' })
      }
      stuck?.end()
      const got = await readAll(reader)
      reader.end()
      assert.equal(got.length, filled + forwarded)
      assert.equal(fingerprint(got.subarray(filled)), fingerprint(Buffer.concat(pieces)))
    })

    test('a slow reader bounds what is pending, and drained comes when all of it has left', async () => {
      const recorder = new Recorder()
      accept = (link) => link.open(recorder)
      const [socket, link] = await pair()
      socket.pause()
      const chunk = sample(65_536, 1)
      let sent = 0
      while (link.send(chunk)) sent += 1
      sent += 1
      assert.ok(link.pending > 0 && link.pending <= 65_536 * 8, `${link.pending} bytes pending`)
      assert.equal(recorder.drains, 0)
      let got = 0
      socket.on('data', (bytes) => {
        got += bytes.length
      })
      socket.resume()
      await until(() => recorder.drains === 1 && got === sent * chunk.length, { what: 'drained' })
      assert.equal(link.pending, 0)
      assert.equal(link.bytesWritten, sent * chunk.length)
    })

    test('a link reads nothing before it is opened, nor while it is paused', async () => {
      const recorder = new Recorder()
      const [socket, link] = await pair()
      socket.write('one')
      await new Promise((resolve) => setImmediate(resolve))
      assert.equal(link.bytesRead, 0)
      link.open(recorder)
      await until(() => recorder.text === 'one', { what: 'the first bytes' })
      link.pause()
      socket.write('two')
      await pair()
      assert.equal(recorder.text, 'one')
      link.resume()
      await until(() => recorder.text === 'onetwo', { what: 'the rest' })
    })

    test('another receiver takes over where the first left off', async () => {
      const [first, second] = [new Recorder(), new Recorder()]
      const [socket, link] = await pair()
      link.open(first)
      socket.write('head')
      await until(() => first.text === 'head', { what: 'the head' })
      link.open(second)
      socket.end('tail')
      await until(() => second.ends === 1, { what: 'the end' })
      assert.equal(first.text, 'head')
      assert.equal(second.text, 'tail')
      link.close()
      await until(() => second.closes === 1, { what: 'closed' })
      assert.equal(first.closes, 0)
    })

    test('after the end of the peer a link can still send, and closes in order when it ends too', async () => {
      const recorder = new Recorder()
      const [socket, link] = await pair()
      link.open(recorder)
      socket.end('question')
      await until(() => recorder.ends === 1, { what: 'the end' })
      assert.equal(recorder.text, 'question')
      link.send(Buffer.from('answer'))
      link.end()
      assert.equal((await readAll(socket)).toString(), 'answer')
      await until(() => recorder.closes === 1, { what: 'closed' })
      assert.equal(recorder.error, undefined)
      assert.equal(link.closed, true)
    })

    test('after its own end a link still hears its peer', async () => {
      const recorder = new Recorder()
      const { link } = await dialled(wire, streamTo(serverPort()))
      await until(() => served.length === 1, { what: 'the served socket' })
      link?.open(recorder)
      link?.send(Buffer.from('question'))
      link?.end()
      const [socket] = served as [net.Socket]
      assert.equal((await readAll(socket)).toString(), 'question')
      assert.equal(recorder.closes, 0)
      socket.end('answer')
      await until(() => recorder.closes === 1, { what: 'closed' })
      assert.equal(recorder.text, 'answer')
      assert.equal(recorder.ends, 1)
      assert.equal(recorder.error, undefined)
    })

    test('a reset by the peer is told from an end: client_gone for accepted links, upstream_reset for dialled', async () => {
      const [accepted, upstream] = [new Recorder(), new Recorder()]
      const [socket, link] = await pair()
      link.open(accepted)
      socket.resetAndDestroy()
      const outcome = await dialled(wire, streamTo(serverPort()))
      outcome.link?.open(upstream)
      await until(() => served.length === 1, { what: 'the served socket' })
      served[0]?.resetAndDestroy()
      await until(() => accepted.closes === 1 && upstream.closes === 1, { what: 'both closed' })
      assert.equal(accepted.error?.code, 'client_gone')
      assert.equal(upstream.error?.code, 'upstream_reset')
      assert.equal(accepted.ends + upstream.ends, 0)
    })

    test('close is an end for the peer, and reset is a reset', async () => {
      const recorder = new Recorder()
      const [one, first] = await pair()
      const [two, second] = await pair()
      first.open(recorder)
      second.open(recorder)
      let error: NodeJS.ErrnoException | undefined
      two.on('error', (thrown) => {
        error = thrown
      })
      first.close()
      second.reset()
      assert.equal(recorder.closes, 0)
      assert.equal((await readAll(one)).length, 0)
      two.resume()
      await until(() => error !== undefined, { what: 'the reset' })
      assert.equal(error?.code, 'ECONNRESET')
      await until(() => recorder.closes === 2, { what: 'both closed' })
      assert.equal(recorder.error, undefined)
    })

    test('what was accepted before close still arrives', async () => {
      const recorder = new Recorder()
      const [socket, link] = await pair()
      link.open(recorder)
      const sent = sample(5_000_000, 5)
      link.send(sent)
      link.close()
      assert.equal(link.closed, true)
      const got = await readAll(socket)
      socket.end()
      assert.equal(fingerprint(got), fingerprint(sent))
      await until(() => recorder.closes === 1, { what: 'closed' })
      assert.equal(recorder.error, undefined)
    })

    test('an answer arrives although the question was never read', async () => {
      const [socket, link] = await pair()
      socket.write(sample(200_000, 3))
      link.send(Buffer.from('no'))
      link.close()
      const got = readAll(socket)
      socket.end()
      assert.equal((await got).toString(), 'no')
    })

    test('a closed link takes every call and does nothing, and tells once that it is closed', async () => {
      const recorder = new Recorder()
      const [, link] = await pair()
      link.open(recorder)
      link.close()
      link.close()
      link.pause()
      link.resume()
      link.end()
      link.send(Buffer.from('lost'))
      link.reset()
      await until(() => recorder.closes === 1, { what: 'closed' })
      link.reset()
      link.close()
      link.resume()
      await pair()
      assert.equal(recorder.closes, 1)
    })

    test('nobody listening is connect_refused', async () => {
      const free = net.createServer()
      free.listen(0, '127.0.0.1')
      await once(free, 'listening')
      const { port } = free.address() as net.AddressInfo
      free.close()
      await once(free, 'close')
      const outcome = await dialled(wire, streamTo(port))
      assert.equal(outcome.error?.code, 'connect_refused')
      assert.equal(outcome.link, undefined)
    })

    test('an address that does not answer is connect_timeout', {
      skip: os.platform() !== 'linux' && 'needs Linux queues',
    }, async () => {
      // A stopped process whose queue is full: the kernel drops further attempts.
      const code = `require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
        console.log(this.address().port) })`
      const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
      try {
        const [line] = (await once(child.stdout, 'data')) as [Buffer]
        child.kill('SIGSTOP')
        const port = Number(line.toString())
        for (let index = 0; index < 4; index += 1) {
          const filler = net.connect(port, '127.0.0.1')
          filler.on('error', () => {})
          sockets.push(filler)
        }
        await until(() => sockets.filter((socket) => !socket.connecting).length >= 2, { what: 'a full queue' })
        const startedAt = performance.now()
        const outcome = await dialled(wire, streamTo(port, '127.0.0.1', 300))
        assert.equal(outcome.error?.code, 'connect_timeout')
        assert.ok(performance.now() - startedAt >= 299)
      } finally {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
    })

    test('after a dial was given up nothing is heard of it', async () => {
      const outcome = new Dialled()
      const cancel = wire.dial(streamTo(serverPort()), outcome)
      assert.equal(outcome.calls, 0)
      cancel()
      cancel()
      await dialled(wire, streamTo(serverPort())).then(({ link }) => link?.reset())
      assert.equal(outcome.calls, 0)
    })

    test('a port that is taken is refused with the system error', async () => {
      await assert.rejects(
        wire.listen(options({ port: listener.port }), () => {}, assert.ifError),
        { code: 'EADDRINUSE' },
      )
    })

    test('a paused listener hands out no link, and goes on at the same port', async () => {
      const { port } = listener
      listener.pause()
      const early = net.connect(port, '127.0.0.1')
      early.on('error', () => {})
      sockets.push(early)
      await dialled(wire, streamTo(serverPort())).then(({ link }) => link?.reset())
      assert.equal(links.length, 0)
      listener.resume()
      await until(
        async () => {
          if (links.length > 0) return true
          const late = net.connect(port, '127.0.0.1')
          late.on('error', () => {})
          sockets.push(late)
          await once(late, 'connect').catch(() => undefined)
          return links.length > 0
        },
        { what: 'a link after resume' },
      )
      assert.equal(listener.port, port)
    })

    test('a closed listener refuses, and its links live on', async () => {
      const recorder = new Recorder()
      const [socket, link] = await pair()
      link.open(recorder)
      await listener.close()
      const outcome = await dialled(wire, streamTo(listener.port))
      assert.equal(outcome.error?.code, 'connect_refused')
      socket.write('still here')
      await until(() => recorder.text === 'still here', { what: 'bytes' })
    })

    test('two listeners share a port when both ask for it', {
      skip: os.platform() !== 'linux' && 'needs Linux',
    }, async () => {
      const first = await wire.listen(options({ reusePort: true }), (link) => links.push(link), assert.ifError)
      const second = await wire.listen(
        options({ reusePort: true, port: first.port }),
        (link) => links.push(link),
        assert.ifError,
      )
      await connect(first.port)
      await until(() => links.length === 1, { what: 'a link' })
      await Promise.all([first.close(), second.close()])
    })

    test('addresses are those of both ends', async () => {
      const [socket, link] = await pair()
      link.open(new Recorder())
      assert.equal(link.carrier, 'stream')
      assert.equal(link.remoteAddress, '127.0.0.1')
      assert.equal(link.remotePort, socket.localPort)
      assert.equal(link.localAddress, '127.0.0.1')
      assert.equal(link.localPort, listener.port)
      const { link: up } = await dialled(wire, streamTo(serverPort()))
      await until(() => served.length === 1, { what: 'the served socket' })
      assert.equal(up?.remotePort, serverPort())
      assert.equal(up?.localPort, served[0]?.remotePort)
      assert.equal(up?.localAddress, '127.0.0.1')
      up?.reset()
    })

    test('the unspecified IPv6 address takes both families, and shows IPv4 as IPv4', {
      skip: !hasV6 && 'needs IPv6',
    }, async () => {
      const everywhere = await wire.listen(options({ host: '::' }), (link) => links.push(link), assert.ifError)
      await connect(everywhere.port, '127.0.0.1')
      await until(() => links.length === 1, { what: 'a link over IPv4' })
      await connect(everywhere.port, '::1')
      await until(() => links.length === 2, { what: 'a link over IPv6' })
      assert.deepEqual(
        links.map((link) => [link.remoteAddress, link.localAddress]),
        [
          ['127.0.0.1', '127.0.0.1'],
          ['::1', '::1'],
        ],
      )
      const { link } = await dialled(wire, streamTo(everywhere.port, '::1'))
      assert.equal(link?.remoteAddress, '::1')
      link?.reset()
      await everywhere.close()
    })
  })
}
