/** key-auth on routes; on consumers it has another configuration. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [{}, { header: 'x-api-key', query: 'key', hide_credentials: true, realm: 'inner', anonymous_consumer: 'a' }],
  refused: [
    [{ header: 1 }, 'property "header" validation failed'],
    [{ realm: 'a"b' }, 'property "realm" validation failed'],
    [{ anonymous_consumer: '' }, 'property "anonymous_consumer" validation failed'],
  ],
  consumers: {
    accepted: [{ key: 'auth-one' }],
    refused: [
      [{}, 'property "key" is required'],
      [{ key: 123 }, 'property "key" validation failed'],
    ],
  },
}
