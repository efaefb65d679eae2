/** require-json: lets only requests through whose body is JSON, of `max_bytes` at most. */
import type { Plugin } from 'sluice/sdk'

export const plugin: Plugin<{ max_bytes: number }> = {
  name: 'require-json',
  priority: 2800,
  version: 0.1,
  subsystem: 'http',
  schema: { type: 'object', properties: { max_bytes: { type: 'integer', minimum: 1, default: 65536 } } },
  create: ({ max_bytes: maxBytes }) => ({
    async access({ request }) {
      if (request.body.length === 0) return undefined
      // Above the limit this rejects, and the client is answered 413.
      const body = await request.body.collect(maxBytes)
      try {
        JSON.parse(Buffer.from(await body.bytes()).toString())
        return undefined
      } catch {
        return { status: 400, body: { message: 'the body is no JSON' } }
      }
    },
  }),
}
