/** workflow, as its documentation has it. */
import type { PluginSamples } from '../../plugin.ts'

const limit = { count: 1, time_window: 60, rejected_code: 429 }
const when = [['uri', '==', '/a']]

export const samples: PluginSamples = {
  accepted: [
    { rules: [{ case: when, actions: [['return', { code: 403 }]] }] },
    { rules: [{ case: ['OR', ['uri', '==', '/a'], ['arg_b', '==', 'c']], actions: [['limit-count', limit]] }] },
    { rules: [{ actions: [['limit-conn', { conn: 1, burst: 0, default_conn_delay: 0.1, key: 'remote_addr' }]] }] },
    { rules: [] },
  ],
  refused: [
    [{}, 'property "rules" is required'],
    [{ rules: [{ case: when }] }, 'property "actions" is required'],
    [{ rules: [{ case: [], actions: [] }] }, 'expect array to have at least 1 items'],
    [{ rules: [{ case: [['uri', '===', '/a']], actions: [] }] }, "failed to validate the 'case' expression: "],
    [{ rules: [{ actions: [['fake', {}]] }] }, 'unsupported action: fake'],
    [{ rules: [{ actions: [['return', {}]] }] }, "failed to validate the 'return' action: property \"code\" is required"],
    [{ rules: [{ actions: [['return', { code: '403' }]] }] }, "failed to validate the 'return' action: property \"code\""],
    [{ rules: [{ actions: [['return']] }] }, "failed to validate the 'return' action: "],
    [{ rules: [{ actions: [['limit-count', { count: 0 }]] }] }, "failed to validate the 'limit-count' action: "],
    [
      { rules: [{ actions: [['limit-count', { ...limit, group: 'g' }]] }] },
      "failed to validate the 'limit-count' action: group is not supported",
    ],
  ],
}
