/** What a thread with a ring leaves behind when it is terminated in the middle of everything: nothing. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { uringRefusal } from '../../../../../../src/net/direct/uring/ring-setup.ts'
import { descriptors } from '../../../../../support/rss.ts'
import { until } from '../../../../../support/until.ts'

const source = new URL('../../../../../../src/net/direct/', import.meta.url).pathname
const wire = new URL('../../../../../../src/net/direct/uring/wire.ts', import.meta.url).pathname
const code = `
  const { parentPort } = require('node:worker_threads')
  const wire = require(${JSON.stringify(wire)}).createUringWire()
  const nobody = { bytes() { parentPort.postMessage('read') }, ended() {}, drained() {}, closed() {} }
  wire.listen({ host: '127.0.0.1', port: 0, reusePort: false, backlog: 8, keepAliveMs: 0 },
    (link) => link.open(nobody), () => {}).then(({ port }) => parentPort.postMessage(port))
`

/** Addresses that the process has something at, in MiB: queues and buffers of a ring are more than 64 of them. */
function addressesMiB(): number {
  const pages = readFileSync('/proc/self/statm', 'latin1').split(' ', 1)[0]
  return (Number(pages) * 4096) / 2 ** 20
}

async function oneThread(): Promise<void> {
  const worker = new Worker(code, { eval: true })
  const [port] = (await once(worker, 'message')) as [number]
  const client = net.connect(port, '127.0.0.1')
  client.on('error', () => {})
  const read = once(worker, 'message')
  client.write('hello')
  await read
  const closed = once(client, 'close')
  client.resume()
  await worker.terminate()
  await closed
}

test('threads that are terminated give back the memory and the descriptors of their rings', {
  skip: uringRefusal() ?? (process.platform !== 'linux' && 'needs /proc'),
  timeout: 60_000,
}, async () => {
  for (let round = 0; round < 2; round += 1) await oneThread()
  const [addresses, open] = [addressesMiB(), descriptors(process.pid)]
  for (let round = 0; round < 8; round += 1) await oneThread()
  await until(() => descriptors(process.pid) === open, { what: 'all descriptors closed' })
  const grown = addressesMiB() - addresses
  // Of the threads' own heaps some addresses stay reserved, whatever they did.
  assert.ok(grown < 8 * 32, `${Math.round(grown)} MiB of addresses more after 8 threads`)
})

/** A ring that waits for a connection, with nothing of an engine around it. */
const lonely = `
  const { parentPort, workerData } = require('node:worker_threads')
  const { Ring } = require(${JSON.stringify(`${source}uring/ring.ts`)})
  const { pushAccept } = require(${JSON.stringify(`${source}uring/operations.ts`)})
  const sockets = require(${JSON.stringify(`${source}ffi/sockets.ts`)})
  const fd = sockets.openSocket('stream', '127.0.0.1')
  sockets.bindSocket(fd, '127.0.0.1', 0, 'no')
  sockets.listenSocket(fd, 8)
  try {
    const ring = new Ring({ submissions: 64, completions: 128, memories: [workerData] })
    pushAccept(ring, fd, 1, 0)
    ring.enter(false)
    parentPort.postMessage({ port: sockets.localName(fd).port })
    setInterval(() => ring.enter(false), 1000)
  } catch (error) {
    parentPort.postMessage({ reason: error.message })
  }
`

/** Why nobody answers there; undefined: somebody does. */
function refusal(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    socket.on('connect', () => socket.destroy())
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code))
    socket.on('close', () => resolve(undefined))
  })
}

for (const memory of ['own', 'huge', 'kernel', 'page'] as const) {
  test(`a terminated thread gives its ring up, with the sockets that it waits for: queues of ${memory}`, {
    skip: uringRefusal() ?? false,
    timeout: 60_000,
  }, async (context) => {
    const worker = new Worker(lonely, { eval: true, workerData: memory })
    const [{ port, reason }] = (await once(worker, 'message')) as [{ port?: number; reason?: string }]
    await worker.terminate()
    if (port === undefined) {
      context.skip(reason)
      return
    }
    await until(async () => (await refusal(port)) === 'ECONNREFUSED', { what: 'the end of the port' })
  })
}
