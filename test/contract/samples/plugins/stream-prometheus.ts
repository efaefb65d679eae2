/** prometheus on stream routes. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [{}, { prefer_name: true }],
  refused: [[{ prefer_name: 1 }, 'wrong type: expected boolean, got number']],
}
