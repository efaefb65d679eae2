/** client-control, as its documentation has it. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [{}, { max_body_size: 0 }, { max_body_size: 8 }],
  refused: [
    [{ max_body_size: -1 }, 'expected -1 to be at least 0'],
    [{ max_body_size: '1k' }, 'property "max_body_size" validation failed'],
  ],
}
