/** What one stream session leaves behind in the metrics, as a scraper sees it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type ControlGauges, createMetricsServer } from '../../../../src/admin/metrics-server.ts'
import type { Code } from '../../../../src/errors.ts'
import { silentLog } from '../../../../src/observability/log.ts'
import { Metrics } from '../../../../src/observability/metrics.ts'
import { StreamMetrics, type StreamSession, streamStatus } from '../../../../src/observability/stream-metrics.ts'

const route = { id: 'r1', name: 'database' }
const endpoint = { id: '127.0.0.1:5432' }
const listenAddr = '0.0.0.0:9100'
const session: StreamSession = {
  listenAddr,
  route,
  endpoint,
  fromClient: 10,
  toClient: 20,
  fromEndpoint: 20,
  toEndpoint: 10,
  shownBy: 'id',
  error: undefined,
  durationMs: 40,
  connectMs: 2,
}

const gauges = (): ControlGauges => ({ nodeInfo: { hostname: 'h', version: '1' } })

function setUp() {
  const metrics = new Metrics({ maxSeries: 1000, onOverflow: () => {} })
  const server = createMetricsServer({
    collect: async () => [metrics.snapshot()],
    gauges,
    prefix: 'apisix_',
    uri: '/apisix/prometheus/metrics',
    log: silentLog,
  })
  return { metrics: new StreamMetrics(metrics), server }
}

/** The lines of the exposition that begin with one of the names. */
async function shown(server: { render(): Promise<string> }, ...names: string[]): Promise<string[]> {
  const lines = (await server.render()).split('\n')
  return lines.filter((line) => names.some((name) => line.startsWith(`${name}{`) || line.startsWith(`${name} `)))
}

describe('stream metrics', () => {
  test('a session that ends in order is counted in APISIX’s families with its labels', async () => {
    const { metrics, server } = setUp()
    metrics.opened(listenAddr)
    metrics.closed(session)
    const names = ['apisix_stream_connection_total', 'apisix_stream_active_connections', 'apisix_stream_status']
    assert.deepEqual(await shown(server, ...names, 'apisix_stream_bandwidth'), [
      'apisix_stream_connection_total{route="r1"} 1',
      'apisix_stream_active_connections{listen_addr="0.0.0.0:9100"} 0',
      'apisix_stream_status{code="200",listen_addr="0.0.0.0:9100",node="127.0.0.1:5432"} 1',
      'apisix_stream_bandwidth{listen_addr="0.0.0.0:9100",type="ingress",side="downstream"} 10',
      'apisix_stream_bandwidth{listen_addr="0.0.0.0:9100",type="egress",side="downstream"} 20',
      'apisix_stream_bandwidth{listen_addr="0.0.0.0:9100",type="ingress",side="upstream"} 20',
      'apisix_stream_bandwidth{listen_addr="0.0.0.0:9100",type="egress",side="upstream"} 10',
    ])
  })

  test('a session is counted per route and node in Sluice’s own families', async () => {
    const { metrics, server } = setUp()
    metrics.opened(listenAddr)
    metrics.closed({ ...session, error: 'upstream_reset' })
    const names = ['sessions_total', 'bytes_total', 'errors_total', 'session_seconds_count', 'connect_seconds_count']
    assert.deepEqual(await shown(server, ...names.map((name) => `sluice_stream_${name}`)), [
      'sluice_stream_sessions_total{route="r1",node="127.0.0.1:5432"} 1',
      'sluice_stream_bytes_total{route="r1",node="127.0.0.1:5432",direction="to_node"} 10',
      'sluice_stream_bytes_total{route="r1",node="127.0.0.1:5432",direction="to_client"} 20',
      'sluice_stream_session_seconds_count{route="r1"} 1',
      'sluice_stream_connect_seconds_count{route="r1",node="127.0.0.1:5432"} 1',
      'sluice_stream_errors_total{route="r1",node="127.0.0.1:5432",code="upstream_reset"} 1',
    ])
  })

  test('open sessions are seen while they are open, and bytes as soon as they are reported', async () => {
    const { metrics, server } = setUp()
    metrics.opened(listenAddr)
    metrics.opened(listenAddr)
    metrics.flowed(session)
    assert.deepEqual(await shown(server, 'apisix_stream_active_connections'), [
      'apisix_stream_active_connections{listen_addr="0.0.0.0:9100"} 2',
    ])
    metrics.closed({ ...session, fromClient: 1, toEndpoint: 1, toClient: 0, fromEndpoint: 0 })
    assert.equal((await shown(server, 'sluice_stream_bytes_total'))[0]?.at(-1), '1')
  })

  test('without the prometheus plugin a session is kept out of the per-route families of APISIX only', async () => {
    const { metrics, server } = setUp()
    metrics.opened(listenAddr)
    metrics.closed({ ...session, shownBy: undefined })
    assert.deepEqual(await shown(server, 'apisix_stream_connection_total', 'apisix_stream_status'), [])
    assert.equal((await shown(server, 'sluice_stream_sessions_total')).length, 1)
  })

  test('a route is shown by its name when its plugin says so', async () => {
    const { metrics, server } = setUp()
    metrics.opened(listenAddr)
    metrics.closed({ ...session, shownBy: 'name' })
    assert.deepEqual(await shown(server, 'apisix_stream_connection_total'), [
      'apisix_stream_connection_total{route="database"} 1',
    ])
  })

  test('a session that matched nothing has empty labels, and a plugin’s own status is shown', async () => {
    const { metrics, server } = setUp()
    const nothing = { ...session, route: undefined, endpoint: undefined, connectMs: undefined }
    metrics.opened(listenAddr)
    metrics.closed({ ...nothing, error: 'no_route' })
    metrics.opened(listenAddr)
    metrics.closed({ ...nothing, error: 'refused_by_plugin', status: 503 })
    assert.deepEqual(await shown(server, 'apisix_stream_status'), [
      'apisix_stream_status{code="400",listen_addr="0.0.0.0:9100",node=""} 1',
      'apisix_stream_status{code="503",listen_addr="0.0.0.0:9100",node=""} 1',
    ])
  })

  test('dropped datagrams are counted by reason', async () => {
    const { metrics, server } = setUp()
    metrics.dropped('0.0.0.0:53', 'queue_full', 3)
    assert.deepEqual(await shown(server, 'sluice_udp_dropped_total'), [
      'sluice_udp_dropped_total{listen_addr="0.0.0.0:53",reason="queue_full"} 3',
    ])
  })

  test('every error has one of the six statuses', () => {
    const expected: [Code | undefined, number][] = [
      [undefined, 200],
      ['client_gone', 200],
      ['bad_tls', 400],
      ['client_timeout', 400],
      ['no_certificate', 403],
      ['internal', 500],
      ['connect_refused', 502],
      ['connect_timeout', 502],
      ['idle_timeout', 502],
      ['upstream_reset', 502],
      ['no_endpoint', 503],
      ['too_many_links', 503],
    ]
    for (const [error, status] of expected) assert.equal(streamStatus(error), status, String(error))
  })
})
