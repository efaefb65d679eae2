import assert from 'node:assert/strict'
import { request } from 'node:https'
import { after, before, test } from 'node:test'
import { decrypt } from '../../src/resources/keyring.ts'
import { adminKey, keyring, type RunningAdmin, startAdmin, startAdminFor } from '../support/admin-server.ts'
import { makeCa, makeCertificate } from '../support/certificates.ts'

const ca = makeCa()
const pair = makeCertificate({ ca, names: ['localhost', '127.0.0.1'] })
const other = makeCertificate({ ca, names: ['b.test'] })
let admin: RunningAdmin
before(async () => {
  admin = await startAdmin()
})
after(() => admin.close())

interface Ssl {
  readonly value: { readonly key?: string; readonly keys?: string[]; readonly snis?: string[]; readonly sni?: string }
}

test('a private key is encrypted where it is stored, and the reply to the write shows it so', async () => {
  const answer = await admin.call('PUT', '/ssls/1', { sni: 'a.test', ...pair })
  assert.equal(answer.status, 201, answer.text)
  assert.equal(answer.text.includes('PRIVATE KEY'), false)
  const { value } = answer.json() as Ssl
  assert.ok(value.key)
  assert.ok(JSON.stringify(decrypt(keyring, value.key)).includes('PRIVATE KEY'))
  assert.equal((await admin.source.read('ssls', '1'))?.value['key'], value.key)
})

test('neither one nor a list shows any key', async () => {
  await admin.call('PUT', '/ssls/2', { sni: 'b.test', ...pair, certs: [other.cert], keys: [other.key] })
  for (const path of ['/ssls/1', '/ssls/2', '/ssls']) {
    const { status, text } = await admin.call('GET', path)
    assert.equal(status, 200)
    assert.equal(/"keys?":/.test(text.replace(/"key":"\/apisix/g, '')), false, path)
  }
})

test('a PATCH keeps the stored key, also when it does not speak of it', async () => {
  const before = (await admin.source.read('ssls', '1'))?.value['key']
  const answer = await admin.call('PATCH', '/ssls/1', { sni: null, snis: ['c.test'] })
  assert.equal(answer.status, 200, answer.text)
  const { value } = answer.json() as Ssl
  assert.deepEqual([value.key, value.snis, value.sni], [before, ['c.test'], undefined])
})

test('a certificate and a key that do not belong together are refused', async () => {
  const answer = await admin.call('PUT', '/ssls/3', { sni: 'a.test', cert: pair.cert, key: other.key })
  assert.equal(answer.status, 400)
  assert.match((answer.json() as { error_msg: string }).error_msg, /^failed to parse (?:cert|key)/)
})

/** One GET of the routes over TLS, with or without a client certificate. */
function getOverTls(port: number, client: { cert?: string; key?: string } = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      path: '/apisix/admin/routes',
      ca: ca.cert,
      agent: false,
      headers: { 'x-api-key': adminKey },
      ...client,
    }
    request(options, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
      .on('error', reject)
      .end()
  })
}

test('the Admin API speaks TLS when it has a certificate', async (t) => {
  const { port } = await startAdminFor(t, { tls: pair })
  assert.equal(await getOverTls(port), 200)
})

test('with an authority for clients only those with its certificate get in', async (t) => {
  const { port } = await startAdminFor(t, { tls: { ...pair, ca: ca.cert } })
  const client = makeCertificate({ ca, names: ['operator'], client: true })
  assert.equal(await getOverTls(port, client), 200)
  await assert.rejects(getOverTls(port))
  await assert.rejects(getOverTls(port, makeCertificate({ ca: makeCa(), names: ['stranger'], client: true })))
})
