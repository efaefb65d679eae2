/** How the direct wire shares its thread with Node: who waits for whom, and for how long. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { MessageChannel, Worker } from 'node:worker_threads'
import type { Link } from '../../../../../src/net/link.ts'
import type { Listener, Wire } from '../../../../../src/net/wire.ts'
import { wires } from '../../../../../src/net/wires.ts'
import { Echo, streamTo } from '../../../../support/recorder.ts'
import { until } from '../../../../support/until.ts'

for (const kind of wires.filter(({ name }) => name !== 'portable')) {
  describe(`${kind.name} beside Node's loop`, { skip: kind.refusal() ?? false, timeout: 60_000 }, () => {
    let wire: Wire
    let listener: Listener
    const links: Link[] = []

    before(async () => {
      wire = kind.create()
      listener = await wire.listen(
        { host: '127.0.0.1', port: 0, reusePort: false, backlog: 128, keepAliveMs: 0 },
        (link) => {
          links.push(link)
          link.open(new Echo())
        },
        assert.ifError,
      )
    })

    after(async () => {
      for (const link of links) link.reset()
      await listener.close()
    })

    /** Keeps `count` echoes busy until the function that it returns is called. */
    function load(count: number): () => number {
      let [rounds, stopped] = [0, false]
      for (let index = 0; index < count; index += 1) {
        wire.dial(streamTo(listener.port), {
          connected(link) {
            link.open({
              bytes(_link, bytes) {
                rounds += 1
                if (stopped) link.close()
                else link.forward(bytes)
              },
              ended() {},
              drained() {},
              closed() {},
            })
            link.send(Buffer.alloc(100))
          },
          failed: assert.ifError,
        })
      }
      return () => {
        stopped = true
        return rounds
      }
    }

    test('while links are busy timers, messages, promises and sockets of Node are served soon', async () => {
      const stop = load(32)
      const channel = new MessageChannel()
      const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1')
      await once(client, 'connect')
      const waits: Record<'timer' | 'message' | 'socket' | 'promise', number[]> = {
        timer: [],
        message: [],
        socket: [],
        promise: [],
      }
      // By what this thread did meanwhile, not by the clock: others may use the processor as well.
      const timed = async (into: number[], wait: Promise<unknown>, lessMs = 0): Promise<void> => {
        const before = process.threadCpuUsage()
        await wait
        const { user, system } = process.threadCpuUsage(before)
        into.push((user + system) / 1000 - lessMs)
      }
      for (let round = 0; round < 100; round += 1) {
        await timed(waits.timer, pause(2), 2)
        const heard = once(channel.port2, 'message')
        channel.port1.postMessage(round)
        await timed(waits.message, heard)
        const echoed = once(client, 'data')
        client.write('x')
        await timed(waits.socket, echoed)
        await timed(waits.promise, Promise.resolve())
      }
      const rounds = stop()
      channel.port1.close()
      client.destroy()
      server.close()
      assert.ok(rounds > 100, `${rounds} rounds of the load`)
      for (const [what, times] of Object.entries(waits)) {
        times.sort((one, other) => one - other)
        const median = times[times.length >>> 1] as number
        const p95 = times[Math.floor(times.length * 0.95)] as number
        // Wide; a turn that did not end would take far longer. Exact figures are those of the benchmark beside-loop.
        assert.ok(median < 5, `${what}: ${median} ms at the median`)
        assert.ok(p95 < 50, `${what}: ${p95} ms at the 95th percentile`)
      }
    })

    test('what Node is asked for in a callback of a link is begun although nothing else happens', async () => {
      const server = net.createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as net.AddressInfo
      const steps: string[] = []
      wire.dial(streamTo(listener.port), {
        connected(link) {
          link.open({
            bytes() {
              process.nextTick(() => steps.push('tick'))
              queueMicrotask(() => steps.push('microtask'))
              net
                .connect(port, '127.0.0.1')
                .on('data', () => steps.push('socket'))
                .on('end', () => steps.push('end'))
              link.close()
            },
            ended() {},
            drained() {},
            closed() {},
          })
          link.send(Buffer.from('x'))
        },
        failed: assert.ifError,
      })
      await until(() => steps.includes('end'), { ms: 2000, what: 'the socket of Node' })
      assert.deepEqual(steps, ['tick', 'microtask', 'socket', 'end'])
      server.close()
    })

    test('a thread that only listens sleeps', async () => {
      const code = `
        const { readlinkSync } = require('node:fs')
        const { parentPort } = require('node:worker_threads')
        const { wires } = require(${JSON.stringify(new URL('../../../../../src/net/wires.ts', import.meta.url).pathname)})
        const wire = wires.find(({ name }) => name === ${JSON.stringify(kind.name)}).create()
        // A port for messages of main, as workers have it.
        parentPort.on('message', () => {})
        wire.listen({ host: '127.0.0.1', port: 0, reusePort: false, backlog: 8, keepAliveMs: 0 }, () => {}, () => {})
          .then(() => parentPort.postMessage(readlinkSync('/proc/thread-self')))
      `
      const worker = new Worker(code, { eval: true })
      const [thread] = (await once(worker, 'message')) as [string]
      /** Each time that it went to sleep by itself; that others had the processor does not count. */
      const wakeUps = (): number => {
        const status = readFileSync(`/proc/${thread}/status`, 'latin1')
        return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1])
      }
      await pause(500)
      const before = wakeUps()
      await pause(2000)
      const count = wakeUps() - before
      await worker.terminate()
      // Wide: it is 4 a second at most.
      assert.ok(count <= 20, `${count} wake-ups in two seconds`)
    })

    test('a thread that is terminated leaves no port and no connection behind', async () => {
      const code = `
        const { parentPort } = require('node:worker_threads')
        const { wires } = require(${JSON.stringify(new URL('../../../../../src/net/wires.ts', import.meta.url).pathname)})
        const wire = wires.find(({ name }) => name === ${JSON.stringify(kind.name)}).create()
        const nobody = { bytes() {}, ended() {}, drained() {}, closed() {} }
        wire.listen({ host: '127.0.0.1', port: 0, reusePort: false, backlog: 8, keepAliveMs: 0 },
          (link) => { link.open(nobody); parentPort.postMessage('accepted') }, () => {})
          .then((listener) => parentPort.postMessage(listener.port))
      `
      const worker = new Worker(code, { eval: true })
      const [port] = (await once(worker, 'message')) as [number]
      const client = net.connect(port, '127.0.0.1')
      client.on('error', () => {})
      const accepted = once(worker, 'message')
      await once(client, 'connect')
      await accepted
      const closed = once(client, 'close')
      client.resume()
      await worker.terminate()
      await closed
      // The kernel takes a ring of a thread that is gone apart in its own time: until then it resets whoever comes.
      await until(
        async () => {
          const late = net.connect(port, '127.0.0.1')
          const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException]
          return error.code === 'ECONNREFUSED'
        },
        { what: 'the end of the port' },
      )
    })
  })
}
