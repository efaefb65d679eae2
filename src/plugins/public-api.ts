/** public-api: the route shows what plugins offer under a path of their own. Without it none of that can be reached from outside. */
import type { Plugin } from '#sdk'

interface Conf {
  readonly uri?: string
}

export const publicApi: Plugin<Conf> = {
  name: 'public-api',
  priority: 501,
  version: 0.1,
  subsystem: 'http',
  schema: { type: 'object', properties: { uri: { type: 'string' } } },

  create({ uri }, build) {
    return {
      access({ request }) {
        const api = build.publicApi(request.method, uri ?? request.path)
        return api === undefined ? { status: 404 } : api()
      },
    }
  },
}
