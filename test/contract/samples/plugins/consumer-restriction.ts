/** consumer-restriction, as its documentation has it. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [
    { whitelist: ['jack1'] },
    { type: 'service_id', blacklist: ['1'], rejected_code: 401, rejected_msg: 'no' },
    { allowed_by_methods: [{ user: 'jack1', methods: ['POST'] }] },
  ],
  refused: [
    [{}, 'object matches none of the required'],
    [{ whitelist: [] }, 'expect array to have at least 1 items'],
    [{ whitelist: ['a'], rejected_code: 199 }, 'expected 199 to be at least 200'],
    [{ whitelist: ['a'], type: 'group' }, 'matches none of the enum values'],
    [{ allowed_by_methods: [{ user: 'a', methods: ['BREW'] }] }, 'matches none of the enum values'],
  ],
}
