/** HTTPS at the gateway and behind it: certificates by name, ALPN, client certificates and the paths exempt from them. */
import assert from 'node:assert/strict'
import { request } from 'node:https'
import { after, before, describe, test } from 'node:test'
import type { ConnectionOptions } from 'node:tls'
import { type CertificateAuthority, makeCa, makeCertificate } from '../support/certificates.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { type HttpBackend, httpBackend } from '../support/http-backend.ts'
import { resourcesOf } from '../support/resources.ts'
import { tlsConnect } from '../support/tls-client.ts'
import { until } from '../support/until.ts'

interface Answer {
  readonly status: number
  readonly body: string
}

describe('HTTPS', { timeout: 120_000 }, () => {
  let gateway: TestGateway
  let backend: HttpBackend
  let ca: CertificateAuthority
  const { put } = resourcesOf(() => gateway)

  const ask = (servername: string, path: string, more: ConnectionOptions & { host?: string } = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { host = servername, ...tls } = more
      const headers = { host }
      const port = gateway.port('https')
      const options = { host: '127.0.0.1', port, path, headers, servername, ca: [ca.cert], agent: false, ...tls }
      const asked = request(options, (reply) => {
        let body = ''
        reply.setEncoding('utf8')
        reply.on('data', (part: string) => {
          body += part
        })
        reply.on('end', () => resolve({ status: reply.statusCode ?? 0, body }))
      })
      asked.on('error', reject)
      asked.end()
    })

  before(async () => {
    ca = makeCa()
    backend = await httpBackend({ name: 'behind' })
    gateway = await startTestGateway({
      resources: { '/routes/1': { uri: '/*', upstream: { nodes: { [backend.node]: 1 } } } },
    })
    for (const name of ['a.test', 'mutual.test', 'exempt.test']) {
      const pair = makeCertificate({ ca, names: [name] })
      const client =
        name === 'mutual.test'
          ? { client: { ca: ca.cert } }
          : name === 'exempt.test'
            ? { client: { ca: ca.cert, skip_mtls_uri_regex: ['^/open(/|$)'] } }
            : {}
      await put(`/ssls/${name}`, { sni: name, cert: pair.cert, key: pair.key, ...client })
    }
    await until(() => ask('a.test', '/').catch(() => undefined), { what: 'HTTPS' })
  })
  after(async () => {
    await gateway?.stop()
    await backend?.stop()
  })

  test('a request is served under the certificate of its name, and the endpoint is told it came by TLS', async () => {
    assert.deepEqual(await ask('a.test', '/x'), { status: 200, body: 'behind\n' })
    const seen = backend.requests.at(-1)
    assert.equal(seen?.headers['x-forwarded-proto'], 'https')
    assert.equal(seen?.headers['host'], 'a.test')
  })

  test('http/1.1 is what ALPN settles on', async () => {
    const socket = await tlsConnect(gateway.port('https'), {
      servername: 'a.test',
      ca: [ca.cert],
      ALPNProtocols: ['h2', 'http/1.1'],
    })
    assert.equal(socket.alpnProtocol, 'http/1.1')
    socket.destroy()
  })

  test('a name without a certificate fails in the handshake', async () => {
    await assert.rejects(ask('nobody.test', '/'))
  })

  test('where a client certificate is demanded the handshake fails without one', async () => {
    await assert.rejects(ask('mutual.test', '/'))
    const client = makeCertificate({ ca, names: ['device'], client: true })
    assert.equal((await ask('mutual.test', '/', { cert: client.cert, key: client.key })).status, 200)
  })

  test('exempt paths need no client certificate, others are 400 without one', async () => {
    assert.equal((await ask('exempt.test', '/open/door')).status, 200)
    const refused = await ask('exempt.test', '/closed')
    assert.equal(refused.status, 400)
    assert.match(refused.body, /400 Bad Request/)
    const client = makeCertificate({ ca, names: ['device'], client: true })
    assert.equal((await ask('exempt.test', '/closed', { cert: client.cert, key: client.key })).status, 200)
  })

  test('a connection made for one name is refused for a host that demands client certificates', async () => {
    assert.equal((await ask('a.test', '/', { host: 'mutual.test' })).status, 400)
    const client = makeCertificate({ ca, names: ['device'], client: true })
    const shown = { cert: client.cert, key: client.key }
    assert.equal((await ask('exempt.test', '/', { host: 'mutual.test', ...shown })).status, 400)
  })

  test('a pattern that is none is refused with its place', async () => {
    const pair = makeCertificate({ ca, names: ['bad.test'] })
    const reply = await gateway.admin('PUT', '/ssls/bad', {
      ...{ sni: 'bad.test', cert: pair.cert, key: pair.key },
      client: { ca: ca.cert, skip_mtls_uri_regex: ['('] },
    })
    assert.equal(reply.status, 400)
    assert.match(JSON.stringify(reply.body), /client\.skip_mtls_uri_regex\[0\]/)
  })

  test('an endpoint that speaks TLS sees the Host as server name, and is verified where that is asked for', async () => {
    const names: (string | undefined)[] = []
    const pair = makeCertificate({ ca, names: ['inner.test'] })
    const inner = await httpBackend({
      name: 'inner',
      tls: { cert: pair.cert, key: pair.key },
      answer: (_seen, response, raw) => {
        names.push((raw.socket as unknown as { servername?: string }).servername)
        response.end('inner')
      },
    })
    const upstream = { scheme: 'https', nodes: { [inner.node]: 1 }, pass_host: 'rewrite', upstream_host: 'inner.test' }
    await put('/routes/inner', { uri: '/inner', upstream })
    assert.equal((await ask('a.test', '/inner')).body, 'inner')
    assert.equal((await ask('a.test', '/inner')).body, 'inner')
    assert.equal(inner.connections(), 1, 'the connection is kept')
    assert.deepEqual(names, ['inner.test', 'inner.test'])
    // The authority is not among the system's.
    await put('/routes/inner', { uri: '/inner', upstream: { ...upstream, tls: { verify: true } } })
    assert.equal((await ask('a.test', '/inner')).status, 502)
    await inner.stop()
  })
})
