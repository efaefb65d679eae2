/** request-id, as its documentation has it. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [{}, { header_name: 'X-Id', algorithm: 'nanoid' }, { algorithm: 'range_id', range_id: { length: 20 } }],
  refused: [
    [{ include_in_response: 'bad' }, 'property "include_in_response" validation failed'],
    [{ algorithm: 'snowflake' }, 'matches none of the enum values'],
    [{ range_id: { length: 5 } }, 'expected 5 to be at least 6'],
  ],
}
