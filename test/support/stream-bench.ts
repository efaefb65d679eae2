/** What the suites of a wire work with: a listener and a plain server, both emptied and checked for leaks after each test. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { after, afterEach, before, beforeEach } from 'node:test'
import type { Link } from '../../src/net/link.ts'
import type { Listener, ListenOptions, Wire } from '../../src/net/wire.ts'
import { until } from './until.ts'

export interface StreamBench {
  readonly wire: Wire
  /** A new one for each test. */
  readonly listener: Listener
  /** What it has accepted. */
  readonly links: Link[]
  /** Connections that the plain server has taken, unread. */
  readonly served: net.Socket[]
  /** Closed after the test, as those of `connect`. */
  readonly sockets: net.Socket[]
  readonly serverPort: number
  /** Called with each accepted link, besides being listed. */
  accept: ((link: Link) => void) | undefined
  listenOptions(more?: Partial<ListenOptions>): ListenOptions
  connect(port?: number, host?: string): Promise<net.Socket>
  /** A client and the link that was accepted for it. */
  pair(): Promise<[net.Socket, Link]>
}

const openSockets = (): number => process.getActiveResourcesInfo().filter((name) => /^(TCP|UDP)/.test(name)).length

/** To be called inside `describe`: it registers the hooks. */
export function streamBench(create: () => Wire): StreamBench {
  const wire = create()
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    bench.served.push(socket)
  })
  let listener: Listener
  let atRest = 0

  const bench: StreamBench = {
    wire,
    get listener() {
      return listener
    },
    links: [],
    served: [],
    sockets: [],
    get serverPort() {
      return (server.address() as net.AddressInfo).port
    },
    accept: undefined,
    listenOptions: (more = {}) => ({
      host: '127.0.0.1',
      port: 0,
      reusePort: false,
      backlog: 128,
      keepAliveMs: 0,
      ...more,
    }),
    async connect(port = listener.port, host = '127.0.0.1') {
      const socket = net.connect({ port, host, allowHalfOpen: true })
      bench.sockets.push(socket)
      socket.on('error', () => {})
      await once(socket, 'connect')
      return socket
    },
    async pair() {
      const count = bench.links.length
      const socket = await bench.connect()
      return [socket, await until(() => bench.links[count], { what: 'an accepted link' })]
    },
  }

  before(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    atRest = openSockets()
  })

  after(() => {
    server.close()
  })

  beforeEach(async () => {
    bench.accept = undefined
    const accepted = (link: Link): void => {
      bench.links.push(link)
      bench.accept?.(link)
    }
    listener = await wire.listen(bench.listenOptions(), accepted, assert.ifError)
  })

  afterEach(async () => {
    for (const link of bench.links.splice(0)) link.reset()
    for (const socket of [...bench.sockets.splice(0), ...bench.served.splice(0)]) socket.destroy()
    await listener.close()
    await until(() => openSockets() <= atRest, { what: 'every socket closed again' })
  })

  return bench
}

/** Reads a socket to its end; it stays open for writing. */
export async function readAll(socket: net.Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.resume()
  await once(socket, 'end')
  return Buffer.concat(chunks)
}
