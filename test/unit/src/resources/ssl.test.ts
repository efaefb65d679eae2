/** Certificates: pairs that fit and do not, keys at rest, and the normal form. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../src/base/json.ts'
import { ssl } from '../../../../src/resources/ssl.ts'
import { makeCa, makeCertificate } from '../../../support/certificates.ts'
import { checkOf } from '../../../support/resource-checks.ts'

const ca = makeCa()
const first = makeCertificate({ ca, names: ['a.com'] })
const second = makeCertificate({ ca, names: ['b.com'], type: 'rsa' })
const keyring = ['edd1c9f0985e76a2']
const check = checkOf({ keyring })
const badPem = (text: string) =>
  text.replace(/[a-zA-Z0-9]{8}\n-----END/, '\n-----END').replace(/\n[a-zA-Z0-9+/]{20}/, '\n')

const accepted: readonly (readonly [string, JsonObject])[] = [
  ['a pair with one name', { ...first, sni: 'a.com' }],
  ['a pair with several names', { ...first, snis: ['*.a.com', '*', 'a.com.'] }],
  ['a client certificate without names', { ...first, type: 'client' }],
  ['further pairs', { ...first, sni: 'a.com', certs: [second.cert], keys: [second.key] }],
  ['an authority for clients', { ...first, sni: 'a.com', client: { ca: ca.cert, depth: 2 } }],
  ['versions of TLS', { ...first, sni: 'a.com', ssl_protocols: ['TLSv1.2', 'TLSv1.3'], status: 0 }],
  ['a chain', { cert: first.cert + ca.cert, key: first.key, sni: 'a.com' }],
]
for (const [name, value] of accepted) {
  test(`${name} is accepted`, () => assert.equal(check.check('ssls', '1', value), undefined))
}

const refused: readonly (readonly [string, JsonObject, string])[] = [
  ['a server certificate without a name', { ...first }, 'invalid configuration: then clause did not match'],
  [
    'both one name and several',
    { ...first, sni: 'a.com', snis: ['a.com'] },
    'invalid configuration: then clause did not match',
  ],
  [
    'a certificate without its key',
    { cert: first.cert, sni: 'a.com' },
    'invalid configuration: then clause did not match',
  ],
  [
    'a client certificate without its key',
    { cert: first.cert, type: 'client' },
    'invalid configuration: else clause did not match',
  ],
  [
    'no names at all',
    { ...first, snis: [] },
    'invalid configuration: property "snis" validation failed: expect array to have at least 1 items',
  ],
  [
    'a name with a blank',
    { ...first, sni: 'a b' },
    'invalid configuration: property "sni" validation failed: ' +
      'failed to match pattern "^\\\\*$|^\\\\*?[0-9a-zA-Z-._\\\\[\\\\]:]+$" with "a b"',
  ],
  [
    'a certificate that is too short to be one',
    { cert: 'x', key: first.key, sni: 'a.com' },
    'invalid configuration: property "cert" validation failed: value should match only one schema, but matches none',
  ],
  [
    'an old version of TLS',
    { ...first, sni: 'a.com', ssl_protocols: ['SSLv3'] },
    'invalid configuration: property "ssl_protocols" validation failed: failed to validate item 1: matches none of the enum values',
  ],
  [
    'a text that is no certificate',
    { cert: 'x'.repeat(200), key: first.key, sni: 'a.com' },
    'failed to parse cert: PEM_read_bio_X509_AUX() failed',
  ],
  [
    'a damaged certificate',
    { cert: badPem(first.cert), key: first.key, sni: 'a.com' },
    'failed to parse cert: PEM_read_bio_X509_AUX() failed',
  ],
  [
    'a damaged certificate in a chain',
    { cert: first.cert + badPem(ca.cert), key: first.key, sni: 'a.com' },
    'failed to parse cert: PEM_read_bio_X509_AUX() failed',
  ],
  [
    'a damaged key',
    { cert: first.cert, key: badPem(first.key), sni: 'a.com' },
    'failed to parse key: PEM_read_bio_PrivateKey() failed',
  ],
  [
    'the key of another certificate',
    { cert: first.cert, key: second.key, sni: 'a.com' },
    'failed to parse key: it does not fit the certificate',
  ],
  [
    'a key that is neither PEM nor sealed',
    { cert: first.cert, key: 'x'.repeat(100), sni: 'a.com' },
    'failed to decrypt previous encrypted key',
  ],
  [
    'more certificates than keys',
    { ...first, sni: 'a.com', certs: [second.cert], keys: [] },
    'mismatched number of certs and keys',
  ],
  [
    'a further pair that does not fit',
    { ...first, sni: 'a.com', certs: [second.cert], keys: [first.key] },
    'failed to handle cert-key pair[1]: failed to parse key: it does not fit the certificate',
  ],
  [
    'a further certificate that is none',
    { ...first, sni: 'a.com', certs: ['x'.repeat(200)], keys: [first.key] },
    'failed to handle cert-key pair[1]: failed to parse cert: PEM_read_bio_X509_AUX() failed',
  ],
  [
    'an authority that is no certificate',
    { ...first, sni: 'a.com', client: { ca: 'x'.repeat(200) } },
    'failed to validate client_cert: failed to parse cert: PEM_read_bio_X509_AUX() failed',
  ],
  [
    'exempt paths that are no pattern',
    { ...first, sni: 'a.com', client: { ca: ca.cert, skip_mtls_uri_regex: ['/a', '('] } },
    'invalid client.skip_mtls_uri_regex[1]: error parsing regexp: missing closing ): `(`',
  ],
  [
    'a certificate in a secret manager',
    { cert: '$secret://vault/1/a/cert', key: first.key, sni: 'a.com' },
    'cert: references to secret managers are not built in this version',
  ],
  [
    'an environment variable that is not set',
    { cert: first.cert, key: '$env://NO_KEY', sni: 'a.com' },
    'failed to resolve $env://NO_KEY: it is not set',
  ],
]
for (const [name, value, message] of refused) {
  test(`${name} is refused`, () => assert.equal(check.check('ssls', '1', value), message))
}

test('keys are stored encrypted, stay readable to this program, and are never shown', () => {
  const value = { ...first, sni: 'a.com', certs: [second.cert], keys: [second.key] }
  const sealed = ssl.seal(value, check.context) as typeof value
  assert.doesNotMatch(JSON.stringify(sealed), /PRIVATE KEY/)
  assert.equal(value.key, first.key)
  assert.deepEqual(ssl.seal(sealed, check.context), sealed)
  assert.equal(check.checkLoaded('ssls', '1', sealed), undefined)
  assert.deepEqual((check.normalize('ssls', '1', sealed) as { pairs: unknown }).pairs, [first, second])
  assert.deepEqual(ssl.show(sealed, check.context), { cert: first.cert, sni: 'a.com', certs: [second.cert] })
})

test('without a keyring keys are stored as they are sent', () => {
  const value = { ...first, sni: 'a.com' }
  assert.deepEqual(ssl.seal(value, checkOf().context), value)
})

test('the normal form of a server certificate has its names in lower case without a final dot', () => {
  const normal = check.normalize('ssls', '7', { id: 7, ...first, snis: ['A.Com.', '*.B.com'], client: { ca: ca.cert } })
  assert.deepEqual(normal, {
    id: '7',
    type: 'server',
    status: 1,
    snis: ['a.com', '*.b.com'],
    pairs: [first],
    client: { ca: ca.cert, depth: 1 },
  })
})

test('the normal form of a client certificate has no names', () => {
  const normal = check.normalize('ssls', '7', { ...first, type: 'client', sni: 'a.com', ssl_protocols: ['TLSv1.3'] })
  assert.deepEqual(normal, {
    id: '7',
    type: 'client',
    status: 1,
    snis: [],
    pairs: [first],
    ssl_protocols: ['TLSv1.3'],
  })
})

test('certificate and key may come from the environment', () => {
  const fromEnvironment = checkOf({ environment: { CERT: first.cert, PAIR: JSON.stringify({ key: first.key }) } })
  const value = { cert: '$env://CERT', key: '$ENV://PAIR/key', sni: 'a.com' }
  assert.equal(fromEnvironment.check('ssls', '1', value), undefined)
  assert.deepEqual((fromEnvironment.normalize('ssls', '1', value) as { pairs: unknown }).pairs, [first])
})
