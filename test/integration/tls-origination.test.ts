/** TLS towards upstreams: real servers of node:tls and openssl behind it. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls'
import { TimerWheel } from '../../src/base/timers.ts'
import type { GatewayError } from '../../src/errors.ts'
import type { Link, Receiver } from '../../src/net/link.ts'
import { borrowing } from '../../src/net/portable/tls-socket.ts'
import { upstreamContext } from '../../src/net/tls/upstream-context.ts'
import type { Target, TlsOrigination } from '../../src/net/wire.ts'
import { type CertificateAuthority, type CertificatePair, makeCa, makeCertificate } from '../support/certificates.ts'
import { freePort } from '../support/servers/program.ts'
import { createTestWire } from '../support/test-wire.ts'
import { until } from '../support/until.ts'

const needsOpenssl = spawnSync('openssl', ['version']).error === undefined ? false : 'needs openssl'

const wheel = new TimerWheel({ tickMs: 20, unref: true })
const wire = createTestWire({ wheel })
const servers: Server[] = []
const sockets = new Set<{ destroy(): void }>()
let ca: CertificateAuthority
let pair: CertificatePair
let client: CertificatePair

before(() => {
  ca = makeCa()
  pair = makeCertificate({ ca, names: ['db.test', '127.0.0.1'] })
  client = makeCertificate({ ca, names: ['gateway'], client: true })
})

after(async () => {
  for (const socket of sockets) socket.destroy()
  for (const server of servers) await new Promise((resolve) => server.close(resolve))
})

async function listening(server: Server): Promise<number> {
  servers.push(server)
  server.on('connection', (socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** A server that sends everything back. */
function echoServer(options: TlsOptions = {}, seen: (socket: TLSSocket) => void = () => {}): Promise<number> {
  const server = createServer({ ...pair, allowHalfOpen: true, ...options } as TlsOptions, (socket) => {
    socket.on('error', () => {})
    seen(socket)
    socket.pipe(socket)
  })
  server.on('tlsClientError', () => {})
  return listening(server)
}

interface Settings extends Partial<TlsOrigination> {
  readonly timeoutMs?: number
}

function targetOf(port: number, { timeoutMs = 5_000, ...tls }: Settings): Target {
  const context = upstreamContext({ caPem: ca.cert })
  return {
    carrier: 'stream',
    host: '127.0.0.1',
    port,
    timeoutMs,
    keepAliveMs: 0,
    tls: { context, serverName: 'db.test', verify: true, alpn: [], ...tls },
  }
}

function dial(port: number, settings: Settings = {}): Promise<Link> {
  return new Promise((resolve, reject) => {
    let returned = false
    const settle =
      <T>(next: (value: T) => void) =>
      (value: T): void => {
        assert.ok(returned, 'never before dial returned')
        next(value)
      }
    wire.dial(targetOf(port, settings), { connected: settle(resolve), failed: settle(reject) })
    returned = true
  })
}

class Collecting implements Receiver {
  readonly chunks: Buffer[] = []
  ends = 0
  closes: (GatewayError | undefined)[] = []

  bytes(_link: Link, bytes: Uint8Array): void {
    this.chunks.push(Buffer.from(bytes))
  }
  ended(): void {
    this.ends += 1
  }
  drained(): void {}
  closed(_link: Link, error: GatewayError | undefined): void {
    this.closes.push(error)
  }
  get text(): string {
    return Buffer.concat(this.chunks).toString()
  }
}

