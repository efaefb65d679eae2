/** The plugins of limits in whole gateways: exact over four workers, over two gateways with one Redis, and refused when wrong. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { after, before, test } from 'node:test'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { type HttpBackend, httpBackend } from '../support/http-backend.ts'
import { resourcesOf } from '../support/resources.ts'
import { until } from '../support/until.ts'

let gateway: TestGateway
let backend: HttpBackend
const { put } = resourcesOf(() => gateway)
const nodes = () => ({ upstream: { nodes: { [backend.node]: 1 }, type: 'roundrobin' } })

before(async () => {
  backend = await httpBackend({ answer: (_, response) => void response.end('in') })
  gateway = await startTestGateway({ workers: 4 })
})
after(async () => {
  await gateway?.stop()
  await backend?.stop()
})

/** Sends `each` requests on each of so many connections, all at once and without waiting, and counts answers by status. */
async function flood(port: number, path: string, connections: number, each: number): Promise<Map<number, number>> {
  const counts = new Map<number, number>()
  const one = async (): Promise<void> => {
    const socket = net.connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const request = `GET ${path} HTTP/1.1\r\nHost: limits.test\r\n\r\n`
    let left = each
    let asked = 0
    let text = ''
    const ask = (): void => {
      const more = Math.min(50, each - asked)
      asked += more
      if (more > 0) socket.write(request.repeat(more))
    }
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part
      let end = 0
      for (const { 1: status, index } of text.matchAll(/HTTP\/1\.1 (\d{3}) [^\r]*\r\n[\s\S]*?\r\n\r\n/g)) {
        counts.set(Number(status), (counts.get(Number(status)) ?? 0) + 1)
        left -= 1
        end = index + 1
        if ((each - left) % 50 === 0) ask()
      }
      text = text.slice(end)
      if (left === 0) socket.destroy()
    })
    ask()
    await once(socket, 'close')
    assert.equal(left, 0, `${left} answers are missing`)
  }
  await Promise.all(Array.from({ length: connections }, one))
  return counts
}

async function serving(path: string, status = 200): Promise<void> {
  await until(async () => (await gateway.ask('http', path)).status === status, { what: `${path} in force` })
}

test('of 100000 requests at once over four workers exactly count pass', async () => {
  const limit = { count: 12_345, time_window: 3600, key: 'all', key_type: 'constant', rejected_code: 429 }
  await put('/routes/probe', { uri: '/probe', ...nodes() })
  await put('/routes/exact', { uri: '/exact', ...nodes(), plugins: { 'limit-count': limit } })
  await put('/routes/after', { uri: '/after', ...nodes() })
  // All four have the route when a later one answers on many connections.
  for (let round = 0; round < 8; round += 1) await serving('/after')
  const seen = backend.requests.filter(({ url }) => url === '/exact').length
  const counts = await flood(gateway.port('http'), '/exact', 100, 1000)
  assert.equal(counts.get(200), 12_345 - seen)
  assert.equal(counts.get(429), 100_000 - 12_345 + seen)
  assert.equal(backend.requests.filter(({ url }) => url === '/exact').length, 12_345)
})
