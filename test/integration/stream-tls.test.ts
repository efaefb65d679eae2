/** TLS that ends at the gateway: certificates and routes by server name, client certificates, resumption, replacement. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { type Backend, customServer, namedServer } from '../support/backends.ts'
import { type CertificateAuthority, type CertificatePair, makeCa, makeCertificate } from '../support/certificates.ts'
import { freePort } from '../support/free-port.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { resourcesOf } from '../support/resources.ts'
import { nextBytes, readAll, tlsConnect } from '../support/tls-client.ts'
import { until } from '../support/until.ts'

let gateway: TestGateway
let secure: number
let ca: CertificateAuthority
let backend: Backend
const { put, remove } = resourcesOf(() => gateway)
const configOf = (ssl: object = {}) => ({
  apisix: { stream_proxy: { tcp: [{ addr: `127.0.0.1:${secure}`, tls: true }] }, ssl },
  nginx_config: {
    stream: { enable_access_log: true, access_log_format: '$route_id|$ssl_server_name|$status|$ssl_session_reused' },
  },
})
const tickets = { ssl_session_tickets: true }

before(async () => {
  ca = makeCa()
  secure = await freePort()
  backend = await namedServer('plain')
  gateway = await startTestGateway({ workers: 2, config: configOf(tickets) })
  await put('/stream_routes/all', { server_port: secure, upstream: { nodes: { [backend.node]: 1 } } })
  await certify('a', ['a.test'])
  await until(() => greeting('a.test').catch(() => undefined), { what: 'TLS' })
})
after(async () => {
  await backend.stop()
  await gateway.stop()
})

/** Puts a certificate for these names; `more` is added to the resource. */
async function certify(id: string, names: readonly string[], more: object = {}): Promise<CertificatePair> {
  const pair = makeCertificate({ ca, names })
  await put(`/ssls/${id}`, { snis: names, cert: pair.cert, key: pair.key, ...more })
  return pair
}

const connectTo = (servername: string, options: ConnectionOptions = {}): Promise<TLSSocket> =>
  tlsConnect(secure, { servername, ca: [ca.cert], ...options })

/** The first line that is said inside TLS. */
async function greeting(servername: string, options: ConnectionOptions = {}): Promise<string> {
  const socket = await connectTo(servername, options)
  try {
    return (await nextBytes(socket)).toString().trim()
  } finally {
    socket.destroy()
  }
}

/** Of the certificate that a name is answered with: its common name and the type of its key. */
async function shown(servername: string, options: ConnectionOptions = {}): Promise<string> {
  const socket = await connectTo(servername, options)
  const { publicKey, subject } = socket.getPeerX509Certificate() ?? assert.fail('no certificate')
  socket.destroy()
  return `${subject.replace('CN=', '')} ${publicKey.asymmetricKeyType}`
}

const alertOf = (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    (got) => `no alert but ${got}`,
    (error) => String((error as { reason?: string }).reason ?? (error as Error).message),
  )

/** Asks until the certificates of all workers are as they should be: each answers about every other connection. */
async function everywhere(check: () => Promise<boolean>, what: string): Promise<void> {
  let inARow = 0
  const once = async (): Promise<boolean> => {
    inARow = (await check()) ? inARow + 1 : 0
    return inARow >= 12
  }
  await until(once, { what })
}

test('a certificate serves its names: exact, one label of a wildcard, each of several; other names get an alert', async () => {
  await certify('wild', ['*.wild.test'])
  await certify('several', ['b.test', 'c.test'])
  await everywhere(async () => (await shown('c.test').catch(() => '')) === 'b.test ec', 'the certificates')
  assert.equal(await shown('a.test'), 'a.test ec')
  assert.equal(await shown('A.TEST'), 'a.test ec')
  assert.equal(await shown('x.wild.test'), '*.wild.test ec')
  assert.equal(await shown('b.test'), 'b.test ec')
  for (const stranger of ['nobody.test', 'x.y.wild.test', 'wild.test']) {
    assert.match(await alertOf(connectTo(stranger)), /unrecognized name/, stranger)
  }
  await remove('/ssls/wild', '/ssls/several')
})

