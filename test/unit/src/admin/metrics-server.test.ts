/** The exposition over HTTP: its path, its format, and that a failure to collect harms nothing else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetricsServer, type MetricsServerOptions } from '../../../../src/admin/metrics-server.ts'
import { silentLog } from '../../../../src/observability/log.ts'
import { Metrics } from '../../../../src/observability/metrics.ts'

async function scrape(path: string, more: Partial<MetricsServerOptions> = {}, init: RequestInit = {}) {
  const metrics = new Metrics({ maxSeries: 100, onOverflow: () => {} })
  metrics.counter('stream_connection_total', 'h', ['route']).with('a "quoted"\\ name\n').add(2)
  const latency = metrics.histogram('sluice_stream_session_seconds', 'h', ['route'], [0.1, 1]).with('a')
  latency.observe(0.05)
  latency.observe(5)
  const server = createMetricsServer({
    collect: async () => [metrics.snapshot(), metrics.snapshot()],
    gauges: () => ({
      nodeInfo: { hostname: 'box', version: '0.1.0' },
      etcdReachable: true,
      etcdModifyIndexes: { upstreams: 12 },
      sharedDicts: [{ name: 'plugin-limit-conn', capacityBytes: 100, freeBytes: 60 }],
      upstreamStatus: [{ name: '/apisix/upstreams/1', ip: '127.0.0.1', port: 80, healthy: false }],
    }),
    prefix: 'gw_',
    uri: '/metrics',
    log: silentLog,
    ...more,
  })
  const port = await server.listen('127.0.0.1', 0)
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init)
    return { status: response.status, type: response.headers.get('content-type'), text: await response.text() }
  } finally {
    await server.close()
  }
}

test('the configured path answers in text format 0.0.4 with everything under its prefix', async () => {
  const { status, type, text } = await scrape('/metrics?name=x')
  assert.equal(status, 200)
  assert.equal(type, 'text/plain; version=0.0.4; charset=utf-8')
  const lines = text.split('\n')
  for (const line of [
    '# TYPE gw_stream_connection_total counter',
    'gw_stream_connection_total{route="a \\"quoted\\"\\\\ name\\n"} 4',
    'sluice_stream_session_seconds_bucket{route="a",le="0.1"} 2',
    'sluice_stream_session_seconds_bucket{route="a",le="1"} 2',
    'sluice_stream_session_seconds_bucket{route="a",le="+Inf"} 4',
    'sluice_stream_session_seconds_sum{route="a"} 10.1',
    'sluice_stream_session_seconds_count{route="a"} 4',
    'gw_node_info{hostname="box",version="0.1.0"} 1',
    'gw_etcd_reachable 1',
    'gw_etcd_modify_indexes{key="upstreams"} 12',
    'gw_shared_dict_free_space_bytes{name="plugin-limit-conn"} 60',
    'gw_upstream_status{name="/apisix/upstreams/1",ip="127.0.0.1",port="80"} 0',
  ]) {
    assert.ok(lines.includes(line), `${line} is missing from:\n${text}`)
  }
})

test('other paths are 404 and other methods 405', async () => {
  assert.equal((await scrape('/')).status, 404)
  assert.equal((await scrape('/metrics/')).status, 404)
  assert.equal((await scrape('/metrics', {}, { method: 'POST' })).status, 405)
})

test('a failure to collect is a 500 without its reason', async () => {
  const { status, text } = await scrape('/metrics', { collect: () => Promise.reject(new Error('worker 3 is gone')) })
  assert.equal(status, 500)
  assert.doesNotMatch(text, /worker 3/)
})

test('etcd is not mentioned where the configuration does not come from it', async () => {
  const { text } = await scrape('/metrics', { gauges: () => ({ nodeInfo: { hostname: 'h', version: '1' } }) })
  assert.doesNotMatch(text, /etcd/)
})

test('an address in use is a rejection', async () => {
  const options = { collect: async () => [], gauges: () => ({ nodeInfo: { hostname: 'h', version: '1' } }) }
  const make = () => createMetricsServer({ ...options, prefix: '', uri: '/', log: silentLog })
  const [first, second] = [make(), make()]
  const port = await first.listen('127.0.0.1', 0)
  await assert.rejects(second.listen('127.0.0.1', port), /EADDRINUSE/)
  await first.close()
})
