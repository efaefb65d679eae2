/** key-auth: the caller is known by a key in a request field or in the query. */
import { attachAnonymous, attachConsumer, type HttpExchange, type Plugin } from '#sdk'

interface Conf {
  readonly header: string
  readonly query: string
  readonly hide_credentials: boolean
  readonly anonymous_consumer?: string
  readonly realm: string
}

export const keyAuth: Plugin<Conf> = {
  name: 'key-auth',
  priority: 2500,
  version: 0.1,
  subsystem: 'http',
  type: 'auth',
  schema: {
    type: 'object',
    properties: {
      header: { type: 'string', default: 'apikey' },
      query: { type: 'string', default: 'apikey' },
      hide_credentials: { type: 'boolean', default: false },
      anonymous_consumer: { type: 'string', minLength: 1 },
      realm: { type: 'string', minLength: 1, maxLength: 128, pattern: '^[ -!#-[\\]-~]+$', default: 'key' },
    },
  },
  consumerSchema: { type: 'object', properties: { key: { type: 'string' } }, required: ['key'] },
  encryptedFields: ['key'],

  create(conf, build) {
    const header = conf.header.toLowerCase()
    const { consumers } = build
    const { anonymous_consumer: anonymous, hide_credentials: hides, query: argument, realm } = conf
    const argumentVariable = `arg_${argument}`
    const headers = { 'WWW-Authenticate': `apikey realm="${realm}"` }
    const missing = { status: 401, body: { message: 'Missing API key in request' }, headers }
    const invalid = { status: 401, body: { message: 'Invalid API key in request' }, headers }
    return {
      rewrite(exchange) {
        const { request } = exchange
        const sent = request.headers.get(header)
        // An empty field counts as none.
        const key = sent === undefined || sent === '' ? exchange.variable(argumentVariable) : sent
        const match = key === undefined || key === '' ? undefined : consumers.find('key-auth', 'key', key)
        if (match === undefined) {
          if (anonymous !== undefined) return attachAnonymous(build, exchange, anonymous)
          return key === undefined || key === '' ? missing : invalid
        }
        if (hides) {
          if (key === sent) request.headers.delete(header)
          else removeArgument(exchange, argument)
        }
        attachConsumer(exchange, match.consumer)
        return undefined
      },
    }
  },
}

function removeArgument({ request }: HttpExchange, name: string): void {
  const kept = request.query.split('&').filter((pair) => pair !== name && !pair.startsWith(`${name}=`))
  request.query = kept.join('&')
}
