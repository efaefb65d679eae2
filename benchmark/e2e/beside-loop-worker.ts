/**
 * A thread with a wire and with work of Node's own: it echoes on a port of the wire, and tells how late timers, promises, messages
 * and the bytes of a socket of Node are. Run by `beside-loop.ts`.
 */
import { readlinkSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import type { Receiver } from '../../src/net/link.ts'
import { wires } from '../../src/net/wires.ts'

/** Milliseconds of each, in the order in which they came. */
export type Lateness = Record<'timer' | 'promise' | 'message' | 'socket', number[]>

export interface Ready {
  /** Of the wire, and of Node's own. */
  readonly ports: { readonly wire: number; readonly node: number }
  /** Of this thread, as the system counts it. */
  readonly tid: string
}

/** The clock is that of all threads. */
const now = (): number => Number(process.hrtime.bigint()) / 1e6
const timerMs = 2
/** One of so many reads of links asks when a promise is served. */
const promiseEvery = 50
/** While links are quiet none would ask. */
const quietPromiseMs = 5

const port = parentPort
if (port === null) throw new Error('run by beside-loop.ts')
const kind = wires.find(({ name }) => name === (workerData as { wire: string }).wire)
if (kind === undefined) throw new Error('no such wire')

let lateness: Lateness | undefined
let reads = 0

function promise(): void {
  const since = now()
  Promise.resolve().then(() => lateness?.promise.push(now() - since))
}

const echo: Receiver = {
  bytes(link, bytes) {
    reads += 1
    if (reads % promiseEvery === 0) promise()
    if (!link.forward(bytes)) link.pause()
  },
  ended: (link) => link.end(),
  drained: (link) => link.resume(),
  closed() {},
}

/** One after the other for as long as lateness is asked for; a thread that rests has none. */
function timers(): void {
  const since = now()
  setTimeout(() => {
    if (lateness === undefined) return
    lateness.timer.push(now() - since - timerMs)
    timers()
  }, timerMs)
}

function promises(): void {
  const before = reads
  setTimeout(() => {
    if (lateness === undefined) return
    if (reads === before) promise()
    promises()
  }, quietPromiseMs)
}

/** What comes is the time at which it was sent. */
const server = net.createServer((socket) => {
  socket.on('data', (bytes) => lateness?.socket.push(now() - (bytes as Buffer).readDoubleLE(bytes.length - 8)))
})

port.on('message', (message: 'begin' | 'end' | number) => {
  if (typeof message === 'number') lateness?.message.push(now() - message)
  else if (message === 'begin') {
    lateness = { timer: [], promise: [], message: [], socket: [] }
    timers()
    promises()
  } else {
    port.postMessage(lateness)
    lateness = undefined
  }
})

const listener = await kind.create().listen(
  { host: '127.0.0.1', port: 0, reusePort: false, backlog: 512, keepAliveMs: 0 },
  (link) => link.open(echo),
  (error) => {
    throw error
  },
)
server.listen(0, '127.0.0.1', () => {
  const ports = { wire: listener.port, node: (server.address() as net.AddressInfo).port }
  port.postMessage({ ports, tid: path.basename(readlinkSync('/proc/thread-self')) } satisfies Ready)
})
