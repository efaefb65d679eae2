/** Requests through a whole gateway: what endpoints see of them, what clients get back. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { type HttpBackend, httpBackend } from '../support/http-backend.ts'
import { HttpClient } from '../support/http-client.ts'

describe('HTTP through the gateway', { timeout: 120_000 }, () => {
  let gateway: TestGateway
  let backend: HttpBackend

  before(async () => {
    backend = await httpBackend({ name: 'one' })
    gateway = await startTestGateway({
      resources: { '/routes/1': { uri: '/*', upstream: { nodes: { [backend.node]: 1 }, type: 'roundrobin' } } },
    })
  })
  after(async () => {
    await gateway?.stop()
    await backend?.stop()
  })

  test('a request is answered by the endpoint, with the gateway in the Server field', async () => {
    const reply = await gateway.ask('http', '/hello?a=1')
    assert.equal(reply.status, 200)
    assert.equal(reply.body, 'one\n')
    assert.equal(reply.headers['server'], 'APISIX/3.18.0')
    assert.equal(reply.headers['x-seen'], 'GET /hello?a=1 0')
    assert.ok(reply.headers['date'])
  })

  test('the endpoint is told who asked, and where', async () => {
    await gateway.ask('http', '/who', { headers: { 'x-forwarded-for': '10.0.0.1', 'x-forwarded-proto': 'https' } })
    const seen = backend.requests.at(-1)
    const port = gateway.port('http')
    assert.equal(seen?.headers['host'], `127.0.0.1:${port}`)
    assert.equal(seen?.headers['x-real-ip'], '127.0.0.1')
    assert.equal(seen?.headers['x-forwarded-for'], '10.0.0.1, 127.0.0.1')
    assert.equal(seen?.headers['x-forwarded-proto'], 'http')
    assert.equal(seen?.headers['x-forwarded-host'], `127.0.0.1:${port}`)
    assert.equal(seen?.headers['x-forwarded-port'], String(port))
  })

  test('a trusted peer may name the client, whom endpoints and variables then take for it', async () => {
    await gateway.ask('http', '/told', { headers: { 'x-real-ip': '10.9.8.7' } })
    const seen = backend.requests.at(-1)
    assert.equal(seen?.headers['x-real-ip'], '10.9.8.7')
    assert.equal(seen?.headers['x-forwarded-for'], '10.9.8.7')
    await gateway.ask('http', '/told', { headers: { 'x-real-ip': 'nonsense' } })
    assert.equal(backend.requests.at(-1)?.headers['x-real-ip'], '127.0.0.1')
  })

  test('a body arrives whole, and one connection carries many requests', async () => {
    const before = backend.connections()
    using client = await HttpClient.connect(gateway.port('http'))
    for (let round = 0; round < 20; round++) {
      const body = 'x'.repeat(round * 1000)
      client.send(`POST /b${round} HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
      const answer = await client.answer()
      assert.equal(answer.status, 200)
      assert.equal(answer.headers['x-seen'], `POST /b${round} ${body.length}`)
    }
    assert.ok(backend.connections() - before <= 1, 'the connection to the endpoint is kept')
  })

  test('no route is 404 as in APISIX', async () => {
    await gateway.admin('PUT', '/routes/1', { uri: '/only', upstream: { nodes: { [backend.node]: 1 } } })
    const reply = await gateway.ask('http', '/other')
    assert.equal(reply.status, 404)
    assert.equal(reply.headers['content-type'], 'text/plain; charset=utf-8')
    assert.equal(reply.body, '{"error_msg":"404 Route Not Found"}\n')
    await gateway.admin('PUT', '/routes/1', { uri: '/*', upstream: { nodes: { [backend.node]: 1 } } })
  })

  test('an endpoint that does not listen is 502, one that stays silent 504', async () => {
    await gateway.admin('PUT', '/routes/dead', { uri: '/dead', upstream: { nodes: { '127.0.0.1:1': 1 } } })
    const dead = await gateway.ask('http', '/dead')
    assert.equal(dead.status, 502)
    assert.match(String(dead.body), /502 Bad Gateway/)
    const silent = await httpBackend({ answer: () => {} })
    await gateway.admin('PUT', '/routes/silent', {
      uri: '/silent',
      timeout: { connect: 1, send: 1, read: 0.2 },
      upstream: { nodes: { [silent.node]: 1 } },
    })
    const late = await gateway.ask('http', '/silent')
    assert.equal(late.status, 504)
    assert.match(String(late.body), /504 Gateway Time-out/)
    await silent.stop()
  })
})
