/** basic-auth: the caller is known by name and password. [RFC 7617] */
import { createHash, timingSafeEqual } from 'node:crypto'
import { attachAnonymous, attachConsumer, type ConsumerMatch, type Plugin } from '#sdk'

interface Conf {
  readonly hide_credentials: boolean
  readonly anonymous_consumer?: string
  readonly realm: string
}

interface Credentials {
  readonly username: string
  readonly password: string
}

export const basicAuth: Plugin<Conf> = {
  name: 'basic-auth',
  priority: 2520,
  version: 0.1,
  subsystem: 'http',
  type: 'auth',
  schema: {
    type: 'object',
    properties: {
      hide_credentials: { type: 'boolean', default: false },
      anonymous_consumer: { type: 'string', minLength: 1 },
      realm: { type: 'string', minLength: 1, maxLength: 128, pattern: '^[ -!#-[\\]-~]+$', default: 'basic' },
    },
  },
  consumerSchema: {
    type: 'object',
    properties: { username: { type: 'string' }, password: { type: 'string' } },
    required: ['username', 'password'],
  },
  encryptedFields: ['password'],

  create({ hide_credentials: hides, anonymous_consumer: anonymous, realm }, build) {
    const headers = { 'WWW-Authenticate': `Basic realm="${realm}"` }
    const refusal = (message: string) => ({ status: 401, body: { message }, headers })
    const missing = refusal('Missing authorization in request')
    const invalid = refusal('Invalid authorization in request')
    const unknown = refusal('Invalid user authorization')
    return {
      rewrite(exchange) {
        const { headers: sent } = exchange.request
        const field = sent.get('authorization')
        const credentials = field === undefined ? undefined : readCredentials(field)
        const match = credentials === undefined ? undefined : verified(credentials)
        if (match === undefined) {
          if (anonymous !== undefined) return attachAnonymous(build, exchange, anonymous)
          return field === undefined ? missing : credentials === undefined ? invalid : unknown
        }
        if (hides) sent.delete('authorization')
        attachConsumer(exchange, match.consumer)
        return undefined
      },
    }

    function verified({ username, password }: Credentials): ConsumerMatch | undefined {
      const match = build.consumers.find('basic-auth', 'username', username)
      // As long for a name that nobody has: time must not tell which names there are.
      const isRight = isSame(password, String(match?.conf['password'] ?? ''))
      return isRight ? match : undefined
    }
  },
}

/** Undefined for another scheme, bad base64, and text without a colon. */
function readCredentials(field: string): Credentials | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(field)?.[1]
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString()
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) }
}

/** In a time that depends on neither text. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(one), digest(other))
}
