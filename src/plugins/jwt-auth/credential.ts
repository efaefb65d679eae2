/** What a consumer of jwt-auth has: its algorithm and the key that its tokens are verified with. Tokens are not looked at here. */
import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import type { JsonObject, JsonSchema } from '#sdk'

const algorithms = 'HS256 HS384 HS512 RS256 RS384 RS512 ES256 ES384 ES512 PS256 PS384 PS512 EdDSA'.split(' ')

export const credentialSchema: JsonSchema = {
  type: 'object',
  properties: {
    key: { type: 'string', minLength: 1 },
    secret: { type: 'string', minLength: 1 },
    public_key: { type: 'string', minLength: 1 },
    algorithm: { type: 'string', enum: algorithms, default: 'HS256' },
    exp: { type: 'integer', minimum: 1, default: 86400 },
    base64_secret: { type: 'boolean', default: false },
    lifetime_grace_period: { type: 'integer', minimum: 0, default: 0 },
  },
  required: ['key'],
}

export interface VerificationKey {
  readonly algorithm: string
  readonly key: KeyObject | CryptoKey
  /** Seconds that clocks may differ by. */
  readonly graceSeconds: number
}

/** [RFC 7518 §3.4] */
const curves: Readonly<Record<string, string>> = { ES256: 'prime256v1', ES384: 'secp384r1', ES512: 'secp521r1' }
/** [RFC 7518 §3.3, §3.5] */
const leastRsaBits = 2048

/** What is wrong with the keys of a credential; its schema holds. */
export function credentialFault(conf: JsonObject): string | undefined {
  const algorithm = String(conf['algorithm'])
  const { secret, public_key: publicKey } = conf as Record<string, string | undefined>
  if (algorithm.startsWith('HS')) {
    if (secret === undefined) return 'property "secret" is required when using HS based algorithms'
    return conf['base64_secret'] === true && !isBase64(secret)
      ? 'base64_secret required but the secret is not in base64 format'
      : undefined
  }
  if (publicKey === undefined) return 'missing valid public key'
  let key: KeyObject
  try {
    key = createPublicKey(publicKey)
  } catch (error) {
    return `missing valid public key: ${(error as Error).message}`
  }
  const misfit = misfitOf(key, algorithm)
  return misfit === undefined ? undefined : `missing valid public key: ${misfit}`
}

function misfitOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject, algorithm: string) {
  const curve = curves[algorithm]
  if (curve !== undefined) return details?.namedCurve === curve ? undefined : `${algorithm} needs a key of ${curve}`
  if (algorithm === 'EdDSA') return type === 'ed25519' ? undefined : 'EdDSA needs a key of ed25519'
  if (type !== 'rsa' && !(type === 'rsa-pss' && algorithm.startsWith('PS'))) return `${algorithm} needs an RSA key`
  const bits = details?.modulusLength ?? 0
  return bits < leastRsaBits ? `an RSA key needs ${leastRsaBits} bits or more, not ${bits}` : undefined
}

const known = new WeakMap<JsonObject, VerificationKey | Error>()

/** The key of a credential, made once for each. An error where it cannot be used: its secret was not to be had when it was checked. */
export function verificationKey(conf: JsonObject): VerificationKey | Error {
  let made = known.get(conf)
  if (made === undefined) {
    made = makeKey(conf)
    known.set(conf, made)
  }
  return made
}

function makeKey(conf: JsonObject): VerificationKey | Error {
  const fault = credentialFault(conf)
  if (fault !== undefined) return new Error(fault)
  const algorithm = String(conf['algorithm'])
  const graceSeconds = Number(conf['lifetime_grace_period'])
  if (!algorithm.startsWith('HS')) {
    return { algorithm, graceSeconds, key: createPublicKey(String(conf['public_key'])) }
  }
  const secret = Buffer.from(String(conf['secret']), conf['base64_secret'] === true ? 'base64' : 'utf8')
  const method = { name: 'HMAC', hash: `SHA-${algorithm.slice(2)}` }
  return { algorithm, graceSeconds, key: createSecretKey(secret).toCryptoKey(method, false, ['verify']) }
}

const isBase64 = (text: string): boolean =>
  /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/.test(text)
