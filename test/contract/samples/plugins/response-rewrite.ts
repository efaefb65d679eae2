/** response-rewrite, as its documentation has it. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [
    { body: '{"code":"ok"}', headers: { set: { 'X-Server-id': 3 } }, vars: [['status', '==', 200]] },
    { body: 'aGVsbG8=', body_base64: true },
    { headers: { add: ['X-A: 1'], remove: ['X-B'] }, status_code: 205 },
    { filters: [{ regex: 'hello', scope: 'global', replace: 'world' }] },
  ],
  refused: [
    [{ status_code: 199 }, 'expected 199 to be at least 200'],
    [{ body: '1', body_base64: true }, 'invalid base64 content'],
    [{ vars: [['status', '=', 200]] }, "failed to validate the 'vars' expression: invalid operator '='"],
    [{ filters: [{ regex: '(', replace: 'a' }] }, "invalid regular expression '('"],
    [{ filters: [{ regex: 'a' }] }, 'property "replace" is required'],
    [{ headers: { add: ['X-A'] } }, 'property "headers" validation failed'],
  ],
}
