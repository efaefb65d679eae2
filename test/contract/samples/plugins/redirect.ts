/** redirect, as its documentation has it. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [
    { uri: '/test/default.html', ret_code: 301 },
    { uri: '$uri/index.html' },
    { regex_uri: ['^/test/(.*)/(.*)', '/$2/$1'] },
    { http_to_https: true },
  ],
  refused: [
    [{}, 'value should match only one schema, but matches none'],
    [{ uri: '/a', http_to_https: true }, 'value should match only one schema, but matches'],
    [{ uri: '/a', ret_code: 100 }, 'expected 100 to be at least 200'],
    [{ regex_uri: ['^/(.*)', '/$2'] }, "the template '/$2' names group 2, and there are 1"],
    [{ regex_uri: ['('], ret_code: 301 }, 'expect array to have at least 2 items'],
    [{ http_to_https: true, append_query_string: true }, 'only one of `http_to_https` and `append_query_string`'],
  ],
}
