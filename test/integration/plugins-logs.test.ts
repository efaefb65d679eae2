/** Metrics and logs of requests in a whole gateway: what is counted, and what receivers get. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { type HttpBackend, httpBackend } from '../support/http-backend.ts'
import { resourcesOf } from '../support/resources.ts'
import { until } from '../support/until.ts'

let gateway: TestGateway
let backend: HttpBackend
const { put, remove } = resourcesOf(() => gateway)

before(async () => {
  backend = await httpBackend({ name: 'endpoint' })
  gateway = await startTestGateway({
    workers: 2,
    config: {
      plugin_attr: { prometheus: { metrics: { bandwidth: { extra_labels: [{ verb: '$request_method' }] } } } },
    },
  })
})
after(async () => {
  await gateway?.stop()
  await backend?.stop()
})

const upstream = () => ({ nodes: { [backend.node]: 1 }, type: 'roundrobin' })
const served = (path: string) =>
  until(async () => (await gateway.ask('http', path)).status === 200, { what: `${path} to be served` })

/** The value of one line of the exposition; undefined: there is none. */
async function metric(line: string): Promise<number | undefined> {
  const { body } = await gateway.ask('prometheus', '/apisix/prometheus/metrics')
  const found = String(body)
    .split('\n')
    .find((one) => one.startsWith(`${line} `))
  return found === undefined ? undefined : Number(found.slice(line.length + 1))
}

test('requests of a route are counted over all workers under the names and labels of APISIX', async () => {
  await put('/routes/counted', { uri: '/counted/*', name: 'shop', upstream: upstream(), plugins: { prometheus: {} } })
  await served('/counted/a')
  const rest = 'consumer="",node="127.0.0.1",request_type="traditional_http",request_llm_model="",llm_model=""'
  const place = 'route="counted",matched_uri="/counted/*",matched_host="",service=""'
  const status = `apisix_http_status{code="200",${place},${rest},response_source="upstream"}`
  const before = (await metric(status)) ?? 0
  for (let n = 0; n < 20; n++) await gateway.ask('http', '/counted/b')
  await until(async () => (await metric(status)) === before + 20, { what: '20 requests more' })
  const latency = `type="request",route="counted",service="",${rest}`
  assert.equal(await metric(`apisix_http_latency_count{${latency}}`), before + 20)
  assert.equal(await metric(`apisix_http_latency_bucket{${latency},le="60000"}`), before + 20)
  const egress = await metric(`apisix_bandwidth{type="egress",route="counted",service="",${rest},verb="GET"}`)
  assert.ok((egress ?? 0) > 100 * (before + 20), `${egress} bytes`)
  assert.ok(((await metric('apisix_http_requests_total')) ?? 0) >= before + 20)
  assert.ok(((await metric('apisix_nginx_http_current_connections{state="accepted"}')) ?? 0) > 0)
})

test('as a global rule it counts what no route matched, and steps aside where a route has it', async () => {
  await put('/global_rules/all', { plugins: { prometheus: {} } })
  const own = 'consumer="",node="",request_type="traditional_http",request_llm_model="",llm_model=""'
  const lost = `apisix_http_status{code="404",route="",matched_uri="",matched_host="",service="",${own},response_source="apisix"}`
  await until(
    async () => {
      await gateway.ask('http', '/nowhere')
      return ((await metric(lost)) ?? 0) > 0
    },
    { what: 'a request without a route to be counted' },
  )
  const named = (name: string): string =>
    `apisix_http_status{code="200",route="${name}",matched_uri="/twice",matched_host="",service="",${own.replace('node=""', 'node="127.0.0.1"')},response_source="upstream"}`
  await put('/routes/twice', {
    uri: '/twice',
    name: 'once',
    upstream: upstream(),
    plugins: { prometheus: { prefer_name: true } },
  })
  await served('/twice')
  await until(async () => ((await metric(named('once'))) ?? 0) > 0, { what: 'the name of the route' })
  assert.equal(await metric(named('twice')), undefined)
  await remove('/global_rules/all')
})