test('TLS 1.2 and 1.3 are spoken, and a certificate may be content with less than the configuration', async () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = await connectTo('a.test', { minVersion: version, maxVersion: version })
    assert.equal(socket.getProtocol(), version)
    assert.equal((await nextBytes(socket)).toString(), 'plain\n')
    socket.destroy()
  }
  await certify('modern', ['modern.test'], { ssl_protocols: ['TLSv1.3'] })
  await everywhere(async () => (await greeting('modern.test').catch(() => '')) === 'plain', 'the certificate')
  assert.match(await alertOf(connectTo('modern.test', { maxVersion: 'TLSv1.2' })), /protocol version/)
  await remove('/ssls/modern')
})

test('an RSA and an ECDSA certificate of one name serve each client the one that it can verify', async () => {
  const [rsa, ec] = [
    makeCertificate({ ca, names: ['two.test'], type: 'rsa' }),
    makeCertificate({ ca, names: ['two.test'] }),
  ]
  await put('/ssls/two', { sni: 'two.test', cert: rsa.cert, key: rsa.key, certs: [ec.cert], keys: [ec.key] })
  await everywhere(async () => (await greeting('two.test').catch(() => '')) === 'plain', 'the certificates')
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const only = (sigalgs: string) => shown('two.test', { maxVersion, sigalgs })
    assert.equal(await only('ecdsa_secp256r1_sha256'), 'two.test ec')
    assert.equal(await only('rsa_pss_rsae_sha256:rsa_pkcs1_sha256'), 'two.test rsa')
  }
  await remove('/ssls/two')
})

test('a client without server name is refused, until there is a fallback', async () => {
  assert.match(await alertOf(tlsConnect(secure)), /unrecognized name/)
  gateway.configure(configOf({ ...tickets, fallback_sni: 'a.test' }))
  await gateway.reload()
  const socket = await tlsConnect(secure)
  assert.match(socket.getPeerX509Certificate()?.subject ?? '', /a\.test/)
  assert.equal((await nextBytes(socket)).toString(), 'plain\n')
  socket.destroy()
  assert.match(await alertOf(connectTo('nobody.test')), /unrecognized name/)
  gateway.configure(configOf(tickets))
  await gateway.reload()
  assert.match(await alertOf(tlsConnect(secure)), /unrecognized name/)
})

test('a replaced certificate is shown to new clients, and old sessions go on', async () => {
  const first = await certify('turn', ['turn.test'])
  await everywhere(async () => (await greeting('turn.test').catch(() => '')) === 'plain', 'the certificate')
  const old = await connectTo('turn.test')
  await nextBytes(old)
  const second = await certify('turn', ['turn.test'])
  assert.notEqual(first.cert, second.cert)
  const pem = async () => {
    const socket = await connectTo('turn.test')
    const certificate = socket.getPeerX509Certificate()?.toString().trim()
    socket.destroy()
    return certificate
  }
  await everywhere(async () => (await pem()) === second.cert.trim(), 'the second certificate')
  old.write('still')
  assert.equal((await nextBytes(old)).toString(), 'still')
  await remove('/ssls/turn')
  await everywhere(async () => /unrecognized name/.test(await alertOf(pem())), 'the end of the certificate')
  old.write('and still')
  assert.equal((await nextBytes(old)).toString(), 'and still')
  old.destroy()
})

test('routes are chosen by server name: exact before wildcard, which covers several labels, before none', async () => {
  const [exact, wild] = [await namedServer('exact'), await namedServer('wild')]
  await certify('deep', ['one.deep.test', 'x.y.deep.test', 'deep.test'])
  const to = (node: string) => ({ server_port: secure, upstream: { nodes: { [node]: 1 } } })
  await put('/stream_routes/wild', { ...to(wild.node), sni: '*.deep.test', priority: 100 })
  await put('/stream_routes/exact', { ...to(exact.node), sni: 'one.deep.test' })
  await everywhere(async () => (await greeting('one.deep.test').catch(() => '')) === 'exact', 'the routes')
  assert.equal(await greeting('x.y.deep.test'), 'wild')
  assert.equal(await greeting('deep.test'), 'plain')
  assert.equal(await greeting('a.test'), 'plain')
  await remove('/stream_routes/exact')
  await everywhere(async () => (await greeting('one.deep.test')) === 'wild', 'the next route')
  await remove('/stream_routes/wild', '/ssls/deep')
  await Promise.all([exact.stop(), wild.stop()])
})

