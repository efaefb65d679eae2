/** $body_bytes_sent, as the access log has it: what left, not what there would have been. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { type HttpBackend, httpBackend } from '../support/http-backend.ts'
import { until } from '../support/until.ts'

let backend: HttpBackend
let gateway: TestGateway

before(async () => {
  // A body whatever the status: Node's server leaves it out where there can be none, the plugin below puts one there.
  backend = await httpBackend({
    answer: ({ url }, response) =>
      response.writeHead(Number(url.split('?')[0]?.slice('/status/'.length))).end('ten bytes\n'),
  })
  gateway = await startTestGateway({
    config: {
      nginx_config: {
        http: { access_log_format: '$arg_as $status $body_bytes_sent', access_log_buffer: 1 },
      },
    },
    resources: {
      '/routes/status': {
        uri: '/status/*',
        upstream: { nodes: { [backend.node]: 1 }, type: 'roundrobin' },
        plugins: { 'response-rewrite': { body: 'another body\n' } },
      },
      '/routes/asked': {
        uri: '/asked',
        upstream: { nodes: { [backend.node]: 1 }, type: 'roundrobin' },
        plugins: { 'proxy-rewrite': { uri: '/status/200', method: 'GET' } },
      },
      '/routes/mocked': { uri: '/mocked', plugins: { mocking: { response_example: 'an example' } } },
      '/routes/plain': {
        uri: '/plain/*',
        upstream: { nodes: { [backend.node]: 1 }, type: 'roundrobin' },
        plugins: { 'proxy-rewrite': { uri: '/status/200' } },
      },
    },
  })
  await until(async () => (await gateway.ask('http', '/status/200')).status === 200, { what: 'the routes' })
})
after(async () => {
  await gateway?.stop()
  await backend?.stop()
})

for (const [method, path, status, bytes] of [
  ['GET', '/status/201', 201, 13],
  ['HEAD', '/status/202', 202, 0],
  ['GET', '/status/204', 204, 0],
  ['GET', '/status/304', 304, 0],
  ['GET', '/plain/a', 200, 10],
  ['HEAD', '/plain/a', 200, 0],
  ['HEAD', '/asked', 200, 0],
  ['HEAD', '/mocked', 200, 0],
  ['HEAD', '/nowhere', 404, 0],
] as const) {
  test(`${method} ${path}, answered with ${status}, has ${bytes} bytes of body in the log`, async () => {
    assert.equal((await gateway.ask('http', `${path}?as=${method}${path}`, { method })).status, status)
    const line = await until(
      async () =>
        (await gateway.file('logs/access.log')).split('\n').find((one) => one.startsWith(`${method}${path} `)),
      { what: 'the line' },
    )
    assert.equal(line, `${method}${path} ${status} ${bytes}`)
  })
}
