/** Encryption at rest, compared with what APISIX writes. */
import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { test } from 'node:test'
import { decrypt, encrypt, openPrivateKey, sealPrivateKey } from '../../../../src/resources/keyring.ts'

const short = 'edd1c9f0985e76a2'
const long = '0123456789abcdef0123456789abcdef'

test('a key of 16 bytes is AES-128-CBC with itself as IV, base64', () => {
  const cipher = createCipheriv('aes-128-cbc', short, short)
  const expected = Buffer.concat([cipher.update('secret'), cipher.final()]).toString('base64')
  assert.equal(encrypt([short, long], 'secret'), expected)
})

test('a key of 32 bytes is AES-256-CBC with its first half as IV', () => {
  const cipher = createCipheriv('aes-256-cbc', long, long.slice(0, 16))
  const expected = Buffer.concat([cipher.update('ключ'), cipher.final()]).toString('base64')
  assert.equal(encrypt([long], 'ключ'), expected)
  assert.equal(decrypt([long], expected), 'ключ')
})

test('the first key encrypts, every key is tried to decrypt', () => {
  const old = encrypt([long], 'secret')
  assert.equal(
    decrypt([short, long], old, (text) => text === 'secret'),
    'secret',
  )
})

test('what no key opens is undefined, not an error', () => {
  assert.equal(
    decrypt([short], encrypt([long], 'secret'), (text) => text === 'secret'),
    undefined,
  )
  for (const text of ['', 'plain text', 'AAAA', '****']) assert.equal(decrypt([short], text), undefined, text)
  assert.equal(decrypt([], encrypt([short], 'secret')), undefined)
})

test('an empty ring encrypts nothing', () => assert.equal(encrypt([], 'secret'), 'secret'))

test('only PEM text is sealed, so sealing twice does no harm', () => {
  const pem = '-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n'
  const sealed = sealPrivateKey([short], pem)
  assert.notEqual(sealed, pem)
  assert.equal(sealPrivateKey([short], sealed), sealed)
  assert.equal(openPrivateKey([long, short], sealed), pem)
  assert.equal(openPrivateKey([], pem), pem)
  assert.equal(openPrivateKey([long], sealed), undefined)
})

test('a key of any other length names the setting that holds it', () => {
  assert.throws(() => encrypt(['short'], 'x'), /data_encryption\.keyring: a key has 5 bytes; 16 or 32 are needed/)
})
