/** client-control: another limit of the body of requests than the gateway's own. */
import type { Plugin } from '#sdk'

interface Conf {
  readonly max_body_size?: number
}

export const clientControl: Plugin<Conf> = {
  name: 'client-control',
  priority: 22000,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: { max_body_size: { description: 'bytes; 0: no limit', type: 'integer', minimum: 0 } },
  },

  create({ max_body_size: maxBytes }) {
    if (maxBytes === undefined) return {}
    return {
      rewrite({ request }) {
        const { body } = request
        if (maxBytes > 0 && body.length !== undefined && body.length > maxBytes) return { status: 413 }
        body.limit(maxBytes)
        return undefined
      },
    }
  },
}
