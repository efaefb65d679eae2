/** What plugins send over TLS, to real servers: loggers, and the Redis of limits. Whose certificates are believed is the gateway's. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls'
import { makeCa, makeCertificate } from '../support/certificates.ts'
import { freePort } from '../support/free-port.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { temporaryFolder } from '../support/home.ts'
import { type HttpBackend, httpBackend } from '../support/http-backend.ts'
import { resourcesOf } from '../support/resources.ts'
import { redisMissing } from '../support/servers/redis.ts'
import { startRedisWith } from '../support/servers/redis-sets.ts'
import { until } from '../support/until.ts'

const folder = temporaryFolder('sluice-plugins-tls')
const ca = makeCa()
const known = makeCertificate({ ca, names: ['127.0.0.1', 'logs.test'] })
const misnamed = makeCertificate({ ca, names: ['elsewhere.test'] })
const unknown = makeCertificate({ ca: makeCa(), names: ['127.0.0.1'] })

let gateway: TestGateway
let backend: HttpBackend
const { put } = resourcesOf(() => gateway)

before(async () => {
  const authorities = path.join(folder.path, 'authorities.pem')
  // Behind another one: all of a file count.
  writeFileSync(authorities, `${makeCa().cert}\n# ours\n${ca.cert}`)
  backend = await httpBackend()
  gateway = await startTestGateway({ config: { apisix: { ssl: { ssl_trusted_certificate: authorities } } } })
})
after(async () => {
  await gateway?.stop()
  await backend?.stop()
  folder[Symbol.dispose]()
})

/** Puts a route with these plugins, and sends requests until one of them has come through. */
async function pass(name: string, plugins: object): Promise<void> {
  const upstream = { nodes: { [backend.node]: 1 }, type: 'roundrobin' }
  await put(`/routes/${name}`, { uri: `/${name}`, upstream, plugins })
  await until(async () => (await gateway.ask('http', `/${name}`)).status === 200, { what: `the route ${name}` })
}

interface Collector {
  readonly port: number
  /** What came, by connection, with the server name that was asked for. */
  readonly heard: { readonly serverName: string; text: string }[]
  readonly stop: () => void
}

