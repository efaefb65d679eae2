/** ip-restriction on routes. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [
    { whitelist: ['127.0.0.1', '113.74.26.106/24'] },
    { blacklist: ['::1', 'fe80::/32'], message: 'Do you want to do something bad?', response_code: 404 },
  ],
  refused: [
    [{}, 'value should match only one schema, but matches none'],
    [{ whitelist: ['10.255.256.0/24'] }, 'invalid ip address: 10.255.256.0/24'],
    [{ whitelist: ['1.1.1.1'], response_code: 200 }, 'expected 200 to be at least 403'],
  ],
}
