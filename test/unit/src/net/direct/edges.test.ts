/** What only the direct wire does by itself: addresses, descriptors that run out, sockets handed to Node. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import { after, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { GatewayError } from '../../../../../src/errors.ts'
import type { Link } from '../../../../../src/net/link.ts'
import { takeSocket } from '../../../../../src/net/portable/take-socket.ts'
import { wires } from '../../../../../src/net/wires.ts'
import { dialled, Echo, Recorder, streamTo } from '../../../../support/recorder.ts'
import { readAll } from '../../../../support/stream-bench.ts'
import { until } from '../../../../support/until.ts'

const hasV6 = Object.values(os.networkInterfaces()).some((list) => list?.some((entry) => entry.address === '::1'))
const root = new URL('../../../../../', import.meta.url).pathname

/** Connections that nobody has accepted yet. */
function waitingAt(port: number): number {
  const where = port.toString(16).toUpperCase().padStart(4, '0')
  const rows = readFileSync('/proc/net/tcp', 'latin1').split('\n')
  // Local address, remote address, state (0A: it listens), sent and received; of a listening socket the queue is what was received.
  const row = rows.map((text) => text.trim().split(/\s+/)).find((of) => of[1]?.endsWith(`:${where}`) && of[3] === '0A')
  return Number.parseInt(row?.[4]?.split(':')[1] ?? '', 16)
}