async function fails(outcome: Promise<Link>, code: string, reason: RegExp): Promise<void> {
  const error = await outcome.then(
    (link) => {
      link.reset()
      throw new assert.AssertionError({ message: `connected, where ${code} was due` })
    },
    (thrown: GatewayError) => thrown,
  )
  assert.equal(error.code, code, error.message)
  assert.match(error.message, reason)
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`a verified server is spoken to, and what was agreed is told (${version})`, async () => {
    let asked: unknown
    const port = await echoServer({ maxVersion: version, ALPNProtocols: ['h2'] }, (socket) => {
      asked = (socket as { servername?: unknown }).servername
    })
    const link = await dial(port, { alpn: ['h2', 'http/1.1'] })
    const got = new Collecting()
    link.open(got)
    link.send(Buffer.from('ping'))
    await until(() => got.text === 'ping', { what: 'the echo' })
    assert.equal(asked, 'db.test')
    assert.deepEqual([link.tls?.alpn, link.tls?.protocol, link.tls?.resumed], ['h2', version, false])
    assert.deepEqual([link.remotePort, link.remoteAddress], [port, '127.0.0.1'])
    link.end()
    await until(() => got.closes.length > 0, { what: 'the close' })
    assert.deepEqual([got.ends, got.closes], [1, [undefined]])
  })
}

test('a server of another authority, of another name, or out of date is refused with the reason', async () => {
  const port = await echoServer()
  const other = upstreamContext({ caPem: makeCa().cert })
  await fails(dial(port, { context: other }), 'upstream_tls', /unable to (verify|get).*(certificate)/)
  await fails(dial(port, { serverName: 'other.test' }), 'upstream_tls', /other\.test/)
  const yesterday = new Date(Date.now() - 86_400_000)
  const old = makeCertificate({ ca, names: ['db.test'], notBefore: new Date(0), notAfter: yesterday })
  await fails(dial(await echoServer({ ...old })), 'upstream_tls', /expired/)
})

test('without verification any certificate will do', async () => {
  const stranger = makeCertificate({ ca: makeCa(), names: ['elsewhere.test'] })
  const port = await echoServer({ ...stranger })
  const link = await dial(port, { verify: false })
  link.reset()
})

test('an address is verified by its own names and is not sent as server name', async () => {
  const names: unknown[] = []
  const port = await echoServer({}, (socket) => names.push((socket as { servername?: unknown }).servername))
  const link = await dial(port, { serverName: '127.0.0.1' })
  const got = new Collecting()
  link.open(got)
  link.send(Buffer.from('x'))
  await until(() => got.text === 'x', { what: 'the echo' })
  link.reset()
  await fails(dial(port, { serverName: '127.0.0.2' }), 'upstream_tls', /127\.0\.0\.2/)
  assert.equal(names[0], false)
})

test('a client certificate is shown to servers that ask for one', async () => {
  const subjects: unknown[] = []
  const options = { requestCert: true, rejectUnauthorized: true, ca: ca.cert }
  const port = await echoServer(options, (socket) => subjects.push(socket.getPeerX509Certificate()?.subject))
  const context = upstreamContext({ caPem: ca.cert, clientCert: client.cert, clientKey: client.key })
  const link = await dial(port, { context })
  const got = new Collecting()
  link.open(got)
  link.send(Buffer.from('x'))
  await until(() => got.text === 'x', { what: 'the echo' })
  assert.deepEqual(subjects, ['CN=gateway'])
  link.reset()
  // In TLS 1.3 this side is done before the server has refused: the link closes with the reason.
  const refused = new Collecting()
  const bare = await dial(port)
  bare.open(refused)
  await until(() => refused.closes.length > 0, { what: 'the refusal' })
  assert.equal(refused.closes[0]?.code, 'upstream_reset')
  assert.match(refused.closes[0]?.message ?? '', /certificate required/)
  const strict = await echoServer({ ...options, maxVersion: 'TLSv1.2' })
  await fails(dial(strict), 'upstream_tls', /handshake failure/)
})

test('a server that speaks no TLS, nothing, or hangs up is a failure of the dial', async () => {
  const plain = await listening(createTcpServer((socket) => socket.end('220 ready\r\n').on('error', () => {})))
  await fails(dial(plain), 'upstream_tls', /wrong version number|packet length/)
  const silent = await listening(createTcpServer((socket) => void socket.on('error', () => {})))
  await fails(dial(silent, { timeoutMs: 200 }), 'connect_timeout', /TLS within/)
  const rude = await listening(createTcpServer((socket) => void socket.once('data', () => socket.destroy())))
  await fails(dial(rude), 'upstream_tls', /during the TLS handshake/)
  const resetting = await listening(
    createTcpServer((socket) => void socket.once('data', () => socket.resetAndDestroy())),
  )
  await fails(dial(resetting), 'upstream_tls', /during the TLS handshake/)
  await fails(dial(await freePort()), 'connect_refused', /ECONNREFUSED/)
})

