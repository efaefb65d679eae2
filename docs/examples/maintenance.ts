/** maintenance: refuses everybody but the addresses in `allow`, while the service behind is worked on. */
import { IpSet, type Plugin } from 'sluice/sdk'

export const plugin: Plugin<{ allow: string[]; message: string }> = {
  name: 'maintenance',
  priority: 2950,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      allow: { type: 'array', items: { type: 'string' }, default: [] },
      message: { type: 'string', minLength: 1, default: 'back soon' },
    },
  },
  create({ allow, message }) {
    const [allowed, refusal] = [new IpSet(allow), { status: 503, body: { message } }]
    return { access: ({ remoteAddress }) => (allowed.has(remoteAddress) ? undefined : refusal) }
  },
}
