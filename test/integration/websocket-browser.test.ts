/** A page in a real browser, served through the gateway, talks WebSocket through it, plain and in TLS, and tells what it saw. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { type RawData, WebSocketServer } from 'ws'
import { makeCa, makeCertificate } from '../support/certificates.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { browse, chromiumMissing } from '../support/servers/chromium.ts'
import { root } from '../support/source-tree.ts'
import { until } from '../support/until.ts'

const name = 'page.test'

describe('WebSocket from a browser', { timeout: 120_000, skip: chromiumMissing() }, () => {
  const page = readFileSync(path.join(root, 'test/fixtures/websocket-page.html'))
  const certificate = makeCertificate({ ca: makeCa(), names: [name] })
  let gateway: TestGateway
  let report: unknown
  /** What the server saw of a session: path, origin, scheme, and the code that it was closed with. */
  let sessions: string[] = []

  const answer = async (request: IncomingMessage): Promise<Buffer> => {
    if (request.url !== '/report') return page
    report = JSON.parse(await text(request))
    return Buffer.from('thank you')
  }
  const http = createServer((request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8')
    void answer(request).then((body) => response.end(body))
  })
  const server = new WebSocketServer({ server: http, perMessageDeflate: true, handleProtocols: () => 'first' })

  before(async () => {
    server.on('connection', (socket, request) => {
      socket.on('message', (data: RawData, isBinary) => socket.send(data, { binary: isBinary }))
      socket.on('close', (code, reason) => {
        const { origin, 'x-forwarded-proto': scheme } = request.headers
        sessions.push(`${request.url} from ${origin} by ${scheme}: ${code} ${reason}`)
      })
      if (request.url === '/closes') socket.close(4010, 'the server is done')
    })
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const node = `127.0.0.1:${(http.address() as AddressInfo).port}`
    gateway = await startTestGateway({
      resources: {
        '/ssls/page': { sni: name, ...certificate },
        '/routes/page': { uri: '/*', enable_websocket: true, upstream: { nodes: { [node]: 1 } } },
      },
    })
  })
  after(async () => {
    for (const socket of server.clients) socket.terminate()
    await gateway?.stop()
    await new Promise((resolve) => http.close(resolve))
  })

  for (const scheme of ['http', 'https'] as const) {
    test(`messages, subprotocol, compression and close codes of a page that came by ${scheme}`, async () => {
      const origin = `${scheme}://${name}:${gateway.port(scheme)}`
      ;[report, sessions] = [undefined, []]
      await using browser = browse(`${origin}/`, { name, trusts: certificate.cert })
      const reported = until(() => report, { ms: 30_000, what: 'the report of the page' })
      await reported.catch((error: Error) => assert.fail(`${error.message}; the browser said:\n${browser.output()}`))
      assert.deepEqual(report, {
        origin,
        protocol: 'first',
        extensions: 'permessage-deflate',
        echoed: [
          ...[0, 1, 7, 125, 126, 32_768, 1_048_576].map((size) => `text ${size}`),
          ...[0, 1, 125, 126, 65_535, 65_536, 1_048_576].map((size) => `binary ${size}`),
        ],
        closed: { code: 4321, reason: 'the page is done', wasClean: true },
        closedByServer: { code: 4010, reason: 'the server is done', wasClean: true },
      })
      await until(() => sessions.length === 2, { what: 'the end of both sessions at the server' })
      assert.deepEqual(sessions.sort(), [
        `/closes from ${origin} by ${scheme}: 4010 the server is done`,
        `/echo from ${origin} by ${scheme}: 4321 the page is done`,
      ])
    })
  }

  test('the browser leaves no process and no folder', async () => {
    const browser = browse(`http://${name}:${gateway.port('http')}/`, { name })
    await until(() => existsSync(browser.folder) && browser.processes().length > 2, { what: 'the browser' })
    await browser.stop()
    assert.deepEqual(browser.processes(), [])
    assert.equal(existsSync(browser.folder), false)
  })
})
