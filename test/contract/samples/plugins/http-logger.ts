/** http-logger, as its documentation has it. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [{ uri: 'http://127.0.0.1:1/log' }, { uri: 'https://[::1]:1', auth_header: 'Basic x', concat_method: 'new_line', log_format: { a: '$host' } }],
  refused: [
    [{}, 'property "uri" is required'],
    [{ uri: '127.0.0.1' }, 'failed to match pattern'],
    [{ uri: 'ftp://a/b' }, 'is no address of http or https'],
    [{ uri: 'http://127.0.0.1:1', concat_method: 'x' }, 'matches none of the enum values'],
    [{ uri: 'http://127.0.0.1:1', batch_max_size: 0 }, 'expected 0 to be at least 1'],
    [{ uri: 'http://127.0.0.1:1', include_req_body_expr: [['a', 'like', 'b']] }, "failed to validate the 'include_req_body_expr' expression"],
    [{ uri: 'http://127.0.0.1:1', log_format: { a: { b: { c: { d: { e: { f: '1' } } } } } } }, 'nested more than 5 levels deep'],
    [{ uri: 'http://127.0.0.1:1', log_format: { a: 1 } }, 'log_format.a: expected text, $variable or an object of them'],
  ],
  metadata: {
    accepted: [{}, { log_format: { host: '$host', at: { ms: '$msec' } }, max_pending_entries: 10 }],
    refused: [
      [{ log_format: 'x' }, 'wrong type: expected object, got string'],
      [{ max_pending_entries: 0 }, 'expected 0 to be at least 1'],
    ],
  },
}
