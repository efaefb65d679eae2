/** file-logger, as its documentation has it. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [{}, { path: '/dev/null' }, { path: 'off', match: [[['arg_a', '==', '1']]], include_resp_body: true }],
  refused: [
    [{ path: 1 }, 'wrong type: expected string, got number'],
    [{ match: [['a', 'like', 'b']] }, "failed to validate the 'match' expression"],
    [{ path: 'off', include_req_body_expr: [['a', 'like', 'b']] }, "failed to validate the 'include_req_body_expr' expression"],
    [{ path: 'off', log_format: { a: { b: { c: { d: { e: { f: '1' } } } } } } }, 'nested more than 5 levels deep'],
    [{ path: 'off', log_format: { a: 1 } }, 'log_format.a: expected text, $variable or an object of them'],
  ],
  metadata: {
    accepted: [{}, { log_format: { host: '$host', at: { ms: '$msec' } }, max_pending_entries: 10 }],
    refused: [
      [{ log_format: 'x' }, 'wrong type: expected object, got string'],
      [{ max_pending_entries: 0 }, 'expected 0 to be at least 1'],
    ],
  },
}
