/** real-ip: the client's address is what a variable tells, if the peer may say so. */
import { clientInList, IpSet, type Plugin, readAddress } from '#sdk'

interface Conf {
  readonly source: string
  readonly trusted_addresses?: readonly string[]
  readonly recursive: boolean
}

const forwardedFor = 'http_x_forwarded_for'

export const realIp: Plugin<Conf> = {
  name: 'real-ip',
  priority: 23000,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      trusted_addresses: { type: 'array', items: { type: 'string' }, minItems: 1 },
      source: { type: 'string', minLength: 1 },
      recursive: { type: 'boolean', default: false },
    },
    required: ['source'],
  },

  check({ trusted_addresses }) {
    try {
      new IpSet(trusted_addresses ?? [])
      return undefined
    } catch (error) {
      return (error as Error).message
    }
  },

  create({ source, trusted_addresses, recursive }, build) {
    const trusted = trusted_addresses === undefined ? undefined : new IpSet(trusted_addresses)
    const passOver = recursive ? trusted : undefined
    return {
      rewrite(exchange) {
        if (trusted !== undefined && !trusted.has(exchange.remoteAddress)) return undefined
        const told =
          source === forwardedFor ? exchange.request.headers.all('x-forwarded-for').at(-1) : exchange.variable(source)
        if (told === undefined || told === '') {
          build.log.warn({ route: exchange.route?.id, source }, 'real-ip: there is no address')
          return undefined
        }
        const address = source === forwardedFor ? clientInList(told, passOver) : readAddress(told)
        if (address === undefined) {
          build.log.warn({ route: exchange.route?.id, source, told }, 'real-ip: what was told is no address')
          return undefined
        }
        exchange.remoteAddress = address.host
        if (address.port !== undefined) exchange.remotePort = address.port
        return undefined
      },
    }
  },
}
