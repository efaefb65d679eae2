/** Metrics and logs of requests in a whole gateway: what is counted, and what receivers get. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { renameSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { freePort } from '../support/free-port.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { type HttpBackend, httpBackend } from '../support/http-backend.ts'
import { resourcesOf } from '../support/resources.ts'
import { until } from '../support/until.ts'

let gateway: TestGateway
let backend: HttpBackend
let streamPort: number
const { put, remove } = resourcesOf(() => gateway)

before(async () => {
  backend = await httpBackend({ name: 'endpoint' })
  streamPort = await freePort()
  gateway = await startTestGateway({
    workers: 2,
    config: {
      stream_plugins: ['syslog', 'prometheus'],
      sluice: { stream_ports: [streamPort] },
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

type Entry = Record<string, unknown>

/** A server of TCP that keeps what it gets, by connection. */
async function collector(): Promise<{ port: number; texts: string[]; stop: () => Promise<void> }> {
  const texts: string[] = []
  const server = createServer((socket) => {
    let text = ''
    const at = texts.push(text) - 1
    socket.on('error', () => {})
    socket.on('data', (part) => {
      text += part.toString()
      texts[at] = text
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = async (): Promise<void> => {
    server.close()
    await once(server, 'close')
  }
  return { port: (server.address() as AddressInfo).port, texts, stop }
}

test('http-logger posts the default entry of a request, bodies included', async () => {
  await using receiver = await httpBackend({ name: 'receiver' })
  await put('/routes/posted', {
    uri: '/posted',
    methods: ['POST'],
    upstream: upstream(),
    plugins: {
      'http-logger': {
        uri: `http://${receiver.node}/logs?a=1`,
        auth_header: 'Basic Zm9v',
        batch_max_size: 1,
        include_req_body: true,
        include_resp_body: true,
        max_req_body_bytes: 5,
        log_format_extra: { tenant: '$http_x_tenant', client_ip: 'not this' },
      },
    },
  })
  const headers = { 'X-Tenant': 'blue', 'Content-Type': 'text/plain' }
  const ask = () => gateway.ask('http', '/posted?x=1&y&x=%41', { method: 'POST', headers, body: 'body of it' })
  await until(async () => (await ask()).status === 200, { what: 'the route' })
  await until(() => receiver.requests.length > 0, { what: 'an entry' })
  const [seen] = receiver.requests
  assert.deepEqual([seen?.method, seen?.url], ['POST', '/logs?a=1'])
  assert.deepEqual([seen?.headers['content-type'], seen?.headers.authorization], ['application/json', 'Basic Zm9v'])
  const entry = JSON.parse(String(seen?.body)) as Entry & { request: Entry; response: Entry; server: Entry }
  const { request, response } = entry
  assert.deepEqual(request['querystring'], { x: ['1', 'A'], y: true })
  assert.equal(request['uri'], '/posted?x=1&y&x=%41')
  assert.equal(request['url'], `http://127.0.0.1:${gateway.port('http')}/posted?x=1&y&x=%41`)
  assert.deepEqual([request['method'], request['body']], ['POST', 'body '])
  assert.equal((request['headers'] as Entry)['x-tenant'], 'blue')
  assert.deepEqual([response['status'], response['body']], [200, 'endpoint\n'])
  assert.ok((response['size'] as number) > 100 && (request['size'] as number) > 50)
  assert.deepEqual([entry['route_id'], entry['service_id'], entry['tenant']], ['posted', '', 'blue'])
  assert.deepEqual([entry['client_ip'], entry['upstream']], ['127.0.0.1', backend.node])
  assert.ok(Math.abs((entry['start_time'] as number) - Date.now()) < 60_000)
  assert.ok((entry['latency'] as number) >= (entry['upstream_latency'] as number))
})

test('entries are gathered, sent again when the receiver fails, and follow the format of the metadata', async () => {
  let failures = 1
  await using receiver = await httpBackend({
    answer: (_, response) => response.writeHead(failures-- > 0 ? 500 : 200).end(),
  })
  await put('/plugin_metadata/http-logger', { log_format: { path: '$uri', deep: { status: '$status' } } })
  await put('/routes/gathered', {
    uri: '/gathered',
    upstream: upstream(),
    plugins: {
      'http-logger': {
        uri: `http://${receiver.node}/`,
        concat_method: 'new_line',
        inactive_timeout: 1,
        max_retry_count: 2,
        retry_delay: 0,
      },
    },
  })
  await served('/gathered')
  for (let n = 0; n < 5; n++) await gateway.ask('http', '/gathered')
  const lines = () => receiver.requests.slice(1).flatMap(({ body }) => String(body).split('\n'))
  await until(() => lines().length >= 6, { what: 'six lines', ms: 10_000 })
  const entry = { path: '/gathered', deep: { status: '200' }, route_id: 'gathered' }
  assert.deepEqual(JSON.parse(lines()[0] as string), entry)
  assert.equal(receiver.requests[0]?.headers['content-type'], 'text/plain')
  assert.match(await gateway.log(), /Batch Processor\[http logger\] failed to process entries/)
  await remove('/plugin_metadata/http-logger')
})

test('tcp-logger, udp-logger and syslog reach their receivers', async (t) => {
  const [tcp, sys] = [await collector(), await collector()]
  const datagrams: string[] = []
  const udp = createSocket('udp4', (message) => datagrams.push(message.toString()))
  udp.bind(0, '127.0.0.1')
  await once(udp, 'listening')
  t.after(async () => {
    await remove('/routes/lines')
    udp.close()
    await Promise.all([tcp.stop(), sys.stop()])
  })
  const log_format = { path: '$uri' }
  const host = '127.0.0.1'
  await put('/routes/lines', {
    uri: '/lines',
    upstream: upstream(),
    plugins: {
      'tcp-logger': { host, port: tcp.port, batch_max_size: 1, log_format },
      'udp-logger': { host, port: udp.address().port, inactive_timeout: 1, log_format },
      syslog: { host, port: sys.port, batch_max_size: 1, log_format },
    },
  })
  await served('/lines')
  const line = '{"path":"/lines","route_id":"lines"}'
  await until(() => tcp.texts.includes(line), { what: 'a line by TCP' })
  await until(() => datagrams.includes(`[${line}]`), { what: 'a datagram', ms: 10_000 })
  await until(() => sys.texts.some((text) => text.endsWith('\n')), { what: 'a message of syslog' })
  assert.match(sys.texts[0] as string, /^<46>1 \d{4}-\d\d-\d\dT[\d:.]+Z \S+ apisix \d+ - - \{"path":"\/lines"/)
})

test('file-logger appends lines, and goes on in a new file when logs are opened anew', async () => {
  const file = path.join(gateway.home, 'logs/requests.log')
  await put('/routes/filed', {
    uri: '/filed',
    upstream: upstream(),
    plugins: {
      'file-logger': {
        path: 'logs/requests.log',
        log_format: { who: '$arg_who' },
        match: [[['arg_who', '~=', 'nobody']]],
      },
    },
  })
  await until(async () => (await gateway.ask('http', '/filed?who=nobody')).status === 200, { what: 'the route' })
  await gateway.ask('http', '/filed?who=ann')
  const line = (who: string): string => `{"who":"${who}","route_id":"filed"}\n`
  await until(async () => (await gateway.file('logs/requests.log')) === line('ann'), { what: 'the first line' })
  renameSync(file, `${file}.1`)
  process.kill(gateway.pid, 'SIGUSR1')
  await until(
    async () => {
      await gateway.ask('http', '/filed?who=bob')
      return (await gateway.file('logs/requests.log')).includes(line('bob'))
    },
    { what: 'a line in the new file' },
  )
})

test('a logger that is not configured right is refused with path and reason', async () => {
  const put = (plugins: object) => gateway.admin('PUT', '/routes/bad', { uri: '/bad', upstream: upstream(), plugins })
  const { status, body } = await put({ 'http-logger': {} })
  assert.equal(status, 400)
  assert.match(
    JSON.stringify(body),
    /failed to check the configuration of plugin http-logger err: property \\"uri\\" is required/,
  )
  const nested = await put({
    'udp-logger': { host: 'a', port: 1, log_format: { a: { b: { c: { d: { e: { f: 'g' } } } } } } },
  })
  assert.match(JSON.stringify(nested.body), /nested more than 5 levels deep/)
})

test('what waits to be sent is sent when the gateway stops', async () => {
  await using receiver = await httpBackend({ name: 'receiver' })
  await using own = await startTestGateway()
  await own.admin('PUT', '/routes/1', {
    uri: '/last',
    upstream: upstream(),
    plugins: { 'http-logger': { uri: `http://${receiver.node}/`, inactive_timeout: 60, log_format: { path: '$uri' } } },
  })
  await until(async () => (await own.ask('http', '/last')).status === 200, { what: 'the route' })
  assert.equal(receiver.requests.length, 0)
  await own.stop()
  assert.match(String(receiver.requests[0]?.body), /^\[\{"path":"\/last","route_id":"1"\}/)
})

test('sessions of streams go to syslog by their format, and are counted under the name of their route', async (t) => {
  const sys = await collector()
  const echo = createServer((socket) => socket.on('error', () => {}).pipe(socket))
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  t.after(async () => {
    await gateway.admin('DELETE', '/stream_routes/named')
    echo.close()
    await sys.stop()
  })
  const port = streamPort
  await put('/stream_routes/named', {
    name: 'telnet',
    server_port: port,
    upstream: { nodes: { [`127.0.0.1:${(echo.address() as AddressInfo).port}`]: 1 }, type: 'roundrobin' },
    plugins: {
      prometheus: { prefer_name: true },
      syslog: {
        host: '127.0.0.1',
        port: sys.port,
        batch_max_size: 1,
        log_format: { from: '$remote_addr', sent: '$bytes_sent' },
      },
    },
  })
  await until(
    async () => {
      const client = connect(port, '127.0.0.1').on('error', () => {})
      client.end('hello')
      client.resume()
      await new Promise((resolve) => client.on('close', resolve))
      return client.bytesRead === 5
    },
    { what: 'an echo' },
  )
  await until(() => sys.texts.some((text) => text.includes('{"from":"127.0.0.1","sent":"5"')), {
    what: 'a message of syslog',
  })
  await until(async () => ((await metric('apisix_stream_connection_total{route="telnet"}')) ?? 0) > 0, {
    what: 'the name',
  })
})
