/** limit-conn on HTTP routes, as its documentation has it. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how users write variables
import type { PluginSamples } from '../../plugin.ts'

const most = { conn: 1, burst: 0, default_conn_delay: 0.1, key: 'remote_addr' }
const rule = { conn: 1, burst: '${http_burst ?? 1}', key: '${remote_addr}' }

export const samples: PluginSamples = {
  accepted: [
    { ...most, rejected_code: 429, rejected_msg: 'Requests are too frequent, please try again later.' },
    { ...most, key: '$consumer_name $remote_addr', key_type: 'var_combination', only_use_default_delay: true },
    { ...most, conn: '${http_conn ?? 3}', burst: '1', allow_degradation: true },
    { default_conn_delay: 0.1, rules: [rule, { ...rule, key: '$http_user' }] },
  ],
  refused: [
    [{ conn: 1, burst: 0, default_conn_delay: 0.1 }, 'value should match only one schema, but matches none'],
    [{ ...most, rules: [rule] }, 'value should match only one schema, but matches both schemas 1 and 2'],
    [{ rules: [rule] }, 'value should match only one schema, but matches none'],
    [{ ...most, conn: 0 }, 'property "conn" validation failed'],
    [{ ...most, burst: -1 }, 'property "burst" validation failed'],
    [{ ...most, default_conn_delay: 0 }, 'expected 0 to be greater than 0'],
    [{ ...most, key_type: 'constant' }, 'matches none of the enum values'],
    [{ ...most, policy: 'redis-sentinel' }, 'matches none of the enum values'],
    [{ ...most, policy: 'redis' }, 'then clause did not match'],
    [{ default_conn_delay: 0.1, rules: [{ conn: 1, burst: 0 }] }, 'property "key" is required'],
  ],
}
