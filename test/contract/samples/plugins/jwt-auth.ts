/** jwt-auth on routes; on consumers it says how their tokens are signed. */
import { generateKeyPairSync } from 'node:crypto'
import type { PluginSamples } from '../../plugin.ts'

const encodings = {
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
} as const
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048, ...encodings }).publicKey
const smallRsa = generateKeyPairSync('rsa', { modulusLength: 1024, ...encodings }).publicKey
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256', ...encodings }).publicKey
const ed25519 = generateKeyPairSync('ed25519', encodings).publicKey

export const samples: PluginSamples = {
  accepted: [
    {},
    { header: 'x-jwt', query: 'token', cookie: 'token', hide_credentials: true, store_in_ctx: true },
    { claims_to_verify: ['exp', 'nbf'], key_claim_name: 'iss', realm: 'inner', anonymous_consumer: 'a' },
  ],
  refused: [
    [{ key_claim_name: '' }, 'property "key_claim_name" validation failed'],
    [{ claims_to_verify: ['iat'] }, 'property "claims_to_verify" validation failed'],
    [{ realm: 'a"b' }, 'property "realm" validation failed'],
    [{ hide_credentials: 'yes' }, 'property "hide_credentials" validation failed'],
  ],
  consumers: {
    accepted: [
      { key: 'a', secret: 'b' },
      { key: 'a', secret: 'Zm9v', base64_secret: true, algorithm: 'HS512', exp: 10, lifetime_grace_period: 5 },
      { key: 'a', algorithm: 'RS256', public_key: rsa },
      { key: 'a', algorithm: 'PS384', public_key: rsa },
      { key: 'a', algorithm: 'ES256', public_key: p256 },
      { key: 'a', algorithm: 'EdDSA', public_key: ed25519 },
    ],
    refused: [
      [{}, 'property "key" is required'],
      [{ key: '' }, 'property "key" validation failed'],
      [{ key: 'a' }, 'property "secret" is required when using HS based algorithms'],
      [{ key: 'a', secret: '' }, 'property "secret" validation failed'],
      [{ key: 'a', secret: '*', base64_secret: true }, 'the secret is not in base64 format'],
      [{ key: 'a', algorithm: 'none' }, 'property "algorithm" validation failed'],
      [{ key: 'a', algorithm: 'RS256' }, 'missing valid public key'],
      [{ key: 'a', algorithm: 'RS256', public_key: 'x' }, 'missing valid public key'],
      [{ key: 'a', algorithm: 'RS256', public_key: smallRsa }, 'an RSA key needs 2048 bits or more, not 1024'],
      [{ key: 'a', algorithm: 'RS256', public_key: p256 }, 'RS256 needs an RSA key'],
      [{ key: 'a', algorithm: 'ES384', public_key: p256 }, 'ES384 needs a key of secp384r1'],
      [{ key: 'a', algorithm: 'EdDSA', public_key: p256 }, 'EdDSA needs a key of ed25519'],
    ],
  },
}
