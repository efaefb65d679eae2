/**
 * `npm run demo [-- --keep]`: a gateway in a temporary home, sample services behind it, real traffic through it, and what went where.
 * Everything is configured while it runs, by the Admin API. Ends by itself; with --keep it goes on until Ctrl-C.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Backend, tcpBackend, udpBackend } from './backends.ts'
import { selfSigned } from './certificate.ts'
import { askTcp, askTls, askUdp, freePorts } from './clients.ts'
import { DemoGateway } from './gateway.ts'

const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false } } })
const say = (line = ''): void => void process.stdout.write(`${line}\n`)
const node = ({ port }: Backend): string => `127.0.0.1:${port}`
const failed: string[] = []

/** Shows what happened beside what should have; the demo fails when they differ. */
function show(what: string, seen: string, expected: boolean): void {
  say(`  ${expected ? '✔' : '✘'} ${what}: ${seen}`)
  if (!expected) failed.push(what)
}
/** The name at the front of a sample service's answer. */
const who = (answer: string): string => answer.split(' ')[0] ?? ''

/** A change made by the Admin API is in force at once, but not within the same microsecond on each worker. */
async function until(condition: () => Promise<boolean>): Promise<boolean> {
  for (let tries = 0; tries < 100; tries++) {
    if (await condition().catch(() => false)) return true
    await pause(50)
  }
  return false
}

const ports = await freePorts(7)
const [plain, sticky, tls, udp, opened, admin, metrics] = ports as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
]
const services = await Promise.all(['alpha', 'beta', 'gamma'].map(tcpBackend))
const [alpha, beta, gamma] = services as [Backend, Backend, Backend]
const clocks = await Promise.all(['tick', 'tock'].map(udpBackend))
const gateway = await DemoGateway.start(
  {
    stream_proxy: {
      tcp: [`127.0.0.1:${plain}`, `127.0.0.1:${sticky}`, { addr: `127.0.0.1:${tls}`, tls: true }],
      udp: [`127.0.0.1:${udp}`],
    },
  },
  { stream_ports: [opened] },
  admin,
  metrics,
)

try {
  await roundrobin()
  await stickiness()
  await serverNames()
  await datagrams()
  await listenerByRoute()
  await failover()
  await counters()
  say(failed.length === 0 ? '\nAll as it should be.' : `\nNot as it should be: ${failed.join('; ')}`)
  process.exitCode = failed.length === 0 ? 0 : 1
  if (values.keep) await keep()
} finally {
  await gateway.stop()
  await Promise.all([...services, ...clocks].map((backend) => backend.stop()))
}

async function roundrobin(): Promise<void> {
  say('Roundrobin with weights: alpha has weight 2')
  const nodes = { [node(alpha)]: 2, [node(beta)]: 1, [node(gamma)]: 1 }
  await gateway.admin('PUT', 'upstreams/services', { type: 'roundrobin', nodes })
  await gateway.admin('PUT', 'stream_routes/plain', { server_port: plain, upstream_id: 'services' })
  await until(async () => (await askTcp(plain, 'hello')) !== '')
  const answers: string[] = []
  for (let i = 0; i < 16; i++) answers.push(who(await askTcp(plain, `hello ${i}`)))
  const count = (name: string): number => answers.filter((answer) => answer === name).length
  const fair = count('alpha') === 8 || Math.abs(count('alpha') - 8) <= 2
  show('16 connections', answers.join(' '), fair && count('beta') > 0 && count('gamma') > 0)
}

async function stickiness(): Promise<void> {
  say('\nConsistent hashing by client address: each client keeps its service')
  const nodes = { [node(alpha)]: 1, [node(beta)]: 1, [node(gamma)]: 1 }
  const upstream = { type: 'chash', hash_on: 'vars', key: 'remote_addr', nodes }
  await gateway.admin('PUT', 'stream_routes/sticky', { server_port: sticky, upstream })
  await until(async () => (await askTcp(sticky, 'hello')) !== '')
  // Only Linux answers on all of 127.0.0.0/8 without being told.
  const clients = process.platform === 'linux' ? ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4'] : ['127.0.0.1']
  for (const client of clients) {
    const answers: string[] = []
    for (let i = 0; i < 4; i++) answers.push(who(await askTcp(sticky, 'again', client)))
    show(client, answers.join(' '), new Set(answers).size === 1)
  }
}

