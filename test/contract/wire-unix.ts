/** What every wire promises about streams over Unix sockets. Peers are sockets of `node:net`. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, beforeEach, describe, test } from 'node:test'
import type { Link } from '../../src/net/link.ts'
import type { Listener, Wire } from '../../src/net/wire.ts'
import { dialled, Echo, Recorder, streamTo } from '../support/recorder.ts'
import { readAll } from '../support/stream-bench.ts'
import { until } from '../support/until.ts'

export function unixContract(name: string, create: () => Wire): void {
  const skip = process.platform === 'win32' && 'needs Unix sockets'
  describe(`${name}: Unix sockets`, { skip, timeout: 60_000 }, () => {
    const wire = create()
    const folder = mkdtempSync(join(tmpdir(), 'sluice-unix-'))
    const path = join(folder, 'a socket 100%')
    const options = { host: `unix:${path}`, port: 0, reusePort: false, backlog: 16, keepAliveMs: 60_000 }
    const sockets: net.Socket[] = []
    const links: Link[] = []
    let listener: Listener
    let accept: (link: Link) => void

    beforeEach(async () => {
      accept = (link) => link.open(new Echo())
      const accepted = (link: Link): void => {
        links.push(link)
        accept(link)
      }
      listener = await wire.listen(options, accepted, assert.ifError)
    })

    afterEach(async () => {
      for (const socket of sockets.splice(0)) socket.destroy()
      for (const link of links.splice(0)) link.reset()
      await listener.close()
    })

    after(() => rmSync(folder, { recursive: true }))

    async function connect(): Promise<net.Socket> {
      const socket = net.connect({ path, allowHalfOpen: true })
      sockets.push(socket)
      socket.on('error', () => {})
      await once(socket, 'connect')
      return socket
    }

    test('bytes go both ways, whole and in order, and each half ends by itself', async () => {
      for (const size of [1, 70_000, 3_000_000]) {
        const socket = await connect()
        const sent = Buffer.alloc(size, `${size} bytes of it, `)
        socket.end(sent)
        assert.ok((await readAll(socket)).equals(sent), `${size}`)
      }
    })

    test('what is dialled goes both ways as well, and both ends show the path where there is one', async () => {
      const { link } = await dialled(wire, { ...streamTo(80, `unix:${path}`), keepAliveMs: 60_000 })
      const recorder = new Recorder()
      link?.open(recorder)
      link?.sendText('to the echo, ', Buffer.from('and back'))
      await until(() => recorder.text === 'to the echo, and back', { what: 'the echo' })
      const shown = ({ localAddress, localPort, remoteAddress, remotePort }: Link): unknown[] => [
        localAddress,
        localPort,
        remoteAddress,
        remotePort,
      ]
      assert.deepEqual(shown(link!), ['unix:', 0, `unix:${path}`, 0])
      assert.deepEqual(shown(links[0]!), [`unix:${path}`, 0, 'unix:', 0])
      assert.deepEqual([listener.host, listener.port], [`unix:${path}`, 0])
      link?.end()
      await until(() => recorder.closes === 1, { what: 'the end' })
      assert.equal(recorder.error, undefined)
    })

    test('a reset ends the connection at once', async () => {
      const recorder = new Recorder()
      accept = (link) => link.open(recorder)
      const socket = await connect()
      const closed = once(socket.resume(), 'end')
      const link = await until(() => links[0])
      link.send(Buffer.alloc(10_000_000))
      link.reset()
      await closed
      await until(() => recorder.closes === 1)
      assert.equal(recorder.error, undefined)
    })

    test('a path where nobody listens is refused, one that does not exist fails, one too long as well', async () => {
      const other = join(folder, 'left')
      const server = net.createServer().listen(other)
      await once(server, 'listening')
      renameSync(other, join(folder, 'behind'))
      server.close()
      await once(server, 'close')
      for (const [host, code] of [
        [`unix:${join(folder, 'behind')}`, 'connect_refused'],
        [`unix:${join(folder, 'nowhere')}`, 'connect_failed'],
        [`unix:${folder}/${'x'.repeat(108)}`, 'connect_failed'],
        ['unix:', 'connect_failed'],
      ] as const) {
        const { error } = await dialled(wire, streamTo(0, host))
        assert.equal(error?.code, code, host)
        assert.ok(error?.message.includes(host.slice(0, 90)), error?.message)
      }
    })

    test('a path that is taken is refused with the system error, as is to share one', async () => {
      const listen = (host: string, reusePort = false): Promise<Listener> =>
        wire.listen({ ...options, host, reusePort }, () => {}, assert.ifError)
      await assert.rejects(listen(`unix:${path}`), { code: 'EADDRINUSE' })
      const file = join(folder, 'file')
      writeFileSync(file, 'kept')
      await assert.rejects(listen(`unix:${file}`), { code: 'EADDRINUSE' })
      assert.ok(existsSync(file))
      await assert.rejects(listen(`unix:${join(folder, 'no', 'folder')}`), { code: /ENOENT|EACCES/ })
      await assert.rejects(listen('unix:'), { code: 'EINVAL' })
      await assert.rejects(listen(`unix:${join(folder, 'shared')}`, true), { code: 'ENOTSUP' })
    })

    test('a closed listener takes its path away, and its links live on', async () => {
      const socket = await connect()
      await until(() => links[0])
      assert.ok(existsSync(path))
      await listener.close()
      await until(() => !existsSync(path), { what: 'the path to go' })
      socket.end('still here')
      assert.equal(String(await readAll(socket)), 'still here')
      await listener.close()
    })
  })
}
