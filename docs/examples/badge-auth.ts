/** badge-auth: callers show the badge of a consumer in a header. */
import { attachConsumer, type Plugin } from 'sluice/sdk'

export const plugin: Plugin<{ header: string }> = {
  name: 'badge-auth',
  priority: 2505,
  version: 0.1,
  subsystem: 'http',
  type: 'auth',
  schema: { type: 'object', properties: { header: { type: 'string', default: 'x-badge' } } },
  consumerSchema: { type: 'object', properties: { badge: { type: 'string', minLength: 4 } }, required: ['badge'] },
  encryptedFields: ['badge'],
  create: (conf, build) => ({
    rewrite(exchange) {
      const badge = exchange.request.headers.get(conf.header.toLowerCase())
      const match = badge === undefined ? undefined : build.consumers.find('badge-auth', 'badge', badge)
      if (match === undefined) return { status: 401, body: { message: 'show your badge' } }
      attachConsumer(exchange, match.consumer)
      return undefined
    },
  }),
}