for (const kind of wires.filter(({ name }) => name !== 'portable')) {
  describe(`${kind.name}: edges`, { skip: kind.refusal() ?? false, timeout: 60_000 }, () => {
    const closers: (() => unknown)[] = []
    const wire = kind.refusal() === undefined ? kind.create() : (undefined as never)
    const stream = { port: 0, reusePort: false, backlog: 128, keepAliveMs: 0 }
    const datagrams = { port: 0, reusePort: false, idleMs: 60_000, maxSessions: 16 }

    after(async () => {
      for (const close of closers.reverse()) await close()
    })

    test('a reply leaves from the address that the client spoke to, though the port listens on all', {
      skip: os.platform() !== 'linux' && 'needs 127.0.0.2',
    }, async () => {
      const links: Link[] = []
      const listener = await wire.listenDatagrams(
        { ...datagrams, host: '0.0.0.0' },
        (link) => {
          links.push(link)
          link.open(new Echo())
        },
        assert.ifError,
      )
      closers.push(
        () => listener.close(),
        () => {
          for (const link of links) link.close()
        },
      )
      const client = dgram.createSocket('udp4')
      closers.push(() => client.close())
      client.connect(listener.port, '127.0.0.2')
      await once(client, 'connect')
      // A connected socket hears only the address that it is connected to.
      const answer = once(client, 'message')
      client.send('hello')
      assert.equal(String((await answer)[0]), 'hello')
      assert.equal(links[0]?.localAddress, '127.0.0.2')
      assert.equal(links[0]?.localPort, listener.port)
    })

    test('a port on :: serves both families with datagrams, each from the address spoken to', {
      skip: !hasV6 && 'needs IPv6',
    }, async () => {
      const links: Link[] = []
      const listener = await wire.listenDatagrams(
        { ...datagrams, host: '::' },
        (link) => {
          links.push(link)
          link.open(new Echo())
        },
        assert.ifError,
      )
      closers.push(
        () => listener.close(),
        () => {
          for (const link of links) link.close()
        },
      )
      for (const [type, host] of [
        ['udp4', '127.0.0.2'],
        ['udp6', '::1'],
      ] as const) {
        const client = dgram.createSocket(type)
        closers.push(() => client.close())
        client.connect(listener.port, host)
        await once(client, 'connect')
        const answer = once(client, 'message')
        client.send(host)
        assert.equal(String((await answer)[0]), host)
        assert.equal(links.at(-1)?.localAddress, host)
        assert.equal(links.at(-1)?.remoteAddress, type === 'udp4' ? '127.0.0.1' : '::1')
        assert.equal(links.at(-1)?.remotePort, client.address().port)
        const { link } = await dialled(wire, {
          carrier: 'datagram',
          host,
          port: listener.port,
          timeoutMs: 1000,
          keepAliveMs: 0,
          tls: undefined,
        })
        const recorder = new Recorder()
        link?.open(recorder)
        link?.send(Buffer.from('dialled'))
        await until(() => recorder.text === 'dialled', { what: 'the echo' })
        link?.close()
      }
    })

    test('a target that is no numeric address fails, and nothing is looked up', async () => {
      for (const host of ['localhost', '127.0.0.1\u00001', '1.2.3', '::zz', '']) {
        const { error } = await dialled(wire, streamTo(1, host))
        assert.equal(error?.code, 'connect_failed', JSON.stringify(host))
      }
      await assert.rejects(
        wire.listen({ ...stream, host: 'localhost' }, () => {}, assert.ifError),
        { code: 'EINVAL' },
      )
    })

    test('an address that is not of this machine is refused with the system error', async () => {
      await assert.rejects(
        wire.listen({ ...stream, host: '192.0.2.1' }, () => {}, assert.ifError),
        {
          code: 'EADDRNOTAVAIL',
        },
      )
    })

    test('the socket of a link goes on in Node, from where the link left off', async () => {
      const accepted: Link[] = []
      const listener = await wire.listen(
        { ...stream, host: '127.0.0.1' },
        (link) => accepted.push(link),
        assert.ifError,
      )
      closers.push(() => listener.close())
      const client = net.connect({ port: listener.port, host: '127.0.0.1', allowHalfOpen: true })
      client.write('head')
      const link = await until(() => accepted[0], { what: 'a link' })
      const recorder = new Recorder()
      link.open(recorder)
      await until(() => recorder.text === 'head', { what: 'the head' })
      link.pause()
      const socket = takeSocket(link)
      assert.equal(socket.remotePort, client.localPort)
      socket.write('from Node')
      socket.end()
      assert.equal(String(await readAll(client)), 'from Node')
      assert.throws(() => takeSocket(link), GatewayError)
      client.end('tail')
      assert.equal(String(await readAll(socket)), 'tail')
      socket.destroy()
      assert.equal(recorder.closes, 0)
    })

    test('of a burst of connections few are taken before the first of them is handed out', {
      skip: os.platform() !== 'linux' && 'needs /proc',
    }, async () => {
      const links: Link[] = []
      const listener = await wire.listen(
        { ...stream, host: '127.0.0.1', backlog: 512 },
        (link) => {
          links.push(link)
          // What a gateway does that has as many links as it may have.
          if (links.length === 1) listener.pause()
        },
        assert.ifError,
      )
      closers.push(() => listener.close())
      const clients = Array.from({ length: 300 }, () => net.connect(listener.port, '127.0.0.1'))
      closers.push(() => {
        for (const client of clients) client.destroy()
        for (const link of links) link.reset()
      })
      await Promise.all(clients.map((client) => once(client, 'connect')))
      await until(() => links.length > 0, { what: 'a link' })
      assert.ok(waitingAt(listener.port) >= 200, `${waitingAt(listener.port)} of 300 wait in the queue of the kernel`)
      listener.resume()
      await until(() => links.length === 300, { what: 'all links' })
    })

    test('where descriptors run out it is told once, and connections that wait are served later', async () => {
      const code = `
        import net from 'node:net'
        import { readdirSync, openSync, closeSync } from 'node:fs'
        import { wires } from ${JSON.stringify(`${root}src/net/wires.ts`)}
        const wire = wires.find(({ name }) => name === ${JSON.stringify(kind.name)}).create()
        const failures = []
        const listener = await wire.listen({ host: '127.0.0.1', port: 0, reusePort: false, backlog: 64, keepAliveMs: 0 }, (link) => {
          link.open({ bytes(link, bytes) { link.forward(bytes) }, ended(link) { link.end() }, drained() {}, closed() {} })
        }, (error) => failures.push(error.code))
        process.on('message', (order) => {
          if (order === 'fill') { held = []; try { for (;;) held.push(openSync('/dev/null')) } catch {} ; process.send('full') }
          else { for (const fd of held) closeSync(fd); process.send(failures) }
        })
        let held = []
        process.send(listener.port)
      `
      const shell = 'ulimit -n 200; exec "$0" "$@"'
      const child = spawn('bash', ['-c', shell, process.execPath, '--no-warnings', '--input-type=module', '-e', code], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      })
      closers.push(() => child.kill('SIGKILL'))
      const [port] = (await once(child, 'message')) as [number]
      child.send('fill')
      await once(child, 'message')
      const clients = Array.from({ length: 5 }, () => net.connect(port, '127.0.0.1'))
      await Promise.all(clients.map((client) => once(client, 'connect')))
      let heard = 0
      for (const client of clients) {
        client.on('data', () => {
          heard += 1
        })
        client.write('x')
      }
      // Long enough for several attempts to accept.
      await pause(700)
      assert.equal(heard, 0)
      child.send('free')
      const [failures] = (await once(child, 'message')) as [string[]]
      assert.deepEqual(failures, ['out_of_descriptors'])
      await until(() => heard === clients.length, { what: 'five echoes' })
      for (const client of clients) client.destroy()
    })
  })
}
