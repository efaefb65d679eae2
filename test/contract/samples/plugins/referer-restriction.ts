/** referer-restriction, as its documentation has it. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [{ bypass_missing: true, whitelist: ['xx.com', '*.xx.com'] }, { blacklist: ['*.com'], message: 'no' }],
  refused: [
    [{}, 'value should match only one schema, but matches none'],
    [{ whitelist: ['a b'] }, 'failed to match pattern'],
    [{ whitelist: ['a'], blacklist: ['b'] }, 'value should match only one schema, but matches both'],
  ],
}
