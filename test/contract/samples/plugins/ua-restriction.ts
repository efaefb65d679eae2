/** ua-restriction, as its documentation has it. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [
    { denylist: ['(Baiduspider)/(\\d+)\\.(\\d+)', 'bad-bot1'], bypass_missing: true },
    { allowlist: ['my-bot1'], message: 'Do you want to do something bad?' },
  ],
  refused: [
    [{}, 'value should match only one schema, but matches none'],
    [{ allowlist: ['a'], denylist: ['b'] }, 'value should match only one schema, but matches both'],
    [{ denylist: [] }, 'expect array to have at least 1 items'],
    [{ denylist: ['(?=a)'] }, 'look-around is not supported'],
  ],
}
