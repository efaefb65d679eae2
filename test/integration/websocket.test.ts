/** WebSocket through the gateway: the handshake takes the road of any request, the bytes after it go through untouched. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { type RawData, WebSocket, WebSocketServer } from 'ws'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { HttpClient } from '../support/http-client.ts'
import { resourcesOf } from '../support/resources.ts'
import { until } from '../support/until.ts'

describe('WebSocket through the gateway', { timeout: 120_000 }, () => {
  let gateway: TestGateway
  const { put } = resourcesOf(() => gateway)
  const http = createServer((_request, response) => response.end('plain\n'))
  const echo = new WebSocketServer({ server: http, perMessageDeflate: true })
  let node: string

  before(async () => {
    echo.on('connection', (socket, request) => {
      if (request.url === '/hello') socket.send(`hello ${request.headers['x-forwarded-for']}`)
      socket.on('message', (data: RawData, isBinary) => socket.send(data, { binary: isBinary }))
    })
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    node = `127.0.0.1:${(http.address() as AddressInfo).port}`
    gateway = await startTestGateway()
    await put('/routes/ws', { uri: '/*', enable_websocket: true, upstream: { nodes: { [node]: 1 } } })
    await put('/routes/off', { uri: '/off', upstream: { nodes: { [node]: 1 } } })
  })
  after(async () => {
    for (const client of echo.clients) client.terminate()
    await gateway?.stop()
    await new Promise((resolve) => http.close(resolve))
  })

  const open = async (path: string): Promise<WebSocket> => {
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port('http')}${path}`)
    await once(socket, 'open')
    return socket
  }
  const next = async (socket: WebSocket): Promise<Buffer> => {
    const [data] = (await once(socket, 'message')) as [Buffer]
    return data
  }

  test('messages of every size come back, text and binary, and a message sent with the answer is not lost', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port('http')}/hello`)
    assert.equal((await next(socket)).toString(), 'hello 127.0.0.1')
    for (const size of [0, 1, 125, 126, 65_535, 65_536, 3_000_000]) {
      const sent = Buffer.alloc(size, size % 251)
      socket.send(sent)
      assert.ok((await next(socket)).equals(sent), `${size} bytes`)
    }
    socket.send('text äöü')
    assert.equal((await next(socket)).toString(), 'text äöü')
    socket.close(4001, 'enough')
    const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
    assert.deepEqual([code, reason.toString()], [4001, 'enough'])
  })

  test('fragments, pings and close codes pass through as they were sent', async () => {
    const socket = await open('/')
    const pong = once(socket, 'pong')
    socket.ping('are you there')
    const [answer] = (await pong) as [Buffer]
    assert.equal(answer.toString(), 'are you there')
    const whole = next(socket)
    socket.send('one ', { fin: false })
    socket.send('two ', { fin: false })
    socket.ping()
    socket.send('three', { fin: true })
    assert.equal((await whole).toString(), 'one two three')
    socket.close(1000)
    assert.equal(((await once(socket, 'close')) as [number])[0], 1000)
  })

  test('a route without enable_websocket passes the request on without its Upgrade', async () => {
    using client = await HttpClient.connect(gateway.port('http'))
    client.send(
      'GET /off HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
    const answer = await client.answer()
    assert.equal(answer.status, 200)
    assert.equal(answer.body.toString(), 'plain\n')
  })

  test('a connection on which nothing moves is closed after the read timeout', async () => {
    await put('/routes/idle', {
      uri: '/idle',
      enable_websocket: true,
      timeout: { connect: 5, send: 5, read: 0.5 },
      upstream: { nodes: { [node]: 1 } },
    })
    const socket = await open('/idle')
    const [code] = (await once(socket, 'close')) as [number]
    assert.equal(code, 1006)
  })

  test('the log tells the session as 101 with its bytes', async () => {
    const socket = await open('/logged')
    socket.send(randomBytes(1000))
    await next(socket)
    socket.close()
    await once(socket, 'close')
    const line = async () => (await gateway.file('logs/access.log')).split('\n').find((one) => one.includes('/logged'))
    await until(async () => (await line()) !== undefined, { what: 'the line of the session', ms: 10_000 })
    assert.match((await line()) ?? '', / 101 10\d\d /)
  })

  test('open connections are closed when the gateway stops', async () => {
    const socket = await open('/')
    const closed = once(socket, 'close')
    const restarted = gateway.restart()
    await closed
    await restarted
    await until(async () => (await open('/').then((one) => one.terminate())) === undefined, { what: 'a new start' })
  })
})
