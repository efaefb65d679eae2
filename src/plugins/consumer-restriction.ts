/** consumer-restriction: lets callers in, or keeps them out, by consumer, consumer group, route or service. */
import type { Answer, HttpExchange, Plugin } from '#sdk'

interface Conf {
  readonly type: keyof typeof readers
  readonly whitelist?: readonly string[]
  readonly blacklist?: readonly string[]
  readonly allowed_by_methods?: readonly { readonly user?: string; readonly methods?: readonly string[] }[]
  readonly rejected_code: number
  readonly rejected_msg?: string
}

const readers = {
  consumer_name: (exchange: HttpExchange) => exchange.consumer?.username,
  consumer_group_id: (exchange: HttpExchange) => exchange.consumer?.groupId,
  service_id: (exchange: HttpExchange) => exchange.route?.serviceId,
  route_id: (exchange: HttpExchange) => exchange.route?.id,
} as const

const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE', 'PURGE']
const names = { type: 'array', minItems: 1, items: { type: 'string' } }

export const consumerRestriction: Plugin<Conf> = {
  name: 'consumer-restriction',
  priority: 2400,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      type: {
        type: 'string',
        enum: ['consumer_name', 'service_id', 'route_id', 'consumer_group_id'],
        default: 'consumer_name',
      },
      blacklist: names,
      whitelist: names,
      allowed_by_methods: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            user: { type: 'string' },
            methods: { type: 'array', minItems: 1, items: { type: 'string', enum: methods } },
          },
        },
      },
      rejected_code: { type: 'integer', minimum: 200, default: 403 },
      rejected_msg: { type: 'string' },
    },
    anyOf: [{ required: ['blacklist'] }, { required: ['whitelist'] }, { required: ['allowed_by_methods'] }],
  },

  create(conf) {
    const read = readers[conf.type]
    const admits = admission(conf)
    const missing: Answer = {
      status: 401,
      body: { message: `The request is rejected, please check the ${conf.type} for this request` },
    }
    const message = conf.rejected_msg ?? `The ${conf.type} is forbidden.`
    const refusal: Answer = { status: conf.rejected_code, body: { message } }
    return {
      access(exchange) {
        const value = read(exchange)
        if (value === undefined) return missing
        return admits(value, exchange.request.method) ? undefined : refusal
      },
    }
  },
}

/** A hit in the whitelist is final; without one a list of methods binds those users that it names. */
function admission({ whitelist, blacklist, allowed_by_methods }: Conf): (value: string, method: string) => boolean {
  const black = new Set(blacklist)
  const white = whitelist === undefined ? undefined : new Set(whitelist)
  const byUser = new Map<string, Set<string>>()
  for (const { user, methods: allowed = [] } of allowed_by_methods ?? []) {
    if (user !== undefined) byUser.set(user, new Set(allowed))
  }
  return (value, method) => {
    if (black.has(value)) return false
    if (white !== undefined) return white.has(value)
    return byUser.get(value)?.has(method) ?? true
  }
}
