/** ip-restriction for streams: lets clients in, or keeps them out, by address. The connection of a refused one is closed. */
import { IpSet, type Plugin } from '#sdk'

interface Conf {
  readonly whitelist?: readonly string[]
  readonly blacklist?: readonly string[]
  readonly message: string
  readonly response_code: number
}

const addresses = { type: 'array', items: { type: 'string' }, minItems: 1 }

export const ipRestriction: Plugin<Conf> = {
  name: 'ip-restriction',
  priority: 3000,
  version: 0.1,
  subsystem: 'stream',
  schema: {
    type: 'object',
    properties: {
      message: { type: 'string', minLength: 1, maxLength: 1024, default: 'Your IP address is not allowed' },
      response_code: { type: 'integer', minimum: 403, maximum: 404, default: 403 },
      whitelist: addresses,
      blacklist: addresses,
    },
    oneOf: [{ required: ['whitelist'] }, { required: ['blacklist'] }],
  },

  check(conf) {
    try {
      new IpSet([...(conf.whitelist ?? []), ...(conf.blacklist ?? [])])
      return undefined
    } catch (error) {
      return (error as Error).message
    }
  },

  create(conf) {
    const listed = new IpSet(conf.whitelist ?? conf.blacklist ?? [])
    const admitsListed = conf.whitelist !== undefined
    const refusal = { status: conf.response_code, body: conf.message }
    return {
      preread(exchange) {
        return listed.has(exchange.downstream.remoteAddress) === admitsListed ? undefined : refusal
      },
    }
  },
}