test('a name may demand client certificates: a good one gets in, none and a stranger get an alert', async () => {
  const [clients, strangers] = [makeCa(), makeCa()]
  await certify('mutual', ['mutual.test'], { client: { ca: clients.cert, depth: 1 } })
  const good = makeCertificate({ ca: clients, names: ['device-7'], client: true })
  const stranger = makeCertificate({ ca: strangers, names: ['device-7'], client: true })
  await everywhere(async () => (await greeting('mutual.test', good).catch(() => '')) === 'plain', 'the demand')
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    assert.equal(await greeting('mutual.test', { ...good, maxVersion }), 'plain')
    assert.doesNotMatch(await alertOf(greeting('mutual.test', { maxVersion })), /no alert/)
    assert.doesNotMatch(await alertOf(greeting('mutual.test', { ...stranger, maxVersion })), /no alert/)
  }
  assert.equal(await greeting('a.test'), 'plain')
  const reached = backend.count()
  await alertOf(greeting('mutual.test'))
  assert.equal(backend.count(), reached)
  await remove('/ssls/mutual')
})

/** The session of one connection. TLS 1.3 hands it out after the handshake, before the first bytes of the server. */
async function sessionOf(servername: string, options: ConnectionOptions = {}): Promise<Buffer> {
  const socket = await connectTo(servername, options)
  await nextBytes(socket)
  const session = socket.getSession() ?? assert.fail('no session')
  socket.destroy()
  return session
}

test('a session is resumed by whichever worker takes the next connection', async () => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const session = await sessionOf('a.test', { maxVersion })
    const sockets: TLSSocket[] = []
    await until(
      async () => {
        sockets.push(await connectTo('a.test', { maxVersion, session }))
        const { workers } = await gateway.status()
        return workers.length === 2 && workers.every(({ connections }) => connections > 1)
      },
      { what: 'connections on both workers' },
    )
    assert.deepEqual(new Set(sockets.map((socket) => socket.isSessionReused())), new Set([true]))
    for (const socket of sockets) socket.destroy()
    await until(async () => (await gateway.status()).connections.active === 0, { what: 'the end of the sessions' })
  }
})

test('a session of a name that asks for nothing opens no name that demands a certificate', async () => {
  const clients = makeCa()
  await certify('closed', ['closed.test'], { client: { ca: clients.cert } })
  const good = makeCertificate({ ca: clients, names: ['device-8'], client: true })
  await everywhere(async () => (await greeting('closed.test', good).catch(() => '')) === 'plain', 'the demand')
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const session = await sessionOf('a.test', { maxVersion })
    const reached = backend.count()
    for (let i = 0; i < 6; i++) {
      assert.doesNotMatch(await alertOf(greeting('closed.test', { session, maxVersion })), /no alert/)
    }
    assert.equal(backend.count(), reached)
    const own = await sessionOf('closed.test', { ...good, maxVersion })
    assert.equal(await greeting('closed.test', { session: own, maxVersion }), 'plain')
  }
  await remove('/ssls/closed')
})

test('each half of a terminated connection ends on its own, and 8 MB go through each way', async () => {
  const big = Buffer.alloc(8 << 20, 'sluice ')
  const counting = await customServer((socket) => {
    let got = 0
    socket.on('data', (chunk) => (got += chunk.length))
    socket.on('end', () => socket.end(Buffer.concat([Buffer.from(`${got}\n`), big])))
  })
  await put('/stream_routes/big', {
    server_port: secure,
    sni: 'a.test',
    upstream: { nodes: { [counting.node]: 1 } },
  })
  const ask = async (payload: Buffer): Promise<Buffer> => {
    const socket = await connectTo('a.test', { allowHalfOpen: true } as ConnectionOptions)
    socket.end(payload)
    const all = await readAll(socket)
    socket.destroy()
    return all
  }
  await everywhere(async () => (await ask(Buffer.from('x'))).length > big.length, 'the route')
  const answer = await ask(big)
  assert.equal(answer.subarray(0, answer.indexOf('\n')).toString(), String(big.length))
  assert.ok(answer.subarray(answer.indexOf('\n') + 1).equals(big))
  await remove('/stream_routes/big')
  await counting.stop()
})

test('the access log tells the server name of a session and whether it was resumed', async () => {
  const session = await sessionOf('a.test')
  assert.equal(await greeting('a.test', { session }), 'plain')
  await until(async () => (await gateway.status()).connections.active === 0, { what: 'the end of the session' })
  await until(
    async () => {
      await gateway.kill('SIGUSR1')
      const lines = (await gateway.file('logs/access_stream.log')).split('\n')
      return lines.includes('all|a.test|200|.') && lines.includes('all|a.test|200|r')
    },
    { what: 'the lines' },
  )
})
