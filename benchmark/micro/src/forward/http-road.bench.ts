/** A request on its whole way, from the bytes of a client to the bytes of its answer, on links that lead nowhere: all but the system. */
import assert from 'node:assert/strict'
import { http1 } from '../../../../protocols/http1/index.ts'
import { attachSharedCounters, createSharedCounters } from '../../../../src/base/shared-counters.ts'
import { attachSharedWindows, createSharedWindows } from '../../../../src/base/shared-windows.ts'
import { ChainLeases } from '../../../../src/forward/chain-leases.ts'
import { HttpExchangeRoad } from '../../../../src/forward/http-road.ts'
import { compileToldClient } from '../../../../src/forward/told-client.ts'
import type { DialReceiver, Wire } from '../../../../src/net/wire.ts'
import type { Log } from '../../../../src/observability/log.ts'
import { PluginHost } from '../../../../src/plugin/host.ts'
import { httpRouter } from '../../../../src/route/http-router.ts'
import { type NormalChange, SnapshotCompiler } from '../../../../src/snapshot/compiler.ts'
import type { Bench } from '../../harness.ts'
import { NowhereLink, settings, wheel } from '../../nowhere.ts'

const log: Log = { debug() {}, info() {}, warn() {}, error() {} }

const upstream = new NowhereLink()
const wire = {
  name: 'nowhere',
  dial(_to: unknown, receiver: DialReceiver) {
    queueMicrotask(() => receiver.connected(upstream))
    return () => {}
  },
} as unknown as Wire

const counters = attachSharedCounters(createSharedCounters({ slots: 64, workers: 1 }), 0)
const windows = attachSharedWindows(createSharedWindows(64), 0)
const leases = new ChainLeases()
const compiler = new SnapshotCompiler({
  httpRouter: httpRouter('radixtree_host_uri', [], { keepEncodedSlashes: false }),
  host: new PluginHost({ plugins: [], counters, windows, log, compileFilter: () => () => true }),
  counters,
  certificates: { protocols: ['TLSv1.3'], ciphers: '', sessionTickets: false, ticketSecret: new Uint8Array(32) },
  trusted: undefined,
  consumerChains: 100,
  retired: (chain) => leases.retire(chain),
  log,
})
const route = {
  ...{ id: 'all', uri: '/*', priority: 0, status: 1, enable_websocket: false, plugins: {} },
  upstream: {
    ...{ type: 'roundrobin', scheme: 'http', hash_on: 'vars', retry_timeout: 0, pass_host: 'pass' },
    nodes: [{ host: '127.0.0.1', port: 80, weight: 1, priority: 0 }],
  },
}
compiler.apply([{ kind: 'routes', id: 'all', value: route } as unknown as NormalChange], 1)

const roadSettings = {
  keepAliveMs: 0,
  poolLimits: { size: 320, idleMs: 60_000, requests: Number.MAX_SAFE_INTEGER },
  trustedAddresses: undefined,
  ...{ server: 'sluice', showUpstreamStatus: false, sendServerName: true, charset: 'utf-8' },
  bodyLimits: { readableBytes: 1e6, graphqlBytes: 1e6, collectBytes: 1e9 },
  toldClient: compileToldClient({ header: 'X-Real-IP', from: ['127.0.0.1'], recursive: false }),
  ...{ deleteTailSlash: false, likeServlet: false },
}
const road = new HttpExchangeRoad({
  current: () => compiler.current,
  settings: () => roadSettings,
  ...{ wire, wheel, leases, log },
  clientOf: () => http1,
  statusOf: () => 502,
  ended() {},
  refused() {},
})
const downstream = new NowhereLink()
http1.serve(downstream, { head: new Uint8Array(0), hello: undefined }, road, settings, '127.0.0.1:9080')

const bare = Buffer.from('GET / HTTP/1.1\r\nHost: localhost:9080\r\n\r\n')
const usual = Buffer.from(
  'GET /api/v1/items?page=2 HTTP/1.1\r\nHost: shop.example.com:9080\r\nUser-Agent: load/1.0\r\n' +
    'Accept: */*\r\nAccept-Encoding: gzip, br\r\nAccept-Language: en\r\nConnection: keep-alive\r\n\r\n',
)
const answer = Buffer.from(
  'HTTP/1.1 200 OK\r\nServer: backend/2\r\nDate: Sat, 21 Nov 2026 15:00:00 GMT\r\nContent-Type: application/json\r\n' +
    'Content-Length: 26\r\nConnection: keep-alive\r\nETag: "5f-17"\r\n\r\n{"item":"a17","count":"4"}',
)
// The first one dials; all others take its connection.
downstream.receiver?.bytes(downstream, bare)
await new Promise((resolve) => setImmediate(resolve))
upstream.receiver?.bytes(upstream, answer)

function bench(name: string, next: () => Uint8Array): Bench {
  const once = (): void => {
    downstream.receiver?.bytes(downstream, next())
    upstream.receiver?.bytes(upstream, answer)
  }
  return {
    name: `road: ${name}`,
    check() {
      const before = downstream.bytesWritten
      once()
      assert.ok(downstream.bytesWritten - before > 100 && road.active === 0)
    },
    run(times) {
      for (let index = 0; index < times; index += 1) once()
      return downstream.last
    },
  }
}

let turn = 0
/** Differs from request to request, as with an identifier of its own. */
function unlike(): Uint8Array {
  turn += 1
  return Buffer.from(usual.toString('latin1').replace('load/1.0', `load/${turn}`), 'latin1')
}

export const benches: readonly Bench[] = [
  bench('a GET with nothing but a Host', () => bare),
  bench('a GET as clients send it', () => usual),
  bench('the same with a field that is new each time, made here', unlike),
]
