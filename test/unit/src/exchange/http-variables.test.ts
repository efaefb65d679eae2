/** Variables of HTTP exchanges: by request, by answer, by what was tried upstream. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../../../../src/errors.ts'
import type { Attempt } from '../../../../src/exchange/exchange.ts'
import { HeaderList } from '../../../../src/exchange/header-list.ts'
import type { HttpSession } from '../../../../src/exchange/http-session.ts'
import { endpointOf } from '../../../support/endpoints.ts'
import { httpExchange, responseHead, type TestRequest } from '../../../support/http-exchange.ts'
import { httpRouteOf } from '../../../support/http-routes.ts'

const tls = {
  serverName: 'a.test',
  alpn: 'http/1.1',
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_128_GCM_SHA256',
  resumed: false,
  peer: { subject: 'CN=client', serial: '0A', fingerprint: 'ab12' },
}
const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`
const latin1 = (text: string): string => Buffer.from(text).toString('latin1')

const requests: readonly (readonly [asked: TestRequest, values: Readonly<Record<string, string | undefined>>])[] = [
  [
    {
      target: '/a%20b//c/../d?x=1&y=%41',
      host: 'Some.Test:9080',
      method: 'POST',
      remoteAddress: '192.0.2.1',
      remotePort: 77,
    },
    {
      uri: '/a b/d',
      document_uri: '/a b/d',
      request_uri: '/a b/d?x=1&y=%41',
      real_request_uri: '/a%20b//c/../d?x=1&y=%41',
      args: 'x=1&y=%41',
      query_string: 'x=1&y=%41',
      is_args: '?',
      method: 'POST',
      request_method: 'POST',
      request_line: 'POST /a%20b//c/../d?x=1&y=%41 HTTP/1.1',
      request: 'POST /a%20b//c/../d?x=1&y=%41 HTTP/1.1',
      scheme: 'http',
      https: '',
      host: 'some.test',
      http_host: 'Some.Test:9080',
      server_name: '_',
      server_addr: '127.0.0.1',
      server_port: '9080',
      server_protocol: 'HTTP/1.1',
      remote_addr: '192.0.2.1',
      remote_port: '77',
      realip_remote_addr: '192.0.2.1',
      realip_remote_port: '77',
      proxy_add_x_forwarded_for: '192.0.2.1',
      connection_requests: '1',
      ssl_protocol: undefined,
      ssl_client_verify: undefined,
      no_such_variable: undefined,
      constructor: undefined,
    },
  ],
  [
    { target: '/?', version: 10, host: '' },
    {
      args: undefined,
      is_args: '',
      request_uri: '/',
      server_protocol: 'HTTP/1.0',
      host: undefined,
      http_host: undefined,
    },
  ],
  [
    { version: 20, host: '[::1]:443' },
    { server_protocol: 'HTTP/2.0', host: '[::1]', http_host: '[::1]:443' },
  ],
  [
    { tls },
    {
      scheme: 'https',
      https: 'on',
      ssl_server_name: 'a.test',
      ssl_protocol: 'TLSv1.3',
      ssl_cipher: 'TLS_AES_128_GCM_SHA256',
      ssl_client_s_dn: 'CN=client',
      ssl_client_serial: '0A',
      ssl_client_fingerprint: 'ab12',
      ssl_client_verify: 'SUCCESS',
      ssl_session_reused: '.',
    },
  ],
  [{ tls: { ...tls, peer: undefined } }, { ssl_client_verify: 'NONE', ssl_client_s_dn: undefined }],
  [
    {
      headers: [
        ['X-Plain', 'a'],
        ['x-PLAIN', 'b'],
        ['X_Under', 'c'],
        ['Cookie', 'a=1; B=2'],
        ['Cookie', 'a=3'],
        ['X-Forwarded-For', '198.51.100.1'],
        ['Content-Type', 'text/plain'],
        ['Authorization', basic('jack:a:b')],
      ],
    },
    {
      http_x_plain: 'a, b',
      http_x_under: 'c',
      http_x: undefined,
      http_cookie: 'a=1; B=2; a=3',
      cookie_a: '3',
      cookie_B: '2',
      cookie_b: undefined,
      proxy_add_x_forwarded_for: '198.51.100.1, 127.0.0.1',
      content_type: 'text/plain',
      content_length: undefined,
      remote_user: 'jack',
    },
  ],
  [{ headers: { Authorization: 'Bearer x' } }, { remote_user: undefined }],
  [{ headers: { Authorization: basic(':x') } }, { remote_user: undefined }],
  [
    { method: 'POST', body: 'seven b' },
    { content_length: '7', request_length: '0' },
  ],
  [{ method: 'POST', body: 'seven b', chunked: true }, { content_length: undefined }],
  [
    { target: '/?a=1&a=2&b=x+y%2Bz&flag&empty=&%C3%B6=1&A=3' },
    { arg_a: '1', arg_b: 'x y+z', arg_flag: 'true', arg_empty: '', arg_ö: '1', arg_A: '3', arg_none: undefined },
  ],
]
for (const [asked, values] of requests) {
  for (const [name, value] of Object.entries(values)) {
    test(`${name} of ${JSON.stringify(asked).slice(0, 100)} is ${JSON.stringify(value)}`, () => {
      assert.equal(httpExchange(asked).variable(name), value)
    })
  }
}

test('an argument without a value is true to expressions, and "true" as text', () => {
  const exchange = httpExchange({ target: '/?flag' })
  assert.equal(exchange.value('arg_flag'), true)
  assert.equal(exchange.variable('arg_flag'), 'true')
})

test('fields are compared as the text that their bytes stand for, and passed on as they came', () => {
  const exchange = httpExchange({ headers: { 'X-Name': latin1('größe'), 'X-Raw': '\xf6', Cookie: latin1('a=中') } })
  assert.equal(exchange.value('http_x_name'), 'größe')
  assert.equal(exchange.variable('http_x_name'), latin1('größe'))
  assert.equal(exchange.value('http_x_raw'), '\xf6')
  assert.equal(exchange.value('cookie_a'), '中')
})

test('what a plugin sets hides the built-in variable, undefined too', () => {
  const exchange = httpExchange({ target: '/a' })
  exchange.setVariable('uri', '/b')
  exchange.setVariable('host', undefined)
  assert.equal(exchange.variable('uri'), '/b')
  assert.equal(exchange.value('uri'), '/b')
  assert.equal(exchange.variable('host'), undefined)
})

test('a request has one id, of 32 hexadecimal digits, and no other has it', () => {
  const ids = Array.from({ length: 1000 }, () => {
    const exchange = httpExchange()
    assert.equal(exchange.variable('apisix_request_id'), exchange.variable('request_id'))
    return exchange.variable('request_id') as string
  })
  assert.equal(new Set(ids).size, ids.length)
  for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/)
})

test('requests of one connection have its number', () => {
  const exchange = httpExchange()
  assert.match(exchange.variable('connection') ?? '', /^[0-9]+$/)
  assert.equal(exchange.variable('connection'), exchange.variable('connection'))
  assert.notEqual(httpExchange().variable('connection'), exchange.variable('connection'))
})

test('the time of day and how long it has lasted', () => {
  const exchange = httpExchange()
  assert.match(exchange.variable('time_local') ?? '', /^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}$/)
  assert.match(exchange.variable('time_iso8601') ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$/)
  assert.match(exchange.variable('msec') ?? '', /^\d{10}\.\d{3}$/)
  assert.match(exchange.variable('request_time') ?? '', /^\d+\.\d{3}$/)
  exchange.endedAt = exchange.startedAt + 1234.4
  assert.equal(exchange.variable('request_time'), '1.234')
})

test('a method that a plugin changes is the new one, but in the request line', () => {
  const exchange = httpExchange({ method: 'GET' })
  exchange.request.method = 'PUT'
  assert.equal(exchange.variable('request_method'), 'PUT')
  assert.equal(exchange.variable('request_line'), 'GET / HTTP/1.1')
})

test('arguments that a plugin changes are the new ones, but in the request as it came', () => {
  const exchange = httpExchange({ target: '/?a=1' })
  exchange.request.query = 'a=2'
  assert.equal(exchange.variable('arg_a'), '2')
  assert.equal(exchange.variable('args'), 'a=2')
  assert.equal(exchange.variable('request_uri'), '/?a=1')
})

test('what is known once a route matched and a caller is known', () => {
  const exchange = httpExchange()
  assert.equal(exchange.variable('uri_param_id'), undefined)
  const route = { ...httpRouteOf('7', 0), name: 'r', serviceId: '3', serviceName: 's' }
  exchange.route = route
  exchange.params = Object.assign(Object.create(null), { id: '42', ':ext': 'x/y' })
  exchange.matchedUri = '/user/:id'
  exchange.matchedHost = '*.test'
  exchange.consumer = { username: 'jack', groupId: 'g', credentialId: undefined, labels: {} }
  const values = { route_id: '7', route_name: 'r', service_id: '3', service_name: 's', uri_param_id: '42' }
  const more = { 'uri_param_:ext': 'x/y', uri_param_constructor: undefined, matched_uri: '/user/:id' }
  const last = { matched_host: '*.test', consumer_name: 'jack', consumer_group_id: 'g' }
  for (const [name, value] of Object.entries({ ...values, ...more, ...last }))
    assert.equal(exchange.variable(name), value, name)
})

test('the answer', () => {
  const exchange = httpExchange()
  for (const name of ['status', 'sent_http_x_a', 'upstream_http_x_a', 'upstream_trailer_t']) {
    assert.equal(exchange.variable(name), undefined, name)
  }
  exchange.response = responseHead(201, { 'X-A': '1', Server: 'x' })
  exchange.headBytesSent = 100
  exchange.bodyBytesSent = 23
  exchange.upstreamTrailers = HeaderList.of({ T: '9' })
  const values = { status: '201', sent_http_x_a: '1', upstream_http_x_a: '1', upstream_http_server: 'x' }
  const more = { bytes_sent: '123', body_bytes_sent: '23', upstream_trailer_t: '9' }
  for (const [name, value] of Object.entries({ ...values, ...more })) assert.equal(exchange.variable(name), value, name)
  exchange.upstreamHeaders = exchange.response.headers.copy()
  exchange.response.headers.set('X-A', '2')
  assert.equal(exchange.variable('sent_http_x_a'), '2')
  assert.equal(exchange.variable('upstream_http_x_a'), '1')
})

test('of an answer of the gateway itself no field came from upstream', () => {
  const exchange = httpExchange()
  exchange.response = responseHead(404, { 'X-A': '1' }, false)
  assert.equal(exchange.variable('upstream_http_x_a'), undefined)
  assert.equal(exchange.variable('sent_http_x_a'), '1')
})

function tried(exchange: HttpSession, at: number, attempt: Partial<Attempt> & { readonly id: string }): void {
  const { id, ...rest } = attempt
  const startedAt = exchange.startedAt + at
  exchange.attempts.push({
    endpoint: { ...endpointOf(id), domain: 'node.test' },
    startedAt,
    connectedAt: 0,
    reused: false,
    sent: false,
    error: undefined,
    ...rest,
  })
}

test('before anything was tried upstream there is nothing to tell of it', () => {
  const exchange = httpExchange()
  const names = [
    'addr',
    'status',
    'response_time',
    'connect_time',
    'header_time',
    'bytes_sent',
    'bytes_received',
    'uri',
  ]
  for (const name of [...names, 'scheme', 'host']) assert.equal(exchange.variable(`upstream_${name}`), undefined, name)
  assert.equal(exchange.variable('balancer_ip'), undefined)
})

test('one try upstream', () => {
  const exchange = httpExchange()
  tried(exchange, 10, { id: '10.0.0.1:80', connectedAt: exchange.startedAt + 15 })
  Object.assign(exchange, {
    upstreamHeadAt: exchange.startedAt + 40,
    upstreamEndedAt: exchange.startedAt + 110,
    upstreamBytesSent: 5,
    upstreamBytesReceived: 6,
    sentScheme: 'http',
    sentHost: 'node.test',
    sentUri: '/x?y',
  })
  exchange.upstreamStatuses.push(200)
  const values = {
    upstream_addr: '10.0.0.1:80',
    upstream_status: '200',
    upstream_response_time: '0.100',
    apisix_upstream_response_time: '0.100',
    upstream_connect_time: '0.005',
    upstream_header_time: '0.030',
    upstream_bytes_sent: '5',
    upstream_bytes_received: '6',
    upstream_scheme: 'http',
    upstream_host: 'node.test',
    upstream_uri: '/x?y',
    upstream_unresolved_host: 'node.test',
    balancer_ip: '10.0.0.1',
    balancer_port: '80',
  }
  for (const [name, value] of Object.entries(values)) assert.equal(exchange.variable(name), value, name)
})

test('several tries are listed, with a hyphen for what was never reached', () => {
  const exchange = httpExchange()
  tried(exchange, 0, { id: '10.0.0.1:80', error: new GatewayError('connect_refused') })
  tried(exchange, 5, { id: '10.0.0.2:80', error: new GatewayError('connect_timeout') })
  tried(exchange, 65, { id: '10.0.0.3:80', connectedAt: exchange.startedAt + 66 })
  exchange.upstreamStatuses.push(502, 504, 200)
  Object.assign(exchange, { upstreamHeadAt: exchange.startedAt + 75, upstreamEndedAt: exchange.startedAt + 85 })
  const values = {
    upstream_addr: '10.0.0.1:80, 10.0.0.2:80, 10.0.0.3:80',
    upstream_status: '502, 504, 200',
    upstream_response_time: '0.005, 0.060, 0.020',
    apisix_upstream_response_time: '0.020',
    upstream_connect_time: '-, -, 0.001',
    upstream_header_time: '-, -, 0.010',
    balancer_ip: '10.0.0.3',
  }
  for (const [name, value] of Object.entries(values)) assert.equal(exchange.variable(name), value, name)
  exchange.upstreamStatuses.length = 0
  assert.equal(exchange.variable('upstream_status'), '502, 504, -')
})

test('what plugins decide about the request upstream is told before it is sent', () => {
  const exchange = httpExchange()
  Object.assign(exchange.outgoing, { uri: '/new', host: 'h', scheme: 'https' })
  assert.deepEqual(
    ['uri', 'host', 'scheme'].map((name) => exchange.variable(`upstream_${name}`)),
    ['/new', 'h', 'https'],
  )
})
