/** request-id: every request has an id, the client's or a new one, that goes upstream and back. */
import { randomBytes, randomInt, randomUUID } from 'node:crypto'
import type { HttpExchange, Plugin } from '#sdk'

interface Conf {
  readonly header_name: string
  readonly include_in_response: boolean
  readonly algorithm: keyof typeof makers
  readonly range_id: { readonly char_set: string; readonly length: number }
}

const defaultCharacters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIGKLMNOPQRSTUVWXYZ0123456789'
const nanoCharacters = '_-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** KSUIDs count seconds from here: 2014-05-13. */
const ksuidEpoch = 1_400_000_000

const makers = {
  uuid: () => randomUUID(),
  uuidv7,
  nanoid: () => randomText(nanoCharacters, 21),
  range_id: (conf: Conf) => randomText(conf.range_id.char_set, conf.range_id.length),
  ksuid,
} as const

export const requestId: Plugin<Conf> = {
  name: 'request-id',
  priority: 12015,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      header_name: { type: 'string', default: 'X-Request-Id' },
      include_in_response: { type: 'boolean', default: true },
      algorithm: { type: 'string', enum: ['uuid', 'nanoid', 'range_id', 'ksuid', 'uuidv7'], default: 'uuid' },
      range_id: {
        type: 'object',
        properties: {
          length: { type: 'integer', minimum: 6, default: 16 },
          char_set: { description: 'what ids are made of', type: 'string', minLength: 6, default: defaultCharacters },
        },
        default: { length: 16, char_set: defaultCharacters },
      },
    },
  },

  create(conf) {
    const { header_name: name, include_in_response: tells } = conf
    const lower = name.toLowerCase()
    const make = makers[conf.algorithm]
    const ids = new WeakMap<HttpExchange, string>()
    return {
      rewrite(exchange) {
        const { headers } = exchange.request
        const sent = headers.get(lower)
        const id = sent === undefined || sent === '' ? make(conf) : sent
        if (id !== sent) headers.set(name, id)
        exchange.setVariable('apisix_request_id', id)
        if (tells) ids.set(exchange, id)
        return undefined
      },
      headerFilter(exchange, head) {
        const id = ids.get(exchange)
        if (id !== undefined && !head.headers.has(lower)) head.headers.set(name, id)
        return undefined
      },
    }
  },
}

/** Without a bias: every character is as likely as any other. */
function randomText(characters: string, length: number): string {
  let text = ''
  for (let at = 0; at < length; at += 1) text += characters[randomInt(characters.length)]
  return text
}

/** The time in ms, then random bits. [RFC 9562 §5.7] */
function uuidv7(): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(Date.now(), 0, 6)
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x70
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** Seconds in 32 bits and 128 random ones, as 27 digits to the base 62: ids sort by their time. */
function ksuid(): string {
  const bytes = Buffer.concat([Buffer.alloc(4), randomBytes(16)])
  bytes.writeUInt32BE((Math.floor(Date.now() / 1000) - ksuidEpoch) >>> 0, 0)
  let left = BigInt(`0x${bytes.toString('hex')}`)
  let text = ''
  for (let digit = 0; digit < 27; digit += 1) {
    text = base62[Number(left % 62n)] + text
    left /= 62n
  }
  return text
}