async function serverNames(): Promise<void> {
  say('\nTLS ended at the gateway, routes by server name (SNI)')
  const names = ['alpha.demo.test', 'gamma.demo.test']
  const { cert, key } = selfSigned(names)
  await gateway.admin('PUT', 'ssls/demo', { cert, key, snis: names })
  for (const [name, backend] of [['alpha.demo.test', alpha] as const, ['gamma.demo.test', gamma] as const]) {
    const upstream = { type: 'roundrobin', nodes: { [node(backend)]: 1 } }
    await gateway.admin('PUT', `stream_routes/${name}`, { server_port: tls, sni: name, upstream })
    await until(async () => (await askTls(tls, name, cert, 'hello')) !== '')
    const answer = await askTls(tls, name, cert, 'secret')
    show(name, answer, who(answer) === backend.name)
  }
  // What OpenSSL says is one long line; what matters is that it was refused.
  const stranger = await askTls(tls, 'other.demo.test', cert, 'secret').catch(() => 'refused in the handshake')
  show('other.demo.test', stranger, stranger.startsWith('refused'))
}

async function datagrams(): Promise<void> {
  say('\nUDP: a session for each client, spread over the services')
  const nodes = Object.fromEntries(clocks.map((clock) => [node(clock), 1]))
  await gateway.admin('PUT', 'stream_routes/udp', { server_port: udp, upstream: { type: 'roundrobin', nodes } })
  await until(async () => (await askUdp(udp, 'hello')) !== '')
  const answers: string[] = []
  for (let i = 0; i < 6; i++) answers.push(who(await askUdp(udp, `time ${i}`)))
  show('6 clients', answers.join(' '), new Set(answers).size === 2)
}

async function listenerByRoute(): Promise<void> {
  say('\nA port that a route opens while the gateway runs')
  const closed = await askTcp(opened, 'hello').catch((error: Error) => error.message)
  show(`${opened} before`, closed, closed.includes('ECONNREFUSED'))
  const upstream = { type: 'roundrobin', nodes: { [node(beta)]: 1 } }
  await gateway.admin('PUT', 'stream_routes/opened', { server_port: opened, upstream })
  await until(async () => (await askTcp(opened, 'hello')) !== '')
  const answer = await askTcp(opened, 'hello').catch((error: Error) => error.message)
  show(`${opened} with the route`, answer, who(answer) === 'beta')
  await gateway.admin('DELETE', 'stream_routes/opened')
  const gone = await until(async () =>
    (await askTcp(opened, 'hello').catch((error: Error) => error.message)).includes('ECONNREFUSED'),
  )
  show(`${opened} without it`, gone ? 'closed again' : 'still open', gone)
}

async function failover(): Promise<void> {
  say('\nFailover: beta is stopped')
  await beta.stop()
  const answers: string[] = []
  for (let i = 0; i < 8; i++) answers.push(who(await askTcp(plain, 'still there?').catch(() => 'nobody')))
  show(
    '8 connections',
    answers.join(' '),
    answers.every((answer) => answer === 'alpha' || answer === 'gamma'),
  )
}

async function counters(): Promise<void> {
  say('\nWhat Prometheus sees')
  const response = await fetch(`http://127.0.0.1:${metrics}/apisix/prometheus/metrics`)
  const lines = (await response.text()).split('\n')
  const found = lines.filter((line) => /^(apisix_stream_connection_total|sluice_stream_sessions_total)\{/.test(line))
  for (const line of found) say(`    ${line}`)
  show(
    'sessions counted by route and node',
    `${found.length} series`,
    found.some((line) => line.includes('route="plain"')),
  )
}

async function keep(): Promise<void> {
  say(`
Still running until Ctrl-C (home ${gateway.home}):
  Admin API   curl -H 'X-API-KEY: ${gateway.adminKey}' http://127.0.0.1:${gateway.adminPort}/apisix/admin/stream_routes
  Metrics     curl http://127.0.0.1:${metrics}/apisix/prometheus/metrics
  roundrobin  nc 127.0.0.1 ${plain}      chash  nc 127.0.0.1 ${sticky}      UDP  nc -u 127.0.0.1 ${udp}`)
  await Promise.race([new Promise((done) => process.once('SIGINT', done)), gateway.ended()])
}
