/** TLS beyond the gateway: spoken to upstreams, and passed through unread beside names that end here. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { type Backend, firstLine, namedServer } from '../support/backends.ts'
import { type CertificateAuthority, type CertificatePair, makeCa, makeCertificate } from '../support/certificates.ts'
import { freePort } from '../support/free-port.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { temporaryFolder } from '../support/home.ts'
import { resourcesOf } from '../support/resources.ts'
import { tlsBackend } from '../support/tls-backend.ts'
import { nextBytes, readAll, tlsConnect } from '../support/tls-client.ts'
import { until } from '../support/until.ts'

let gateway: TestGateway
let plain: number
let secure: number
/** Trusted by the gateway. */
let ca: CertificateAuthority
/** Trusted by nobody. */
let strange: CertificateAuthority
const { put, remove } = resourcesOf(() => gateway)
const backends: Backend[] = []
const folder = temporaryFolder('sluice-authorities')

before(async () => {
  ca = makeCa()
  strange = makeCa()
  plain = await freePort()
  secure = await freePort()
  const trusted = path.join(folder.path, 'trusted.pem')
  writeFileSync(trusted, ca.cert)
  gateway = await startTestGateway({
    config: {
      apisix: {
        stream_proxy: { tcp: [`127.0.0.1:${plain}`, { addr: `127.0.0.1:${secure}`, tls: true }] },
        ssl: { ssl_trusted_certificate: trusted },
      },
      nginx_config: {
        stream: { enable_access_log: true, access_log_format: '$route_id|$status|$upstream_addr' },
      },
    },
  })
})
after(async () => {
  for (const backend of backends) await backend.stop()
  await gateway.stop()
  folder[Symbol.dispose]()
})

async function serving(name: string, pair: CertificatePair, options: object = {}): Promise<Backend> {
  const backend = await tlsBackend(name, { ...pair, ...options })
  backends.push(backend)
  return backend
}
const certificateOf = (name: string, by = ca) => makeCertificate({ ca: by, names: [name] })

/** One route of the plain port to these nodes by TLS. */
async function route(upstream: object): Promise<void> {
  await put('/stream_routes/out', { server_port: plain, upstream: { scheme: 'tls', ...upstream } })
}
const says = (line: string, what = `"${line}"`) => until(async () => (await firstLine(plain)) === line, { what })

async function logged(line: string): Promise<void> {
  await until(
    async () => {
      await gateway.kill('SIGUSR1')
      return (await gateway.file('logs/access_stream.log')).split('\n').includes(line)
    },
    { what: line },
  )
}

test('an upstream is spoken to by TLS; without tls.verify any certificate will do', async () => {
  const backend = await serving('any', certificateOf('any.test', strange))
  await route({ nodes: { [backend.node]: 1 } })
  await says('any apisix_backend -')
  await remove('/stream_routes/out')
})

test('with tls.verify the certificate must be of the name that is asked for, from a trusted authority', async () => {
  const [good, other] = [
    await serving('good', certificateOf('good.test')),
    await serving('other', certificateOf('good.test', strange)),
  ]
  const named = (name: string) => ({ pass_host: 'rewrite', upstream_host: name, tls: { verify: true } })
  await route({ ...named('good.test'), nodes: { [good.node]: 1 } })
  await says('good good.test -')
  await route({ ...named('bad.test'), nodes: { [good.node]: 1 } })
  await says('', 'the refusal of another name')
  await logged(`out|502|${good.node}`)
  await route({ ...named('good.test'), retries: 0, nodes: { [other.node]: 1 } })
  await says('', 'the refusal of a stranger')
  await logged(`out|502|${other.node}`)
  await remove('/stream_routes/out')
})

test('a node that fails verification is followed by the next one', async () => {
  const [good, other] = [
    await serving('good', certificateOf('good.test')),
    await serving('other', certificateOf('good.test', strange)),
  ]
  const nodes = { [other.node]: 100, [good.node]: 1 }
  await route({ pass_host: 'rewrite', upstream_host: 'good.test', tls: { verify: true }, nodes })
  await says('good good.test -')
  for (let i = 0; i < 5; i++) assert.equal(await firstLine(plain), 'good good.test -')
  await logged(`out|200|${other.node}, ${good.node}`)
  await remove('/stream_routes/out')
})

test('a node that speaks no TLS is 502', async () => {
  const backend = await namedServer('no TLS')
  backends.push(backend)
  await route({ nodes: { [backend.node]: 1 } })
  await until(async () => (await firstLine(plain)) === '' && backend.count() > 0, { what: 'a try' })
  await logged(`out|502|${backend.node}`)
  await remove('/stream_routes/out')
})

test('a client certificate is shown, given inline or by the id of an ssl', async () => {
  const clients = makeCa()
  const backend = await serving('strict', certificateOf('strict.test'), {
    ca: clients.cert,
    requestCert: true,
    rejectUnauthorized: true,
  })
  const nodes = { [backend.node]: 1 }
  const [inline, stored] = ['inline', 'stored'].map((name) =>
    makeCertificate({ ca: clients, names: [name], client: true }),
  ) as [CertificatePair, CertificatePair]
  await route({ nodes, tls: { client_cert: inline.cert, client_key: inline.key } })
  await says('strict apisix_backend inline')
  await put('/ssls/stored', { type: 'client', cert: stored.cert, key: stored.key })
  await route({ nodes, tls: { client_cert_id: 'stored' } })
  await says('strict apisix_backend stored')
  await route({ nodes })
  await says('', 'the refusal of no certificate')
  await remove('/stream_routes/out', '/ssls/stored')
})

