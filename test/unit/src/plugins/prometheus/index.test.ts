import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json, JsonObject } from '../../../../../src/base/json.ts'
import { type FamilySnapshot, seriesWidth } from '../../../../../src/observability/metrics-snapshot.ts'
import { prometheus } from '../../../../../src/plugins/prometheus/index.ts'
import { endpointOf } from '../../../../support/endpoints.ts'
import { httpExchange, type TestExchange } from '../../../../support/http-exchange.ts'
import { PluginBench } from '../../../../support/plugin-bench.ts'

const route = { id: '7', name: 'shop', serviceId: '3', serviceName: 'store', labels: undefined }

interface Bench {
  readonly conf?: object
  readonly attributes?: Json
  readonly metadata?: JsonObject
}

function bench({ attributes, metadata }: Bench = {}): PluginBench {
  return new PluginBench([prometheus], {
    ...(attributes === undefined ? {} : { attributes: { prometheus: attributes } }),
    ...(metadata === undefined ? {} : { metadata: { prometheus: metadata } }),
  })
}

/** An exchange that reached an endpoint and lasted 30 ms, 20 of them there. */
function proxied(node = '10.0.0.1', headers = {}): TestExchange {
  const exchange = httpExchange({ target: '/a', headers })
  exchange.route = route
  exchange.matchedUri = '/*'
  exchange.matchedHost = 'shop.test'
  const startedAt = exchange.startedAt
  exchange.attempts.push({
    endpoint: endpointOf(`${node}:80`),
    startedAt,
    connectedAt: startedAt,
    reused: false,
    sent: true,
    error: undefined,
  })
  exchange.upstreamEndedAt = startedAt + 20
  exchange.headBytesSent = 100
  return exchange
}

/** `{labels: value}` of a family; of a histogram, the number of observations. */
function seriesOf(made: PluginBench, name: string): Record<string, number> {
  const family = made.metrics.snapshot().find((one) => one.name === name) as FamilySnapshot
  assert.ok(family, name)
  const width = seriesWidth(family)
  const found: Record<string, number> = {}
  for (let at = 0; at * width < family.values.length; at++) {
    const labels = family.labelValues.slice(at * family.labels.length, (at + 1) * family.labels.length).join(' ')
    const numbers = family.values.slice(at * width, (at + 1) * width)
    found[labels] =
      family.type === 'histogram' ? numbers.slice(0, -1).reduce((a, b) => a + b, 0) : (numbers[0] as number)
  }
  return found
}

test('the three families have the labels of APISIX, in its order', () => {
  const made = bench()
  made.chain({ prometheus: {} })
  const labels = ['route', 'service', 'consumer', 'node', 'request_type', 'request_llm_model', 'llm_model']
  const shape = (family: { shape: { labels: readonly string[] } }) => family.shape.labels
  const all = ['code', 'route', 'matched_uri', 'matched_host', 'service', 'consumer', 'node', 'request_type']
  const status = [...all, 'request_llm_model', 'llm_model', 'response_source']
  assert.deepEqual(shape(made.metrics.counter('http_status', 'HTTP status codes per service', status)), status)
  const bandwidth = made.metrics.counter('bandwidth', 'Total bandwidth in bytes consumed per service', [
    'type',
    ...labels,
  ])
  assert.deepEqual(shape(bandwidth), ['type', ...labels])
  made.close()
})

test('an answer of an endpoint is counted by route, pattern, service and node', async () => {
  const made = bench()
  const chain = made.chain({ prometheus: {} })
  for (let n = 0; n < 3; n++) await made.run(chain, proxied(), { body: 'x'.repeat(50) })
  await made.run(chain, proxied('10.0.0.2'), { status: 503, body: '' })
  assert.deepEqual(seriesOf(made, 'http_status'), {
    '200 7 /* shop.test 3  10.0.0.1 traditional_http   upstream': 3,
    '503 7 /* shop.test 3  10.0.0.2 traditional_http   upstream': 1,
  })
  const bytes = seriesOf(made, 'bandwidth')
  assert.equal(bytes['egress 7 3  10.0.0.1 traditional_http  '], 450)
  assert.equal(bytes['ingress 7 3  10.0.0.1 traditional_http  '], 0)
  const counts = seriesOf(made, 'http_latency')
  for (const type of ['request', 'upstream', 'apisix'])
    assert.equal(counts[`${type} 7 3  10.0.0.1 traditional_http  `], 3)
  made.close()
})

