/** prometheus on stream routes. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [{}, { prefer_name: true }],
  refused: [
    [{ prefer_name: 1 }, 'property "prefer_name" validation failed: wrong type: expected boolean, got number'],
    [{ prefer_name: {} }, 'property "prefer_name" validation failed: wrong type: expected boolean, got table'],
  ],
}
