/** What every wire promises about how links begin and end. Peers are sockets of `node:net`: they share nothing with links. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import os from 'node:os'
import { describe, test } from 'node:test'
import type { Link } from '../../src/net/link.ts'
import type { Wire } from '../../src/net/wire.ts'
import { Dialled, dialled, Recorder, streamTo } from '../support/recorder.ts'
import { readAll, streamBench } from '../support/stream-bench.ts'
import { until } from '../support/until.ts'

const hasV6 = Object.values(os.networkInterfaces()).some((list) => list?.some((entry) => entry.address === '::1'))

export function livesContract(name: string, create: () => Wire): void {
  describe(`${name}: lives of links`, { timeout: 60_000 }, () => {
    const bench = streamBench(create)
    const { wire, links, served, sockets, connect, pair } = bench

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
      const { link } = await dialled(wire, streamTo(bench.serverPort))
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
      const outcome = await dialled(wire, streamTo(bench.serverPort))
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
      const sent = Buffer.alloc(5_000_000, 'accepted ')
      link.send(sent)
      link.close()
      assert.equal(link.closed, true)
      const got = await readAll(socket)
      socket.end()
      assert.equal(got.equals(sent), true)
      await until(() => recorder.closes === 1, { what: 'closed' })
      assert.equal(recorder.error, undefined)
    })

    test('a peer that said it is done gets what was accepted, and its end is not waited for', async () => {
      const recorder = new Recorder()
      const [socket, link] = await pair()
      link.open({
        bytes(it) {
          it.sendText('answer')
          it.close(true)
        },
        ended() {},
        drained() {},
        closed: (it, error) => recorder.closed(it, error),
      })
      socket.write('question')
      assert.equal((await readAll(socket)).toString(), 'answer')
      await until(() => recorder.closes === 1, { what: 'closed', ms: 1000 })
      assert.deepEqual([recorder.error, link.closed, socket.writableEnded], [undefined, true, false])
    })

    test('to a peer that is done, large things arrive whole as well', async () => {
      const recorder = new Recorder()
      const [socket, link] = await pair()
      link.open(recorder)
      const sent = Buffer.alloc(3_000_000, 'accepted ')
      link.send(sent)
      link.close(true)
      const got = await readAll(socket)
      socket.end()
      assert.equal(got.equals(sent), true)
      await until(() => recorder.closes === 1, { what: 'closed' })
    })

    test('an answer arrives although the question was never read', async () => {
      const [socket, link] = await pair()
      socket.write(Buffer.alloc(200_000))
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
      const cancel = wire.dial(streamTo(bench.serverPort), outcome)
      assert.equal(outcome.calls, 0)
      cancel()
      cancel()
      await dialled(wire, streamTo(bench.serverPort)).then(({ link }) => link?.reset())
      assert.equal(outcome.calls, 0)
    })

    test('a port that is taken is refused with the system error', async () => {
      await assert.rejects(
        wire.listen(bench.listenOptions({ port: bench.listener.port }), () => {}, assert.ifError),
        { code: 'EADDRINUSE' },
      )
    })

    test('a paused listener hands out no link, and goes on at the same port', async () => {
      const { port } = bench.listener
      bench.listener.pause()
      const early = net.connect(port, '127.0.0.1')
      early.on('error', () => {})
      sockets.push(early)
      await dialled(wire, streamTo(bench.serverPort)).then(({ link }) => link?.reset())
      assert.equal(links.length, 0)
      bench.listener.resume()
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
      assert.equal(bench.listener.port, port)
    })

    test('a closed listener refuses, and its links live on', async () => {
      const recorder = new Recorder()
      const [socket, link] = await pair()
      link.open(recorder)
      await bench.listener.close()
      const outcome = await dialled(wire, streamTo(bench.listener.port))
      assert.equal(outcome.error?.code, 'connect_refused')
      socket.write('still here')
      await until(() => recorder.text === 'still here', { what: 'bytes' })
    })

    test('two listeners share a port when both ask for it', {
      skip: os.platform() !== 'linux' && 'needs Linux',
    }, async () => {
      const first = await wire.listen(
        bench.listenOptions({ reusePort: true }),
        (link) => links.push(link),
        assert.ifError,
      )
      const second = await wire.listen(
        bench.listenOptions({ reusePort: true, port: first.port }),
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
      assert.equal(link.localPort, bench.listener.port)
      const { link: up } = await dialled(wire, streamTo(bench.serverPort))
      await until(() => served.length === 1, { what: 'the served socket' })
      assert.equal(up?.remotePort, bench.serverPort)
      assert.equal(up?.localPort, served[0]?.remotePort)
      assert.equal(up?.localAddress, '127.0.0.1')
      up?.reset()
    })

    for (const host of ['127.0.0.1', '0.0.0.0']) {
      test(`of a link that ${host} accepted, the local address is told also to who asks after the end`, async () => {
        const listener = await wire.listen(bench.listenOptions({ host }), (link) => links.push(link), assert.ifError)
        try {
          const socket = await connect(listener.port)
          await until(() => links.length === 1, { what: 'a link' })
          const link = links[0] as Link
          const recorder = new Recorder()
          link.open(recorder)
          socket.resetAndDestroy()
          await until(() => recorder.closes === 1, { what: 'the end of the link' })
          assert.deepEqual([link.localAddress, link.localPort], ['127.0.0.1', listener.port])
        } finally {
          await listener.close()
        }
      })
    }

    test('the unspecified IPv6 address takes both families, and shows IPv4 as IPv4', {
      skip: !hasV6 && 'needs IPv6',
    }, async () => {
      const everywhere = await wire.listen(
        bench.listenOptions({ host: '::' }),
        (link) => links.push(link),
        assert.ifError,
      )
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
