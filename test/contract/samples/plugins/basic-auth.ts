/** basic-auth on routes; on consumers it has another configuration. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [{}, { hide_credentials: true, realm: 'inner', anonymous_consumer: 'a' }],
  refused: [
    [{ hide_credentials: 1 }, 'property "hide_credentials" validation failed'],
    [{ realm: 'a"b' }, 'property "realm" validation failed'],
  ],
  consumers: {
    accepted: [{ username: 'foo', password: 'bar' }],
    refused: [
      [{ username: 'foo' }, 'property "password" is required'],
      [{ username: 123, password: 'bar' }, 'property "username" validation failed'],
    ],
  },
}