const connectTo = (port: number, servername: string, options: ConnectionOptions = {}): Promise<TLSSocket> =>
  tlsConnect(port, { servername, ca: [ca.cert], ...options })

/** What is said inside TLS, and whose certificate it was said under. */
async function greeting(port: number, servername: string): Promise<string> {
  const socket = await connectTo(port, servername)
  const subject = socket.getPeerX509Certificate()?.subject
  const line = (await nextBytes(socket)).toString().trim()
  socket.destroy()
  return `${line}, ${subject}`
}

test('the server name of a client whose TLS ends here is passed on to the upstream', async () => {
  const backend = await serving('inner', certificateOf('passed.test'))
  const pair = makeCertificate({ ca, names: ['passed.test', 'renamed.test'] })
  await put('/ssls/passed', { snis: ['passed.test', 'renamed.test'], cert: pair.cert, key: pair.key })
  const upstream = { scheme: 'tls', tls: { verify: true }, nodes: { [backend.node]: 1 } }
  await put('/stream_routes/passed', { server_port: secure, sni: 'passed.test', upstream })
  await until(() => greeting(secure, 'passed.test').catch(() => undefined), { what: 'the route' })
  assert.equal(await greeting(secure, 'passed.test'), 'inner passed.test -, CN=passed.test')
  const renamed = { ...upstream, pass_host: 'rewrite', upstream_host: 'passed.test' }
  await put('/stream_routes/renamed', { server_port: secure, sni: 'renamed.test', upstream: renamed })
  await until(() => greeting(secure, 'renamed.test').catch(() => undefined), { what: 'the second route' })
  assert.equal(await greeting(secure, 'renamed.test'), 'inner passed.test -, CN=passed.test')
  await remove('/stream_routes/passed', '/stream_routes/renamed', '/ssls/passed')
})

test('on a plain listener connections go by the server name that they ask for, and those without TLS elsewhere', async () => {
  const [one, many, rest] = [
    await serving('one', certificateOf('one.pass.test')),
    await serving('many', makeCertificate({ ca, names: ['x.y.pass.test', 'two.pass.test'] })),
    await namedServer('no TLS'),
  ]
  backends.push(rest)
  const to = (node: string) => ({ server_port: plain, upstream: { nodes: { [node]: 1 } } })
  await put('/stream_routes/rest', to(rest.node))
  await put('/stream_routes/many', { ...to(many.node), sni: '*.pass.test' })
  await put('/stream_routes/one', { ...to(one.node), sni: 'one.pass.test' })
  await until(async () => (await greeting(plain, 'one.pass.test').catch(() => '')).startsWith('one'), {
    what: 'the routes',
  })
  assert.equal(await greeting(plain, 'one.pass.test'), 'one one.pass.test -, CN=one.pass.test')
  assert.equal(await greeting(plain, 'x.y.pass.test'), 'many x.y.pass.test -, CN=x.y.pass.test')
  // The server speaks first: after a while the silence of the client counts as "no TLS".
  assert.equal(await firstLine(plain), 'no TLS')
  await remove('/stream_routes/one', '/stream_routes/many', '/stream_routes/rest')
})

test('tls_passthrough on a listener that ends TLS leaves those names, and no others, to the backend', async () => {
  const [inner, ended] = [await serving('inner', certificateOf('through.test')), await namedServer('ended')]
  backends.push(ended)
  const pair = makeCertificate({ ca, names: ['here.test', 'through.test'] })
  await put('/ssls/here', { snis: ['here.test', 'through.test'], cert: pair.cert, key: pair.key })
  await put('/stream_routes/here', { server_port: secure, upstream: { nodes: { [ended.node]: 1 } } })
  await put('/stream_routes/through', {
    server_port: secure,
    sni: 'through.test',
    tls_passthrough: true,
    upstream: { nodes: { [inner.node]: 1 } },
  })
  await until(async () => (await greeting(secure, 'through.test').catch(() => '')).startsWith('inner'), {
    what: 'the routes',
  })
  assert.equal(await greeting(secure, 'through.test'), 'inner through.test -, CN=through.test')
  assert.equal(await greeting(secure, 'here.test'), 'ended, CN=here.test')
  const socket = await connectTo(secure, 'through.test')
  const shown = socket.getPeerX509Certificate()?.toString().trim()
  assert.notEqual(shown, pair.cert.trim())
  await nextBytes(socket)
  // Both halves, 8 MB each way, through TLS that the gateway cannot read.
  const big = Buffer.alloc(8 << 20, 'through ')
  const all = readAll(socket)
  socket.resume()
  socket.end(big)
  assert.ok((await all).equals(big))
  socket.destroy()
  await remove('/stream_routes/through', '/stream_routes/here', '/ssls/here')
})
