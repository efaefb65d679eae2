/** hmac-auth: the caller is known by a key id and proves the key by signing parts of the request, the body's digest among them. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { type Answer, attachAnonymous, attachConsumer, type HttpExchange, type Plugin } from '#sdk'

interface Conf {
  readonly allowed_algorithms: readonly string[]
  readonly clock_skew: number
  readonly signed_headers: readonly string[]
  readonly validate_request_body: boolean
  readonly max_req_body_size: number
  readonly hide_credentials: boolean
  readonly anonymous_consumer?: string
  readonly realm: string
}

/** Members of the Authorization field. */
interface Signed {
  readonly keyId: string
  readonly algorithm: string
  readonly signature: string
  /** As listed; undefined: the list is missing. */
  readonly names: readonly string[] | undefined
}

const algorithms = ['hmac-sha1', 'hmac-sha256', 'hmac-sha512']
const refused = "client request can't be validated"
const defaultBodyBytes = 64 * 1024 * 1024

export const hmacAuth: Plugin<Conf> = {
  name: 'hmac-auth',
  priority: 2530,
  version: 0.1,
  subsystem: 'http',
  type: 'auth',
  schema: {
    type: 'object',
    properties: {
      allowed_algorithms: {
        type: 'array',
        minItems: 1,
        items: { type: 'string', enum: algorithms },
        default: algorithms,
      },
      clock_skew: { type: 'integer', minimum: 1, default: 300 },
      signed_headers: {
        type: 'array',
        items: { type: 'string', minLength: 1, maxLength: 50 },
        default: ['date'],
      },
      validate_request_body: { type: 'boolean', default: false },
      max_req_body_size: { type: 'integer', minimum: 1, default: defaultBodyBytes },
      hide_credentials: { type: 'boolean', default: false },
      anonymous_consumer: { type: 'string', minLength: 1 },
      realm: { type: 'string', minLength: 1, maxLength: 128, pattern: '^[ -!#-[\\]-~]+$', default: 'hmac' },
    },
  },
  consumerSchema: {
    type: 'object',
    properties: {
      key_id: { type: 'string', minLength: 1, maxLength: 256 },
      secret_key: { type: 'string', minLength: 1, maxLength: 256 },
    },
    required: ['key_id', 'secret_key'],
  },
  encryptedFields: ['secret_key'],

  create(conf, build) {
    const { anonymous_consumer: anonymous } = conf
    const required = conf.signed_headers.map((name) => name.toLowerCase())
    const headers = { 'WWW-Authenticate': `hmac realm="${conf.realm}"` }

    return {
      rewrite(exchange) {
        const signed = readField(exchange.request.headers.get('authorization'))
        if (typeof signed === 'string') return refuse(exchange, signed, `${refused}: ${signed}`)
        const fault = headFault(exchange, signed)
        if (fault !== undefined) return refuse(exchange, fault)
        const match = build.consumers.find('hmac-auth', 'key_id', signed.keyId)
        // As long for an id that nobody has: time must not tell which ids there are.
        const isRight = isSignedBy(String(match?.conf['secret_key'] ?? ''), exchange, signed)
        if (match === undefined || !isRight) return refuse(exchange, 'Invalid signature')
        const accept = (): undefined => {
          if (conf.hide_credentials) exchange.request.headers.delete('authorization')
          attachConsumer(exchange, match.consumer)
        }
        if (!conf.validate_request_body) return accept()
        return digestFits(exchange).then((fits) => (fits ? accept() : refuse(exchange, 'Invalid digest')))
      },
    }

    function refuse(exchange: HttpExchange, reason: string, message = refused): Answer | undefined {
      if (anonymous !== undefined) return attachAnonymous(build, exchange, anonymous)
      build.log.warn({ owner: build.owner, reason }, 'a signed request is refused')
      return { status: 401, body: { message }, headers }
    }

    /** What is wrong with what was signed, whoever signed it. */
    function headFault({ request }: HttpExchange, { algorithm, names }: Signed): string | undefined {
      if (!conf.allowed_algorithms.includes(algorithm)) return 'Invalid algorithm'
      const date = request.headers.get('date')
      if (date === undefined) return 'Date header missing. failed to validate clock skew'
      const time = date.endsWith(' GMT') ? Date.parse(date) : Number.NaN
      if (Number.isNaN(time)) return 'Invalid GMT format time'
      if (Math.abs(Date.now() - time) > conf.clock_skew * 1000) return 'Clock skew exceeded'
      if (required.length === 0) return undefined
      if (names === undefined) return 'headers missing'
      const listed = new Set(names.map((name) => name.toLowerCase()))
      const absent = required.find((name) => !listed.has(name))
      return absent === undefined ? undefined : `expected header "${absent}" missing in signing`
    }

    async function digestFits({ request }: HttpExchange): Promise<boolean> {
      const sent = request.headers.get('digest')
      if (sent === undefined) return false
      const collected = await request.body.collect(conf.max_req_body_size)
      const bytes = await collected.bytes()
      return sent === `SHA-256=${createHash('sha256').update(bytes).digest('base64')}`
    }
  },
}

/** A text says what is wrong with the field. */
function readField(field: string | undefined): Signed | string {
  if (field === undefined) return 'missing Authorization header'
  if (!field.startsWith('Signature')) return "Authorization header does not start with 'Signature'"
  const members = new Map<string, string>()
  for (const part of field.slice('Signature'.length).split(',')) {
    const [, name, value] = /^\s*(\w+)="([^"]*)"/.exec(part) ?? []
    if (name !== undefined && value !== undefined) members.set(name, value)
  }
  const [keyId, signature, algorithm] = [members.get('keyId'), members.get('signature'), members.get('algorithm')]
  if (keyId === undefined || signature === undefined) return 'keyId or signature missing'
  if (algorithm === undefined) return 'algorithm missing'
  return { keyId, signature, algorithm, names: members.get('headers')?.split(' ') }
}

/** Compares in a time that depends on neither signature. */
function isSignedBy(secret: string, exchange: HttpExchange, { keyId, algorithm, names, signature }: Signed): boolean {
  const { headers, method } = exchange.request
  let text = `${keyId}\n`
  for (const name of names ?? []) {
    // A repeated field counts with all of its values: what is not signed must not go on. [RFC 9110 §5.3]
    const value = headers.joined(name.toLowerCase())
    if (value !== undefined) text += `${name}: ${value}\n`
    else if (name === '@request-target') text += `${method} ${exchange.variable('request_uri') ?? '/'}\n`
  }
  const right = createHmac(algorithm.slice('hmac-'.length), secret).update(text).digest()
  const sent = Buffer.from(signature, 'base64')
  return sent.length === right.length && timingSafeEqual(sent, right)
}
