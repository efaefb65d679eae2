/**
 * 1,000 WebSocket connections through the gateway at once, all busy: every message comes back unchanged and in order.
 * `SLUICE_TEST_WEBSOCKET_MESSAGES` sets how many messages that are in all (default 50,000).
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { WebSocketServer } from 'ws'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { until } from '../support/until.ts'
import { closingCodes, runCrowd, serveEcho } from '../support/websocket-crowd.ts'

const connections = 1000
const messages = Math.ceil(Number(process.env['SLUICE_TEST_WEBSOCKET_MESSAGES'] ?? 50_000) / connections)
const total = messages * connections

describe('WebSocket connections in numbers', { timeout: 120_000 + total }, () => {
  let gateway: TestGateway
  const http = createServer()
  const echo = new WebSocketServer({ server: http, perMessageDeflate: false })
  /** By code and reason, as the server was told them. */
  const closed: Record<string, number> = {}

  before(async () => {
    serveEcho(echo)
    echo.on('connection', (socket) => {
      socket.on('close', (code, reason) => {
        closed[`${code} ${reason}`] = (closed[`${code} ${reason}`] ?? 0) + 1
      })
    })
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const node = `127.0.0.1:${(http.address() as AddressInfo).port}`
    gateway = await startTestGateway({
      workers: 2,
      resources: { '/routes/echo': { uri: '/*', enable_websocket: true, upstream: { nodes: { [node]: 1 } } } },
    })
    const everywhere = async (): Promise<boolean> => {
      const { workers, config } = await gateway.status()
      return workers.every(({ revision }) => revision === config.revision)
    }
    await until(everywhere, { what: 'the route at every worker' })
  })
  after(async () => {
    for (const socket of echo.clients) socket.terminate()
    await gateway?.stop()
    await new Promise((resolve) => http.close(resolve))
  })

  test(`${total} messages over ${connections} connections come back unchanged and in order`, async (t) => {
    const { accepted } = (await gateway.status()).connections
    const outcome = await runCrowd({ port: gateway.port('http'), connections, messages })
    const { wrong, echoed, bytes, openSeconds, echoSeconds } = outcome
    assert.deepEqual(wrong, [])
    assert.equal(echoed, total)
    const mib = (bytes / 2 ** 20).toFixed(0)
    t.diagnostic(`open after ${openSeconds.toFixed(1)} s; ${mib} MiB each way in ${echoSeconds.toFixed(1)} s`)
    const half = connections / 2
    assert.deepEqual(outcome.closed, { [closingCodes.client]: half, [closingCodes.server]: half })
    await until(() => echo.clients.size === 0, { what: 'the end of the connections at the server' })
    assert.deepEqual(closed, { [`${closingCodes.client} enough`]: half, [`${closingCodes.server} enough`]: half })
    const now = (await gateway.status()).connections
    assert.ok(now.accepted >= accepted + connections, `${now.accepted - accepted} connections accepted`)
  })

  test('nothing of them is left: no connection, and a line for each in the log', async () => {
    const active = async (): Promise<number> => (await gateway.status()).connections.active
    await until(async () => (await active()) === 0, { what: 'the end of the connections at the gateway' })
    const lines = async (): Promise<number> =>
      (await gateway.file('logs/access.log')).split('\n').filter((line) => line.includes(' 101 ')).length
    await until(async () => (await lines()) >= connections, { what: 'the lines of the connections' })
    assert.equal(await lines(), connections)
  })
})
