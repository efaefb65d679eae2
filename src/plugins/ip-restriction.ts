/**
 * ip-restriction: lets clients in, or keeps them out, by address. A refused request gets an answer, the connection of a refused
 * stream is closed.
 */
import { IpSet, type JsonSchema, type Plugin } from '#sdk'

interface Conf {
  readonly whitelist?: readonly string[]
  readonly blacklist?: readonly string[]
  readonly message: string
  readonly response_code: number
}

const addresses = { type: 'array', items: { type: 'string' }, minItems: 1 }
const schema: JsonSchema = {
  type: 'object',
  properties: {
    message: { type: 'string', minLength: 1, maxLength: 1024, default: 'Your IP address is not allowed' },
    response_code: { type: 'integer', minimum: 403, maximum: 404, default: 403 },
    whitelist: addresses,
    blacklist: addresses,
  },
  oneOf: [{ required: ['whitelist'] }, { required: ['blacklist'] }],
}
const known = { name: 'ip-restriction', priority: 3000, version: 0.1, schema } as const

export const ipRestriction: Plugin<Conf> = {
  ...known,
  subsystem: 'http',
  check,
  create(conf) {
    const admits = admission(conf)
    const refusal = { status: conf.response_code, body: { message: conf.message } }
    return { access: (exchange) => (admits(exchange.remoteAddress) ? undefined : refusal) }
  },
}

export const streamIpRestriction: Plugin<Conf> = {
  ...known,
  subsystem: 'stream',
  check,
  create(conf) {
    const admits = admission(conf)
    const refusal = { status: conf.response_code, body: conf.message }
    return { preread: (exchange) => (admits(exchange.downstream.remoteAddress) ? undefined : refusal) }
  },
}

function check(conf: Conf): string | undefined {
  try {
    new IpSet([...(conf.whitelist ?? []), ...(conf.blacklist ?? [])])
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

function admission(conf: Conf): (address: string) => boolean {
  const listed = new IpSet(conf.whitelist ?? conf.blacklist ?? [])
  const admitsListed = conf.whitelist !== undefined
  // Of a client that is gone already the address may not be known: it may be any of those that are kept out.
  return (address) => address !== '' && listed.has(address) === admitsListed
}