test('what never reached an endpoint has no node and no time upstream', async () => {
  const made = bench()
  const exchange = httpExchange({})
  const chain = made.chain({ prometheus: {} })
  exchange.consumer = { username: 'jack', groupId: undefined, credentialId: undefined, labels: {} }
  exchange.endedAt = performance.now()
  exchange.status = 404
  chain.log?.[0]?.(exchange)
  assert.deepEqual(seriesOf(made, 'http_status'), { '404     jack  traditional_http   apisix': 1 })
  const counts = seriesOf(made, 'http_latency')
  assert.deepEqual(
    [counts['request   jack  traditional_http  '], counts['upstream   jack  traditional_http  ']],
    [1, undefined],
  )
  made.close()
})

test('a try that failed is an answer of nginx', () => {
  const made = bench()
  const exchange = proxied()
  exchange.status = 502
  exchange.endedAt = exchange.startedAt + 30
  made.chain({ prometheus: {} }).log?.[0]?.(exchange)
  assert.deepEqual(seriesOf(made, 'http_status'), { '502 7 /* shop.test 3  10.0.0.1 traditional_http   nginx': 1 })
  made.close()
})

test('prefer_name shows names, and ids where there is none', async () => {
  const made = bench()
  const chain = made.chain({ prometheus: { prefer_name: true } })
  await made.run(chain, proxied())
  const bare = proxied()
  bare.route = { ...route, id: '8', name: undefined, serviceName: undefined }
  await made.run(chain, bare)
  assert.deepEqual(Object.keys(seriesOf(made, 'http_status')), [
    '200 shop /* shop.test store  10.0.0.1 traditional_http   upstream',
    '200 8 /* shop.test 3  10.0.0.1 traditional_http   upstream',
  ])
  made.close()
})

test('labels of plugin_attr show variables; one that is taken is left out and told', async () => {
  const metrics = {
    http_status: { extra_labels: [{ tenant: '$http_x_tenant' }, { code: '$status' }] },
    http_latency: { extra_labels: [{ tenant: '$http_x_tenant' }], buckets: [10, 100] },
    bandwidth: { extra_labels: [{ verb: '$request_method' }] },
  }
  const made = bench({ attributes: { metrics, default_buckets: [5] } })
  const chain = made.chain({ prometheus: {} })
  await made.run(chain, proxied('n', { 'x-tenant': 'a' }))
  await made.run(chain, proxied('n', { 'x-tenant': 'b' }))
  await made.run(chain, proxied('n'))
  assert.deepEqual(Object.values(seriesOf(made, 'http_status')), [1, 1, 1])
  assert.ok('200 7 /* shop.test 3  n traditional_http   upstream a' in seriesOf(made, 'http_status'))
  assert.equal(seriesOf(made, 'http_latency')['request 7 3  n traditional_http   b'], 1)
  assert.ok('egress 7 3  n traditional_http   GET' in seriesOf(made, 'bandwidth'))
  const latency = made.metrics.snapshot().find(({ name }) => name === 'http_latency')
  assert.deepEqual(latency?.buckets, [10, 100])
  assert.deepEqual(made.logged, ['prometheus: an extra label that is none, or is there already, is left out'])
  made.close()
})

test('buckets that do not ascend are told, and the usual ones are used', () => {
  const made = bench({ attributes: { default_buckets: [5, 5] } })
  made.chain({ prometheus: {} }).log?.[0]?.(proxied())
  const latency = made.metrics.snapshot().find(({ name }) => name === 'http_latency')
  assert.equal(latency?.buckets.length, 15)
  assert.equal(made.logged.length, 1)
  made.close()
})

test('labels that metadata switches off are empty from the next request on', async () => {
  const metadata: Record<string, JsonObject> = {}
  const made = new PluginBench([prometheus], { metadata })
  const chain = made.chain({ prometheus: {} })
  await made.run(chain, proxied())
  metadata['prometheus'] = { disabled_labels: { http_status: ['node', 'matched_uri'], bandwidth: ['route'] } }
  await made.run(chain, proxied())
  assert.deepEqual(Object.keys(seriesOf(made, 'http_status')), [
    '200 7 /* shop.test 3  10.0.0.1 traditional_http   upstream',
    '200 7  shop.test 3   traditional_http   upstream',
  ])
  assert.ok('egress  3  10.0.0.1 traditional_http  ' in seriesOf(made, 'bandwidth'))
  made.close()
})

test('a series that was dropped for standing still is there again with the next request', async () => {
  const made = bench({ attributes: { metrics: { http_status: { expire: 0.001 } } } })
  const chain = made.chain({ prometheus: {} })
  await made.run(chain, proxied())
  const size = () => made.metrics.snapshot().find(({ name }) => name === 'http_status')?.values.length ?? 0
  assert.equal(size(), 1)
  const deadline = performance.now() + 5000
  while (size() > 0 && performance.now() < deadline);
  assert.equal(size(), 0)
  await made.run(chain, proxied())
  assert.deepEqual(Object.values(seriesOf(made, 'http_status')), [1])
  made.close()
})
