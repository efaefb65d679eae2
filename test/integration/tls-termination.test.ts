/** TLS terminated, spoken to by node:tls and openssl. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { createHash, randomBytes, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { after, before, test } from 'node:test'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import type { Link, Receiver } from '../../src/net/link.ts'
import { borrowing } from '../../src/net/portable/tls-socket.ts'
import { createPortableWire } from '../../src/net/portable/wire.ts'
import { type CertificateAuthority, type CertificatePair, makeCa, makeCertificate } from '../support/certificates.ts'
import { nextBytes, readAll, tlsConnect } from '../support/tls-client.ts'
import { echo, TlsListener, type TlsListenerOptions } from '../support/tls-listener.ts'
import { until } from '../support/until.ts'

const needsOpenssl = spawnSync('openssl', ['version']).error === undefined ? false : 'needs openssl'

let ca: CertificateAuthority
let ec: CertificatePair
let rsa: CertificatePair

before(() => {
  ca = makeCa()
  ec = makeCertificate({ ca, names: ['a.test', '*.wild.test'] })
  rsa = makeCertificate({ ca, names: ['a.test'], type: 'rsa' })
})

const stops: (() => Promise<void>)[] = []
after(async () => {
  for (const stop of stops) await stop()
})

async function listener(options: TlsListenerOptions = {}): Promise<TlsListener> {
  const listening = new TlsListener(options)
  await listening.start()
  stops.push(() => listening.stop())
  return listening
}

async function serving(options: TlsListenerOptions = {}): Promise<TlsListener> {
  const listening = await listener(options)
  listening.set({ id: '1', snis: ['a.test'], pairs: [ec] })
  return listening
}

async function echoes(socket: TLSSocket, text: string): Promise<void> {
  socket.write(text)
  assert.equal((await nextBytes(socket)).toString(), text)
}

function alertOf(error: unknown): string {
  return String((error as { reason?: string }).reason ?? (error as Error).message)
}

for (const [mode, on] of [
  ['borrowed reads', true],
  ['plain data events', false],
] as const) {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`${version} is terminated, and what it was is told (${mode})`, async (t) => {
      const was = borrowing.on
      borrowing.on = on
      t.after(() => {
        borrowing.on = was
      })
      const listening = await serving({ alpn: ['mqtt', 'h2'] })
      const options: ConnectionOptions = {
        servername: 'a.test',
        ca: ca.cert,
        rejectUnauthorized: true,
        ALPNProtocols: ['h2'],
      }
      const client = await tlsConnect(listening.port, { ...options, minVersion: version, maxVersion: version })
      await echoes(client, 'hello')
      const [link] = listening.links
      assert.ok(link)
      const { serverName, alpn, protocol, cipher, resumed, peer } = link.tls ?? {}
      assert.deepEqual([serverName, alpn, protocol, resumed, peer], ['a.test', 'h2', version, false, undefined])
      assert.equal(cipher, client.getCipher().name)
      assert.equal(link.remotePort, client.localPort)
      assert.equal(link.remoteAddress, '127.0.0.1')
      assert.equal(link.localPort, listening.port)
      assert.deepEqual([link.bytesRead, link.bytesWritten], [5, 5])
      client.end()
      await once(client, 'close')
      await until(() => link.closed, { what: 'the close of the link' })
    })
  }

  test(`8 MB go both ways and arrive unchanged, though the buffers of reads are reused (${mode})`, async (t) => {
    const was = borrowing.on
    borrowing.on = on
    t.after(() => {
      borrowing.on = was
    })
    // Overwrites what it was lent as soon as it has forwarded it: node:tls must be done with it by then.
    const receiver: Receiver = {
      ...echo,
      bytes(link, bytes) {
        echo.bytes(link, bytes)
        bytes.fill(0)
      },
    }
    const listening = await serving({ receiver })
    const client = await tlsConnect(listening.port, { servername: 'a.test' })
    const sent = randomBytes(8 * 1024 * 1024)
    const got = readAll(client)
    client.end(sent)
    const bytes = await got
    assert.equal(bytes.length, sent.length)
    assert.equal(digest(bytes), digest(sent))
    assert.equal(listening.links[0]?.bytesRead, sent.length)
    assert.equal(listening.links[0]?.bytesWritten, sent.length)
  })
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

for (const on of [true, false]) {
  test(`TLS runs over a wire of public modules alone as well (${on ? 'borrowed reads' : 'plain data events'})`, async (t) => {
    const was = borrowing.on
    borrowing.on = on
    t.after(() => {
      borrowing.on = was
    })
    const listening = await serving({ wire: createPortableWire({ handles: false }) })
    const client = await tlsConnect(listening.port, { servername: 'a.test' })
    const sent = randomBytes(1024 * 1024)
    const got = readAll(client)
    client.end(sent)
    assert.equal(digest(await got), digest(sent))
    await until(() => listening.links[0]?.closed, { what: 'the close of the link' })
  })
}

test('heads and bodies sent together stay together and in order, though their places are used again', async () => {
  const sizes = [0, 1, 100, 16_384, 60_000, 70_000, 300_000]
  const sent: Buffer[] = []
  const receiver: Receiver = {
    ...echo,
    bytes(link) {
      for (let round = 0; round < 20; round += 1) {
        for (const size of sizes) {
          const text = `head \u00e9\u00ff ${round} of ${size}\r\n\r\n`
          const body = randomBytes(size)
          sent.push(Buffer.from(text, 'latin1'), Buffer.from(body))
          if (size === 0) link.sendText(text)
          else link.sendText(text, body)
          body.fill(0)
        }
      }
      link.end()
    },
  }
  const listening = await serving({ receiver })
  const client = await tlsConnect(listening.port, { servername: 'a.test' })
  client.write('go')
  assert.equal(digest(await readAll(client)), digest(Buffer.concat(sent)))
})

test('a client that reads slowly holds the sender back and still gets everything', async () => {
  const total = 8 * 1024 * 1024
  const part = randomBytes(64 * 1024)
  let left = total
  let mostPending = 0
  const pour = (link: Link): void => {
    let more = true
    while (more && left > 0) {
      left -= part.length
      more = link.send(part)
      mostPending = Math.max(mostPending, link.pending)
    }
    if (left === 0) link.end()
  }
  const receiver: Receiver = { ...echo, bytes: (link) => pour(link), drained: (link) => pour(link) }
  const listening = await serving({ receiver })
  const client = await tlsConnect(listening.port, { servername: 'a.test' })
  client.write('go')
  await until(() => listening.links[0]?.pending, { what: 'a full send queue' })
  assert.equal(client.bytesRead < total, true)
  const bytes = await readAll(client)
  assert.equal(bytes.length, total)
  assert.ok(mostPending <= 2 * part.length, `${mostPending} bytes were queued`)
})

test('each half is closed on its own', async () => {
  const ended: string[] = []
  const receiver: Receiver = {
    ...echo,
    bytes: (_link, bytes) => void ended.push(Buffer.from(bytes).toString()),
    ended: (link) => {
      ended.push('ended')
      // The other half is still open.
      link.send(Buffer.from('after your end'))
      link.end()
    },
    closed: (_link, error) => void ended.push(`closed ${error?.code ?? 'in order'}`),
  }
  const listening = await serving({ receiver })
  const client = await tlsConnect(listening.port, { servername: 'a.test', allowHalfOpen: true } as ConnectionOptions)
  client.end('last words')
  assert.equal((await readAll(client)).toString(), 'after your end')
  await until(() => ended.length === 3, { what: 'the close of the link' })
  assert.deepEqual(ended, ['last words', 'ended', 'closed in order'])
})

test('this side may end first and go on reading', async () => {
  const got: string[] = []
  const receiver: Receiver = {
    ...echo,
    bytes: (link, bytes) => {
      got.push(Buffer.from(bytes).toString())
      if (got.length === 1) link.end()
    },
    ended: () => void got.push('ended'),
    closed: (_link, error) => void got.push(`closed ${error?.code ?? 'in order'}`),
  }
  const listening = await serving({ receiver })
  const client = await tlsConnect(listening.port, { servername: 'a.test', allowHalfOpen: true } as ConnectionOptions)
  client.write('one')
  assert.equal((await readAll(client)).toString(), '')
  client.end('two')
  await until(() => got.length === 4, { what: 'the close of the link' })
  assert.deepEqual(got, ['one', 'two', 'ended', 'closed in order'])
})

test('a paused link delivers nothing until it is resumed', async () => {
  const got: Buffer[] = []
  const receiver: Receiver = {
    ...echo,
    bytes: (link, bytes) => {
      got.push(Buffer.from(bytes))
      link.pause()
    },
  }
  const listening = await serving({ receiver })
  const client = await tlsConnect(listening.port, { servername: 'a.test' })
  const sent = randomBytes(100_000)
  client.write(sent)
  for (let count = 1; Buffer.concat(got).length < sent.length; count += 1) {
    await until(() => got.length === count, { what: `part ${count}` })
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(got.length, count)
    listening.links[0]?.resume()
  }
  assert.deepEqual(Buffer.concat(got), sent)
})

test('a reset link is a reset connection for the client', async () => {
  const receiver: Receiver = { ...echo, bytes: (link) => link.reset() }
  const listening = await serving({ receiver })
  const client = await tlsConnect(listening.port, { servername: 'a.test' })
  const failed = once(client, 'error')
  client.write('x')
  assert.equal((await failed)[0].code, 'ECONNRESET')
})

test('a client that is reset is told as client_gone, once', async () => {
  const closes: (string | undefined)[] = []
  const receiver: Receiver = { ...echo, closed: (_link, error) => void closes.push(error?.code) }
  const listening = await serving({ receiver })
  const raw = connectTcp(listening.port, '127.0.0.1')
  await once(raw, 'connect')
  const client = await tlsConnect(listening.port, { servername: 'a.test', socket: raw })
  await echoes(client, 'x')
  raw.resetAndDestroy()
  await until(() => closes.length > 0, { what: 'the close of the link' })
  assert.deepEqual(closes, ['client_gone'])
})

test('close sends what was accepted and then says goodbye', async () => {
  const sent = randomBytes(1_000_000)
  const closes: unknown[] = []
  const receiver: Receiver = {
    ...echo,
    bytes: (link) => {
      link.send(sent)
      link.close()
    },
    closed: (_link, error) => void closes.push(error),
  }
  const listening = await serving({ receiver })
  const client = await tlsConnect(listening.port, { servername: 'a.test' })
  client.write('x')
  assert.equal(digest(await readAll(client)), digest(sent))
  await until(() => closes.length > 0, { what: 'the close of the link' })
  assert.deepEqual(closes, [undefined])
})

test('an RSA and an ECDSA certificate serve side by side, by what the client can verify', async () => {
  const listening = await listener()
  const chained = makeCa({ ca: makeCa({ name: 'Root of RSA', type: 'rsa' }), type: 'rsa' })
  const below = makeCertificate({ ca: chained, names: ['a.test'], type: 'rsa' })
  listening.set({ id: '1', snis: ['a.test'], pairs: [ec, below] })
  const modern = await tlsConnect(listening.port, { servername: 'a.test', sigalgs: 'ECDSA+SHA256:RSA-PSS+SHA256' })
  assert.equal(modern.getPeerX509Certificate()?.publicKey.asymmetricKeyType, 'ec')
  modern.destroy()
  const old = await tlsConnect(listening.port, { servername: 'a.test', sigalgs: 'RSA-PSS+SHA256:RSA+SHA256' })
  assert.equal(old.getPeerX509Certificate()?.publicKey.asymmetricKeyType, 'rsa')
  // Each pair sends its own chain.
  const issuer = old.getPeerCertificate(true).issuerCertificate
  assert.equal(issuer.subject.CN, chained.name)
  old.destroy()
  const tls12 = { servername: 'a.test', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' } as const
  const older = await tlsConnect(listening.port, tls12)
  assert.equal(older.getPeerX509Certificate()?.publicKey.asymmetricKeyType, 'rsa')
  older.destroy()
})

test('openssl s_client gets through with each version and reads its echo', { skip: needsOpenssl }, async () => {
  const listening = await listener()
  listening.set({ id: '1', snis: ['a.test'], pairs: [ec, rsa] })
  for (const version of ['-tls1_2', '-tls1_3']) {
    const args = [
      's_client',
      '-connect',
      `127.0.0.1:${listening.port}`,
      '-servername',
      'a.test',
      version,
      '-quiet',
      '-no_ign_eof',
    ]
    const child = spawn('openssl', args, { stdio: ['pipe', 'pipe', 'ignore'] })
    child.stdin.write('through and through\n')
    const [chunk] = await once(child.stdout, 'data')
    assert.equal(String(chunk), 'through and through\n')
    child.stdin.end()
    await once(child, 'exit')
  }
})

test('a wildcard covers one label, a name that nothing covers gets alert 112', async () => {
  const listening = await listener()
  listening.set({ id: '1', snis: ['*.wild.test'], pairs: [ec] })
  const client = await tlsConnect(listening.port, { servername: 'x.wild.test', ca: ca.cert, rejectUnauthorized: true })
  await echoes(client, 'x')
  client.destroy()
  for (const servername of ['a.test', 'wild.test', 'x.y.wild.test']) {
    await assert.rejects(tlsConnect(listening.port, { servername }), (error) =>
      /unrecognized name/.test(alertOf(error)),
    )
  }
  await assert.rejects(tlsConnect(listening.port), (error) => /unrecognized name/.test(alertOf(error)))
  assert.deepEqual([...new Set(listening.errors.map((error) => error.code))], ['no_certificate'])
})

test('a client without SNI gets the certificate of the fallback name', async () => {
  const listening = await serving({ fallbackSni: 'a.test' })
  const client = await tlsConnect(listening.port)
  assert.equal(client.getPeerX509Certificate()?.subject, 'CN=a.test')
  assert.equal(listening.links[0]?.tls?.serverName, undefined)
  client.destroy()
})

test('a certificate replaced while in use serves the next handshake and ends no connection', async () => {
  const listening = await serving()
  const before = await tlsConnect(listening.port, { servername: 'a.test' })
  const renewed = makeCertificate({ ca, names: ['a.test'] })
  listening.set({ id: '1', snis: ['a.test'], pairs: [renewed] })
  const later = await tlsConnect(listening.port, { servername: 'a.test' })
  assert.equal(later.getPeerX509Certificate()?.fingerprint256, new X509Certificate(renewed.cert).fingerprint256)
  await echoes(before, 'still here')
  before.destroy()
  later.destroy()
})

test('a version that is switched off for one name is refused there and served elsewhere', async () => {
  const listening = await serving()
  listening.set({ id: '2', snis: ['new.test'], pairs: [ec], ssl_protocols: ['TLSv1.3'] })
  const old = { maxVersion: 'TLSv1.2' } as const
  await assert.rejects(tlsConnect(listening.port, { servername: 'new.test', ...old }), (error) =>
    /alert protocol version/.test(alertOf(error)),
  )
  await until(() => listening.errors.length > 0, { what: 'the failure' })
  assert.equal(listening.errors[0]?.code, 'bad_tls')
  assert.match(listening.errors[0]?.message ?? '', /unsupported protocol/)
  const client = await tlsConnect(listening.port, { servername: 'a.test', ...old })
  client.destroy()
})

test('no common protocol of ALPN is refused with alert 120, and a listener without protocols ignores the offer', async () => {
  const strict = await serving({ alpn: ['mqtt'] })
  await assert.rejects(tlsConnect(strict.port, { servername: 'a.test', ALPNProtocols: ['h2'] }), (error) =>
    /no application protocol/.test(alertOf(error)),
  )
  const lax = await serving()
  const client = await tlsConnect(lax.port, { servername: 'a.test', ALPNProtocols: ['h2'] })
  assert.equal(client.alpnProtocol, false)
  assert.equal(lax.links[0]?.tls?.alpn, undefined)
  client.destroy()
})