test('no common protocol of ALPN, and no common version, are failures with the alert', async () => {
  const port = await echoServer({ ALPNProtocols: ['mqtt'] })
  await fails(dial(port, { alpn: ['h2'] }), 'upstream_tls', /no application protocol/)
  const old = await echoServer({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' })
  await fails(dial(old), 'upstream_tls', /protocol version/)
})

test('giving up a dial in its handshake closes the connection and calls nobody', async () => {
  let connected = false
  const silent = createTcpServer((socket) => {
    connected = true
    socket.on('error', () => {}).resume()
    socket.once('close', () => {
      connected = false
    })
  })
  const port = await listening(silent)
  const calls: string[] = []
  const giveUp = wire.dial(targetOf(port, {}), {
    connected: () => void calls.push('connected'),
    failed: (error) => void calls.push(error.message),
  })
  await until(() => connected, { what: 'the connection' })
  giveUp()
  await until(() => !connected, { what: 'the close' })
  assert.deepEqual(calls, [])
})

for (const [mode, on] of [
  ['borrowed reads', true],
  ['plain data events', false],
] as const) {
  test(`8 MB go both ways through a TLS upstream and arrive unchanged (${mode})`, async (t) => {
    const was = borrowing.on
    borrowing.on = on
    t.after(() => {
      borrowing.on = was
    })
    const port = await echoServer()
    const link = await dial(port)
    const sent = randomBytes(8 * 1024 * 1024)
    const hash = createHash('sha256')
    let read = 0
    let offset = 0
    const pump = (): void => {
      let more = true
      while (more && offset < sent.length) {
        more = link.send(sent.subarray(offset, offset + 65_536))
        offset += 65_536
      }
      if (offset >= sent.length) link.end()
    }
    const closed = new Promise<GatewayError | undefined>((resolve) => {
      link.open({
        bytes(_link, bytes) {
          hash.update(bytes)
          read += bytes.length
        },
        ended() {},
        drained: pump,
        closed: (_link, error) => resolve(error),
      })
    })
    pump()
    assert.equal(await closed, undefined)
    assert.equal(read, sent.length)
    assert.equal(hash.digest('hex'), createHash('sha256').update(sent).digest('hex'))
  })
}

test('openssl s_server is spoken to with each version', { skip: needsOpenssl }, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'tls-origination-'))
  t.after(() => rmSync(dir, { recursive: true }))
  writeFileSync(join(dir, 'cert.pem'), pair.cert)
  writeFileSync(join(dir, 'key.pem'), pair.key)
  for (const version of ['-tls1_2', '-tls1_3']) {
    const port = await freePort()
    const args = [
      's_server',
      '-accept',
      `127.0.0.1:${port}`,
      '-cert',
      'cert.pem',
      '-key',
      'key.pem',
      version,
      '-rev',
      '-naccept',
      '1',
    ]
    const server = spawn('openssl', args, { cwd: dir, stdio: ['ignore', 'pipe', 'ignore'] })
    const exited = once(server, 'exit')
    const link = await until(() => dial(port).catch(() => undefined), { what: 'a connection to s_server' })
    const got = new Collecting()
    link.open(got)
    link.send(Buffer.from('desrever\n'))
    await until(() => got.text === 'reversed\n', { what: 'the answer' })
    link.close()
    server.kill()
    await exited
  }
})

test('one context serves all who want the same, and another all who want another', () => {
  const one = upstreamContext({ caPem: ca.cert })
  assert.equal(upstreamContext({ caPem: ca.cert }), one)
  assert.notEqual(upstreamContext({ caPem: ca.cert, clientCert: client.cert, clientKey: client.key }), one)
  assert.notEqual(upstreamContext(), one)
  assert.equal(upstreamContext(), upstreamContext({}))
  assert.throws(() => upstreamContext({ caPem: ca.cert, clientCert: client.cert, clientKey: 'no key' }))
})
