/** Changes by the Admin API while traffic runs: no connection fails and no session is cut, whatever is changed. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Backend, firstLine, namedServer } from '../support/backends.ts'
import { makeCa, makeCertificate } from '../support/certificates.ts'
import { freePort } from '../support/free-port.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { startTraffic } from '../support/traffic.ts'
import { until } from '../support/until.ts'

const changes = 1000
let gateway: TestGateway
let backends: readonly Backend[]
let plain: number
let served: number
let secure: number
let range: number
before(async () => {
  plain = await freePort()
  served = await freePort()
  secure = await freePort()
  range = await freePort()
  backends = await Promise.all(['a', 'b', 'c'].map((name) => namedServer(name)))
  gateway = await startTestGateway({
    workers: 2,
    config: {
      apisix: {
        stream_proxy: {
          tcp: [`127.0.0.1:${plain}`, `127.0.0.1:${served}`, { addr: `127.0.0.1:${secure}`, tls: true }],
        },
      },
      sluice: { stream_ports: [`${range}-${range}`] },
      nginx_config: { error_log_level: 'warn' },
    },
  })
})
after(async () => {
  await gateway.stop()
  await Promise.all(backends.map((backend) => backend.stop()))
})

async function call(method: string, path: string, body?: unknown): Promise<void> {
  const { status, body: answer } = await gateway.admin(method, path, body)
  assert.ok(status < 300, `${method} ${path}: ${status} ${JSON.stringify(answer)}`)
}

/** Some of the backends, never none, with weights that differ from turn to turn. */
function nodesOf(turn: number): Record<string, number> {
  const chosen = backends.filter((_, i) => ((turn % 7) + 1) & (1 << i))
  return Object.fromEntries(chosen.map(({ node }, i) => [node, 1 + ((turn + i) % 4)]))
}

test(`${changes} changes of every kind fail no connection and cut no session`, async () => {
  const ca = makeCa()
  const pairs = [0, 1].map(() => makeCertificate({ ca, names: ['live.test'] }))
  const ssl = (turn: number) => ({ cert: pairs[turn % 2]?.cert, key: pairs[turn % 2]?.key, snis: ['live.test'] })
  const types = ['roundrobin', 'least_conn', 'ewma']
  const upstream = (turn: number) => ({ type: types[turn % 3], nodes: nodesOf(turn) })
  const edits: readonly ((turn: number) => Promise<void>)[] = [
    (turn) => call('PUT', '/upstreams/shared', upstream(turn)),
    (turn) => call('PATCH', '/upstreams/shared', { nodes: nodesOf(turn) }),
    (turn) => call('PUT', '/stream_routes/plain', { server_port: plain, upstream_id: 'shared', desc: `turn ${turn}` }),
    (turn) => call('PUT', '/stream_routes/plain', { server_port: plain, upstream: upstream(turn) }),
    (turn) => call('PUT', '/services/s', { upstream: upstream(turn) }),
    () => call('PUT', '/services/s', { upstream_id: 'shared' }),
    (turn) =>
      call('PUT', '/stream_routes/served', { server_port: served, service_id: 's', labels: { turn: `${turn}` } }),
    (turn) => call('PUT', '/ssls/live', ssl(turn)),
    (turn) => call('PUT', '/stream_routes/secure', { server_port: secure, sni: 'live.test', upstream: upstream(turn) }),
    (turn) =>
      call('PUT', `/stream_routes/other${turn % 5}`, {
        server_port: plain,
        remote_addr: '192.0.2.1',
        upstream_id: 'shared',
      }),
    (turn) => gateway.admin('DELETE', `/stream_routes/other${turn % 5}`).then(() => {}),
    (turn) =>
      call('PUT', '/stream_routes/opener', {
        server_port: range,
        ...(turn % 2 ? { sni: 'x.test' } : {}),
        upstream_id: 'shared',
      }),
    () => call('DELETE', '/stream_routes/opener'),
  ]
  // Every resource is there before traffic begins; from then on it is only changed, or was never used.
  for (const [turn, edit] of edits.entries()) await edit(turn)
  await until(async () => (await firstLine(plain)) !== '' && (await firstLine(served)) !== '', { what: 'the routes' })
  const running = await Promise.all([
    startTraffic({ port: plain }),
    startTraffic({ port: served }),
    startTraffic({ port: secure, short: 2, long: 2, tls: { servername: 'live.test', ca: ca.cert } }),
  ])
  try {
    for (let turn = 0; turn < changes; turn++) await edits[turn % edits.length]?.(turn)
  } finally {
    const counts = await Promise.all(running.map((traffic) => traffic.stop()))
    assert.deepEqual(
      counts.flatMap(({ failures }) => failures),
      [],
    )
    for (const { short, echoes, names } of counts) {
      assert.ok(short > 20 && echoes > 20, `${short} short sessions, ${echoes} echoes`)
      assert.deepEqual([...names].sort(), ['a', 'b', 'c'])
    }
  }
  const { workers } = await gateway.status()
  assert.deepEqual(
    workers.map(({ state, restarts }) => [state, restarts]),
    [
      ['running', 0],
      ['running', 0],
    ],
  )
  assert.doesNotMatch(await gateway.file('logs/error.log'), /"level":"(error|crit|alert|emerg)"/)
})
