/** Client certificates and resumed sessions: who gets in, and who must not get in by the back door. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { type CertificateAuthority, type CertificatePair, makeCa, makeCertificate } from '../support/certificates.ts'
import { nextBytes, rawSession, tlsConnect } from '../support/tls-client.ts'
import { TlsListener, type TlsListenerOptions } from '../support/tls-listener.ts'
import { until } from '../support/until.ts'

let ca: CertificateAuthority
let clients: CertificateAuthority
let server: CertificatePair
let good: CertificatePair

before(() => {
  ca = makeCa()
  clients = makeCa({ name: 'Clients' })
  server = makeCertificate({ ca, names: ['open.test', 'closed.test'] })
  good = makeCertificate({ ca: clients, names: ['device-7'], client: true })
})

const stops: (() => Promise<void>)[] = []
after(async () => {
  for (const stop of stops) await stop()
})

/** Two names, of which `closed.test` wants a client certificate. */
async function listener(options: TlsListenerOptions = {}, depth = 1): Promise<TlsListener> {
  const listening = new TlsListener(options)
  listening.set({ id: 'open', snis: ['open.test'], pairs: [server] })
  listening.set({ id: 'closed', snis: ['closed.test'], pairs: [server], client: { ca: clients.cert, depth } })
  await listening.start()
  stops.push(() => listening.stop())
  return listening
}

/** Connects and makes sure that bytes go through: in TLS 1.3 a client learns of its refusal after its handshake. */
async function enters(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const client = await tlsConnect(port, options)
  client.write('knock')
  assert.equal((await nextBytes(client)).toString(), 'knock')
  return client
}

async function isRefused(port: number, options: ConnectionOptions): Promise<Error> {
  const sessions: Buffer[] = []
  let client: TLSSocket | undefined
  try {
    client = await tlsConnect(port, options)
    client.on('session', (session) => sessions.push(session))
    client.write('knock')
    await nextBytes(client)
  } catch (error) {
    // Who was refused must not walk in with a ticket later.
    assert.deepEqual(sessions, [])
    return error as Error
  } finally {
    client?.destroy()
  }
  throw new assert.AssertionError({ message: 'the client got in' })
}

