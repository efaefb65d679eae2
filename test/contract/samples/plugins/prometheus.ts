/** prometheus, as its documentation has it. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [{}, { prefer_name: true }],
  refused: [
    [{ prefer_name: 'yes' }, 'property "prefer_name" validation failed: wrong type: expected boolean, got string'],
    [{ prefer_name: 1 }, 'property "prefer_name" validation failed: wrong type: expected boolean, got number'],
  ],
  metadata: {
    accepted: [{}, { disabled_labels: { http_status: ['node', 'matched_uri'], http_latency: ['consumer'] } }],
    refused: [
      [{ disabled_labels: { http_status: ['code'] } }, 'matches none of the enum values'],
      [{ disabled_labels: { llm_latency: ['node'] } }, 'additional properties forbidden, found llm_latency'],
    ],
  },
}
