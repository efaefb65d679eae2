/** proxy-rewrite, as its documentation has it. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [
    { uri: '/apisix/home', host: 'apisix.iresty.com' },
    { regex_uri: ['^/iresty/(.*)/(.*)', '/$1-$2'], method: 'GET' },
    { headers: { set: { 'X-Api-Version': 'v1' }, add: { 'X-Request-ID': ['112233', 5] }, remove: ['X-test'] } },
    { headers: { 'X-Api-Version': 'v2' } },
    { uri: '/$arg_new_uri', use_real_request_uri_unsafe: true },
  ],
  refused: [
    [{ uri: 'home' }, 'failed to match pattern'],
    [{ method: 'BREW' }, 'matches none of the enum values'],
    [{ host: 'a_b' }, 'failed to match pattern'],
    [{ regex_uri: ['^/a', '/b', '^/c'] }, 'The length of regex_uri should be an even number'],
    [{ regex_uri: ['^/(.*)', '/$3'] }, 'names group 3, and there are 1'],
    [{ regex_uri: ['(?=a)', '/'] }, 'look-around is not supported'],
    [{ headers: {} }, 'property "headers" validation failed'],
  ],
}