/** A connection together with a session to resume later. */
async function withSession(port: number, options: ConnectionOptions): Promise<Buffer> {
  const client = await tlsConnect(port, options)
  const [session] = await Promise.all([
    options.maxVersion === 'TLSv1.2' ? client.getSession() : once(client, 'session').then(([bytes]) => bytes as Buffer),
    client.write('x'),
  ])
  client.destroy()
  return rawSession(session as Buffer)
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`a client with a certificate of the right authority gets in and is named (${maxVersion})`, async () => {
    const listening = await listener()
    const client = await enters(listening.port, { servername: 'closed.test', maxVersion, ...good })
    const peer = listening.links[0]?.tls?.peer
    assert.equal(peer?.subject, 'CN=device-7')
    assert.match(peer?.serial ?? '', /^[0-9A-F]{30,32}$/)
    assert.match(peer?.fingerprint ?? '', /^[0-9a-f]{40}$/)
    client.destroy()
  })

  test(`a client without a certificate fails its handshake with the alert for it (${maxVersion})`, async () => {
    const listening = await listener()
    const error = await isRefused(listening.port, { servername: 'closed.test', maxVersion })
    assert.match(String(error), maxVersion === 'TLSv1.3' ? /certificate required/ : /handshake failure/)
    await until(() => listening.errors.length > 0, { what: 'the refusal' })
    assert.equal(listening.errors[0]?.code, 'client_certificate')
    assert.equal(listening.links.length, 0)
  })

  test(`certificates of another authority, expired ones and server certificates are refused (${maxVersion})`, async () => {
    const listening = await listener()
    const yesterday = new Date(Date.now() - 86_400_000)
    const wrong = [
      makeCertificate({ ca, names: ['device-7'], client: true }),
      makeCertificate({ ca: makeCa({ name: 'Clients' }), names: ['device-7'], client: true }),
      makeCertificate({ ca: clients, names: ['device-7'], client: true, notBefore: new Date(0), notAfter: yesterday }),
      makeCertificate({ ca: clients, names: ['device-7'] }),
    ]
    for (const [index, pair] of wrong.entries()) {
      await isRefused(listening.port, { servername: 'closed.test', maxVersion, ...pair })
      await until(() => listening.errors.length > index, { what: 'the refusal' })
      assert.equal(listening.errors[index]?.code, 'client_certificate')
    }
    assert.match(listening.errors[2]?.message ?? '', /expired/)
    assert.equal(listening.links.length, 0)
  })

  test(`a chain may pass through as many authorities as the depth says (${maxVersion})`, async () => {
    const first = makeCa({ name: 'First', ca: clients })
    const second = makeCa({ name: 'Second', ca: first })
    const below = (above: CertificateAuthority): CertificatePair =>
      makeCertificate({ ca: above, names: ['device-8'], client: true })
    for (const [depth, allowed, refused] of [
      [0, clients, first],
      [1, first, second],
    ] as const) {
      const listening = await listener({ defaults: { sessionTickets: true } }, depth)
      const options: ConnectionOptions = { servername: 'closed.test', maxVersion }
      const client = await enters(listening.port, { ...options, ...below(allowed) })
      client.destroy()
      await isRefused(listening.port, { ...options, ...below(refused) })
      await until(() => listening.errors.length > 0, { what: 'the refusal' })
      assert.equal(listening.errors[0]?.code, 'client_certificate')
      assert.match(listening.errors[0]?.message ?? '', /intermediate authorities/)
    }
  })

  test(`where a certificate is only asked for, a client without a valid one is served as nobody (${maxVersion})`, async () => {
    const listening = await listener({ unverified: 'serve' })
    const options: ConnectionOptions = { servername: 'closed.test', maxVersion }
    const none = await enters(listening.port, options)
    const stranger = await enters(listening.port, {
      ...options,
      ...makeCertificate({ ca, names: ['x'], client: true }),
    })
    const known = await enters(listening.port, { ...options, ...good })
    assert.deepEqual(
      listening.links.map((link) => link.tls?.peer?.subject),
      [undefined, undefined, 'CN=device-7'],
    )
    for (const client of [none, stranger, known]) client.destroy()
  })

  test(`a name that wants no certificate never asks for one (${maxVersion})`, async () => {
    const listening = await listener()
    const client = await enters(listening.port, { servername: 'open.test', maxVersion, ...good })
    assert.equal(listening.links[0]?.tls?.peer, undefined)
    client.destroy()
  })

  test(`with tickets, a session is resumed by another worker of the same secret, and by none of another (${maxVersion})`, async () => {
    const tickets = { sessionTickets: true }
    const one = await listener({ defaults: tickets })
    const two = await listener({ defaults: tickets })
    const other = await listener({ defaults: { ...tickets, ticketSecret: new Uint8Array(32).fill(9) } })
    const options: ConnectionOptions = { servername: 'open.test', maxVersion }
    const session = await withSession(one.port, options)
    const same = await enters(two.port, { ...options, session })
    assert.equal(same.isSessionReused(), true)
    assert.equal(two.links[0]?.tls?.resumed, true)
    const not = await enters(other.port, { ...options, session })
    assert.equal(not.isSessionReused(), false)
    same.destroy()
    not.destroy()
  })

  test(`without tickets nothing is resumed (${maxVersion})`, async () => {
    const listening = await listener()
    const options: ConnectionOptions = { servername: 'open.test', maxVersion }
    const client = await enters(listening.port, options)
    const session = client.getSession()
    client.destroy()
    const again = await enters(listening.port, { ...options, ...(session && { session: rawSession(session) }) })
    assert.equal(again.isSessionReused(), false)
    again.destroy()
  })

  test(`a session of a name without client certificates opens no name with them (${maxVersion})`, async () => {
    const listening = await listener({ defaults: { sessionTickets: true } })
    const session = await withSession(listening.port, { servername: 'open.test', maxVersion })
    await isRefused(listening.port, { servername: 'closed.test', maxVersion, session })
    await until(() => listening.errors.length > 0, { what: 'the refusal' })
    assert.equal(listening.errors[0]?.code, 'client_certificate')
    // The client itself may come in: the session is ignored and its certificate asked for.
    const client = await enters(listening.port, { servername: 'closed.test', maxVersion, session, ...good })
    assert.equal(client.isSessionReused(), false)
    client.destroy()
  })

  test(`a resumed session still knows whose certificate it was made with (${maxVersion})`, async () => {
    const listening = await listener({ defaults: { sessionTickets: true } })
    const options: ConnectionOptions = { servername: 'closed.test', maxVersion, ...good }
    const session = await withSession(listening.port, options)
    const client = await enters(listening.port, { ...options, session })
    assert.equal(client.isSessionReused(), true)
    assert.equal(listening.links.at(-1)?.tls?.peer?.subject, 'CN=device-7')
    client.destroy()
  })

  test(`a session made as nobody, where a certificate was only asked for, does not open where one is demanded (${maxVersion})`, async () => {
    const defaults = { sessionTickets: true }
    const lax = await listener({ defaults, unverified: 'serve' })
    const strict = await listener({ defaults })
    const session = await withSession(lax.port, { servername: 'closed.test', maxVersion })
    await isRefused(strict.port, { servername: 'closed.test', maxVersion, session })
    await until(() => strict.errors.length > 0, { what: 'the refusal' })
    assert.equal(strict.errors[0]?.code, 'client_certificate')
    assert.equal(strict.links.length, 0)
  })

  test(`a session does not survive the replacement of the trusted authority (${maxVersion})`, async () => {
    const listening = await listener({ defaults: { sessionTickets: true } })
    const options: ConnectionOptions = { servername: 'closed.test', maxVersion, ...good }
    const session = await withSession(listening.port, options)
    const others = makeCa({ name: 'Others' })
    listening.set({ id: 'closed', snis: ['closed.test'], pairs: [server], client: { ca: others.cert, depth: 1 } })
    await isRefused(listening.port, { ...options, session })
    await until(() => listening.errors.length > 0, { what: 'the refusal' })
    assert.equal(listening.errors[0]?.code, 'client_certificate')
  })
}
