/** What clients get, and logs say, when endpoints or clients misbehave: nonsense, silence, early ends, stale connections. */
import assert from 'node:assert/strict'
import net from 'node:net'
import { after, before, describe, test } from 'node:test'
import { customServer } from '../support/backends.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { httpBackend } from '../support/http-backend.ts'
import { HttpClient } from '../support/http-client.ts'
import { resourcesOf } from '../support/resources.ts'
import { until } from '../support/until.ts'

describe('failures of HTTP', { timeout: 120_000 }, () => {
  let gateway: TestGateway
  const { put } = resourcesOf(() => gateway)

  before(async () => {
    gateway = await startTestGateway()
  })
  after(() => gateway?.stop())

  const route = (path: string, nodes: Record<string, number>, more: object = {}, upstream: object = {}) =>
    put(`/routes${path}`, { uri: path, ...more, upstream: { nodes, ...upstream } })
  const accessLine = async (path: string): Promise<string> => {
    const line = async () => (await gateway.file('logs/access.log')).split('\n').find((one) => one.includes(path))
    await until(async () => (await line()) !== undefined, { what: `a line of ${path}`, ms: 10_000 })
    return (await line()) ?? ''
  }

  for (const [what, answer] of [
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ['length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a folded field', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n'],
    ['a status that is none', 'HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n'],
  ] as const) {
    test(`an endpoint that answers ${what} is 502, and the log says why`, async () => {
      const server = await customServer((socket) => socket.once('data', () => socket.end(answer)))
      const path = `/nonsense-${what.replaceAll(' ', '-')}`
      await route(path, { [server.node]: 1 })
      const reply = await gateway.ask('http', path)
      assert.equal(reply.status, 502)
      assert.match(String(reply.body), /502 Bad Gateway/)
      const line = new RegExp(`"code":"bad_response".*${path}|${path}.*"code":"bad_response"`)
      await until(async () => line.test(await gateway.log()), { what: `a line of ${path}` })
      await server.stop()
    })
  }

  test('an answer that breaks off half way breaks off for the client as well', async () => {
    const server = await customServer((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')),
    )
    await route('/half', { [server.node]: 1 })
    using client = await HttpClient.connect(gateway.port('http'))
    client.send('GET /half HTTP/1.1\r\nHost: a.test\r\n\r\n')
    await assert.rejects(client.answer(), /the connection ended/)
    await server.stop()
  })

  test('an endpoint that stays silent is 504 after the read timeout', async () => {
    const server = await customServer(() => {})
    await route('/silent', { [server.node]: 1 }, { timeout: { connect: 1, send: 1, read: 0.3 } })
    assert.equal((await gateway.ask('http', '/silent')).status, 504)
    await server.stop()
  })

  test('a client that resets its connection at once reaches no endpoint without its address', async () => {
    await using backend = await httpBackend()
    await route('/reset', { [backend.node]: 1 })
    const reset = (): Promise<void> =>
      new Promise((resolve) => {
        const socket = net.connect(gateway.port('http'), '127.0.0.1', () =>
          socket.write('GET /reset HTTP/1.1\r\nHost: a.test\r\n\r\n', () => socket.resetAndDestroy()),
        )
        socket.on('error', () => {})
        socket.on('close', () => resolve())
      })
    for (let count = 0; count < 300; count += 1) await reset()
    assert.equal((await gateway.ask('http', '/reset')).status, 200)
    const addresses = new Set(backend.requests.map(({ headers }) => headers['x-real-ip']))
    assert.deepEqual([...addresses], ['127.0.0.1'])
  })

  test('a client that leaves is 499 in the log, and its request upstream is given up', async () => {
    let ended = false
    const server = await customServer((socket) => {
      socket.resume()
      socket.on('close', () => {
        ended = true
      })
    })
    await route('/leaving', { [server.node]: 1 })
    const client = await HttpClient.connect(gateway.port('http'))
    client.send('GET /leaving HTTP/1.1\r\nHost: a.test\r\n\r\n')
    await until(() => server.count() === 1, { what: 'the request at the endpoint' })
    client.close()
    await until(() => ended, { what: 'the end of the connection upstream' })
    assert.match(await accessLine('/leaving'), / 499 /)
    await server.stop()
  })

  test('a refused connection is followed by the next endpoint, and the client notices nothing', async () => {
    const live = await httpBackend({ name: 'live' })
    await route('/retry', { '127.0.0.1:1': 1, '127.0.0.1:2': 1, [live.node]: 1 })
    for (let round = 0; round < 6; round++) assert.equal((await gateway.ask('http', '/retry')).body, 'live\n')
    await live.stop()
  })

  test('a request that may be repeated goes to the next endpoint when the first breaks off, another is 502', async () => {
    const cut = await customServer((socket) => socket.once('data', () => socket.destroy()))
    const live = await httpBackend({ name: 'live' })
    await route('/cut', { [cut.node]: 1, [live.node]: 1 })
    const statuses = new Set<number>()
    for (let round = 0; round < 6; round++) {
      assert.equal((await gateway.ask('http', '/cut')).body, 'live\n')
    }
    for (let round = 0; round < 6; round++) {
      statuses.add((await gateway.ask('http', '/cut', { method: 'POST', body: 'once' })).status)
    }
    assert.deepEqual([...statuses].sort(), [200, 502])
    await Promise.all([cut.stop(), live.stop()])
  })

  test('connections that the endpoint closed between two requests cost no request', async () => {
    let served = 0
    // Answers once on each connection, and closes it a moment later without having said so.
    const server = await customServer((socket) =>
      socket.once('data', () => {
        served++
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', () => setImmediate(() => socket.end()))
      }),
    )
    await route('/stale', { [server.node]: 1 })
    for (let round = 0; round < 200; round++) assert.equal((await gateway.ask('http', '/stale')).body, 'ok')
    assert.equal(served, 200)
    await server.stop()
  })

  test('an upstream that is not there is 502, a route without one 503, both with their pages', async () => {
    await put('/upstreams/gone', { nodes: { '127.0.0.1:1': 1 } })
    await put('/routes/none', { uri: '/none', plugins: { 'request-id': {} } })
    const none = await gateway.ask('http', '/none')
    assert.equal(none.status, 503)
    assert.match(String(none.body), /503 Service Temporarily Unavailable/)
    await put('/routes/empty', { uri: '/empty', upstream: { nodes: [] } })
    assert.equal((await gateway.ask('http', '/empty')).status, 503)
  })

  test('the status of a failing endpoint is shown in a field of the answer', async () => {
    const failing = await httpBackend({ answer: (_seen, response) => response.writeHead(503).end('busy') })
    await route('/failing', { [failing.node]: 1 })
    const reply = await gateway.ask('http', '/failing')
    assert.deepEqual([reply.status, reply.headers['x-apisix-upstream-status']], [503, '503'])
    await failing.stop()
  })
})
