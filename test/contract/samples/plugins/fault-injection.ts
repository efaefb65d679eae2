/** fault-injection, as its documentation has it. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [
    { abort: { http_status: 200, body: 'Fault Injection!' } },
    { delay: { duration: 0.01, vars: [[['arg_name', '==', 'jack']]] } },
    { abort: { http_status: 403, percentage: 10, headers: { 'X-A': 1 } }, delay: { duration: 0 } },
  ],
  refused: [
    [{}, 'expect object to have at least 1 properties'],
    [{ abort: { http_status: 100 } }, 'expected 100 to be at least 200'],
    [{ abort: {} }, 'property "http_status" is required'],
    [{ delay: { duration: -1 } }, 'expected -1 to be at least 0'],
    [{ delay: { duration: 0, percentage: 101 } }, 'expected 101 to be at most 100'],
    [{ abort: { http_status: 200, vars: [[['arg_x', '=', '1']]] } }, "invalid operator '='"],
  ],
}
