/** public-api under the path of the route, and under another. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [{}, { uri: '/apisix/prometheus/metrics' }],
  refused: [
    [{ uri: 1 }, 'property "uri" validation failed: wrong type: expected string, got number'],
    [{ uri: ['/a'] }, 'property "uri" validation failed: wrong type: expected string, got table'],
  ],
}
