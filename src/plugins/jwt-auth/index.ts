/** jwt-auth: the caller is known by a claim of a signed token. It verifies tokens; it makes none. [RFC 7519] */
import { compactVerify, decodeJwt, decodeProtectedHeader } from 'jose'
import { type Answer, attachAnonymous, attachConsumer, type ConsumerMatch, type HttpExchange, type Plugin } from '#sdk'
import { credentialFault, credentialSchema, verificationKey } from './credential.ts'
import { findToken, hideToken } from './token-place.ts'

interface Conf {
  readonly header: string
  readonly query: string
  readonly cookie: string
  readonly hide_credentials: boolean
  readonly key_claim_name: string
  readonly store_in_ctx: boolean
  readonly anonymous_consumer?: string
  readonly claims_to_verify?: readonly TimeClaim[]
  readonly realm: string
}

type TimeClaim = 'exp' | 'nbf'

/** The parts of a token that could be read; nothing of it is verified. */
interface Token {
  readonly text: string
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

/** With `store_in_ctx`, the claims as JSON. */
const claimsVariable = 'jwt_auth_payload'
const timeClaims: readonly TimeClaim[] = ['exp', 'nbf']

export const jwtAuth: Plugin<Conf> = {
  name: 'jwt-auth',
  priority: 2510,
  version: 0.1,
  subsystem: 'http',
  type: 'auth',
  schema: {
    type: 'object',
    properties: {
      header: { type: 'string', default: 'authorization' },
      query: { type: 'string', default: 'jwt' },
      cookie: { type: 'string', default: 'jwt' },
      hide_credentials: { type: 'boolean', default: false },
      key_claim_name: { type: 'string', default: 'key', minLength: 1 },
      store_in_ctx: { type: 'boolean', default: false },
      anonymous_consumer: { type: 'string', minLength: 1 },
      claims_to_verify: { type: 'array', items: { type: 'string', enum: ['exp', 'nbf'] }, uniqueItems: true },
      realm: { type: 'string', minLength: 1, maxLength: 128, pattern: '^[ -!#-[\\]-~]+$', default: 'jwt' },
    },
  },
  consumerSchema: credentialSchema,
  encryptedFields: ['secret'],
  checkConsumer: credentialFault,

  create(conf, build) {
    const { anonymous_consumer: anonymous, claims_to_verify: required } = conf
    const places = { header: conf.header.toLowerCase(), query: conf.query, cookie: conf.cookie }
    const headers = { 'WWW-Authenticate': `Bearer realm="${conf.realm}"` }
    const refusal = (message: string): Answer => ({ status: 401, body: { message }, headers })
    const missing = refusal('Missing JWT token in request')
    const unreadable = refusal('JWT token invalid')
    const keyless = refusal('missing user key in JWT token')
    const unknown = refusal('Invalid user key in JWT token')
    const unverified = refusal('failed to verify jwt')

    return {
      rewrite(exchange) {
        const found = findToken(exchange, places)
        if (found === undefined) return refuse(exchange, missing)
        const token = readToken(found.text)
        if (token === undefined) return refuse(exchange, unreadable)
        const key = Object.hasOwn(token.claims, conf.key_claim_name) ? token.claims[conf.key_claim_name] : undefined
        if (key === undefined || key === null) return refuse(exchange, keyless)
        const match = typeof key === 'string' ? build.consumers.find('jwt-auth', 'key', key) : undefined
        if (match === undefined) return refuse(exchange, unknown)
        return isGenuine(token, match).then((genuine) => {
          if (!genuine) return refuse(exchange, unverified)
          if (conf.hide_credentials) hideToken(exchange, places, found.place)
          if (conf.store_in_ctx) exchange.setVariable(claimsVariable, JSON.stringify(token.claims))
          attachConsumer(exchange, match.consumer)
          return undefined
        })
      },
    }

    function refuse(exchange: HttpExchange, answer: Answer): Answer | undefined {
      return anonymous === undefined ? answer : attachAnonymous(build, exchange, anonymous)
    }

    async function isGenuine({ text, header, claims }: Token, { consumer, conf: credential }: ConsumerMatch) {
      const key = verificationKey(credential)
      if (key instanceof Error) {
        const fields = { owner: build.owner, consumer: consumer.username, error: key }
        build.log.error(fields, 'the key of a consumer cannot be used')
        return false
      }
      // What the token says of itself must not choose how it is verified. [RFC 8725 §3.1]
      if (header['alg'] !== key.algorithm || header['crit'] !== undefined) return false
      try {
        await compactVerify(text, key.key, { algorithms: [key.algorithm] })
      } catch {
        return false
      }
      const now = Date.now() / 1000
      return (required ?? timeClaims.filter((name) => claims[name] !== undefined)).every((name) =>
        isInTime(name, claims[name], now, key.graceSeconds),
      )
    }
  },
}

/** [RFC 7519 §4.1.4, §4.1.5] */
function isInTime(name: TimeClaim, value: unknown, now: number, graceSeconds: number): boolean {
  if (typeof value !== 'number') return false
  return name === 'exp' ? now < value + graceSeconds : now >= value - graceSeconds
}

function readToken(text: string): Token | undefined {
  try {
    return { text, header: { ...decodeProtectedHeader(text) }, claims: decodeJwt(text) }
  } catch {
    return undefined
  }
}
