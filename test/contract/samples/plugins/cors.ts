/** cors, as its documentation has it. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [
    {},
    { allow_origins: 'http://a.test,http://b.test:8080', allow_methods: 'GET,POST', max_age: 50, allow_credential: true, allow_headers: 'X-A', expose_headers: 'X-B' },
    { allow_origins: '**', allow_methods: '**', allow_headers: '**', allow_credential: true, expose_headers: 'X-B' },
    { allow_origins_by_regex: ['.*\\.test$'], allow_origins_by_metadata: ['key_1'] },
  ],
  refused: [
    [{ allow_origins: 'a.test' }, 'failed to match pattern'],
    [{ allow_credential: true }, "you can not set '*' for other option when 'allow_credential' is true"],
    [{ allow_origins_by_regex: [] }, 'expect array to have at least 1 items'],
    [{ allow_origins_by_regex: ['('] }, "invalid regular expression '('"],
    [{ max_age: '5' }, 'property "max_age" validation failed'],
  ],
  metadata: {
    accepted: [{ allow_origins: { key_1: 'https://domain.com', key_2: 'https://sub.domain.com,https://sub2.domain.com' } }],
    refused: [[{ allow_origins: { key_1: 'a' } }, 'failed to match pattern']],
  },
}