async function tlsCollector(options: TlsOptions): Promise<Collector> {
  const heard: { serverName: string; text: string }[] = []
  const open = new Set<TLSSocket>()
  const server = createTlsServer(options, (socket) => {
    const one = { serverName: socket.servername || '', text: '' }
    heard.push(one)
    open.add(socket)
    socket.on('error', () => {})
    socket.on('data', (part) => {
      one.text += part.toString()
    })
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = (): void => {
    for (const socket of open) socket.destroy()
    server.close()
  }
  return { port: (server.address() as AddressInfo).port, heard, stop }
}

const oneByOne = { batch_max_size: 1, log_format: { path: '$uri' } }

test('tcp-logger speaks TLS with whatever certificate the receiver shows, and asks for the name in tls_options', async (t) => {
  const receiver = await tlsCollector(unknown)
  t.after(receiver.stop)
  const tls = { host: '127.0.0.1', port: receiver.port, tls: true }
  await pass('tcp', { 'tcp-logger': { ...tls, tls_options: 'logs.test', ...oneByOne } })
  const said = { serverName: 'logs.test', text: '{"path":"/tcp","route_id":"tcp"}' }
  await until(() => receiver.heard.some(({ text }) => text === said.text), { what: 'an entry' })
  assert.deepEqual(receiver.heard[0], said)
  await pass('unnamed', { 'tcp-logger': { ...tls, ...oneByOne } })
  await until(() => receiver.heard.some(({ text }) => text.includes('/unnamed')), { what: 'an entry without a name' })
  assert.equal(receiver.heard.find(({ text }) => text.includes('/unnamed'))?.serverName, '')
})

test('syslog speaks TLS, and sends several messages over one connection', async (t) => {
  const receiver = await tlsCollector(unknown)
  t.after(receiver.stop)
  await pass('sys', { syslog: { host: '127.0.0.1', port: receiver.port, tls: true, ...oneByOne } })
  const messages = (): string[] => (receiver.heard[0]?.text ?? '').split('\n').slice(0, -1)
  await until(() => messages().length === 1, { what: 'the first message' })
  await gateway.ask('http', '/sys')
  await until(() => messages().length === 2, { what: 'the second message' })
  assert.equal(receiver.heard.length, 1)
  for (const one of messages()) assert.match(one, /^<46>1 \S+ \S+ apisix \d+ - - \{"path":"\/sys","route_id":"sys"\}$/)
})

test('a receiver that does not speak TLS gets nothing that can be read, and the log says why', async (t) => {
  let heard = ''
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (part) => {
      heard += part.toString('latin1')
      socket.end('no\n')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  await pass('plain', { 'tcp-logger': { host: '127.0.0.1', port, tls: true, ...oneByOne } })
  await until(async () => (await gateway.log()).includes(`failed to connect to 127.0.0.1:${port}`), { what: 'the log' })
  assert.ok(heard.startsWith('\x16\x03') && !heard.includes('/plain'))
})

test('http-logger without ssl_verify posts to any https server', async () => {
  await using receiver = await httpBackend({ tls: unknown })
  await pass('any', { 'http-logger': { uri: `https://${receiver.node}/logs`, ...oneByOne } })
  await until(() => receiver.requests.length > 0, { what: 'an entry' })
  const [seen] = receiver.requests
  assert.deepEqual([seen?.url, String(seen?.body)], ['/logs', '{"path":"/any","route_id":"any"}'])
})

test('http-logger with ssl_verify posts to servers of trusted authorities under their own name, and to no other', async () => {
  await using trusted = await httpBackend({ tls: known })
  await using others = await httpBackend({ tls: unknown })
  await using named = await httpBackend({ tls: misnamed })
  const to = (receiver: HttpBackend) => ({
    'http-logger': { uri: `https://${receiver.node}/`, ssl_verify: true, max_retry_count: 0, ...oneByOne },
  })
  await pass('trusted', to(trusted))
  await until(() => trusted.requests.length > 0, { what: 'an entry' })
  await pass('others', to(others))
  await pass('misnamed', to(named))
  const failed = async (port: number, why: RegExp): Promise<boolean> => {
    const log = await gateway.log()
    return log.split('\n').some((line) => line.includes(`port[${port}]`) && why.test(line))
  }
  await until(() => failed(others.port, /unable to verify|self.signed/), {
    what: 'the refusal of an unknown authority',
  })
  await until(() => failed(named.port, /does not match certificate/), { what: 'the refusal of another name' })
  assert.deepEqual([others.requests.length, named.requests.length], [0, 0])
})

test('limits speak TLS to Redis, and with redis_ssl_verify only to one of a trusted authority', {
  skip: redisMissing(),
}, async (t) => {
  const redisOf = async (name: string, pair: { cert: string; key: string }): Promise<number> => {
    const [cert, key, port] = [
      path.join(folder.path, `${name}.pem`),
      path.join(folder.path, `${name}.key`),
      await freePort(),
    ]
    writeFileSync(cert, pair.cert)
    writeFileSync(key, pair.key)
    const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert]
    const redis = await startRedisWith(['--tls-port', String(port), '--tls-auth-clients', 'no', ...files])
    t.after(() => redis.stop())
    return port
  }
  const [trusted, others] = [await redisOf('known', known), await redisOf('unknown', unknown)]
  const limit = (port: number, more: object) => ({
    'limit-count': {
      ...{ count: 1, time_window: 600, policy: 'redis', redis_host: '127.0.0.1' },
      redis_port: port,
      redis_ssl: true,
      ...more,
    },
  })
  const comes = (path: string, status: number) =>
    until(async () => (await gateway.ask('http', path)).status === status, { what: `${status} of ${path}` })
  await pass('lax', limit(others, {}))
  await comes('/lax', 503)
  await pass('strict', limit(trusted, { redis_ssl_verify: true }))
  await comes('/strict', 503)
  await pass('refused', limit(others, { redis_ssl_verify: true, allow_degradation: true }))
  await put('/routes/refused', { uri: '/refused', plugins: limit(others, { redis_ssl_verify: true }) })
  await comes('/refused', 500)
})
