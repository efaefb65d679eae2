/** limit-count, as its documentation has it. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how users write variables
import type { PluginSamples } from '../../plugin.ts'

const most = { count: 2, time_window: 60 }
const rule = { count: 1, time_window: 10, key: '${http_company}' }

export const samples: PluginSamples = {
  accepted: [
    { ...most, rejected_code: 429, key_type: 'var', key: 'remote_addr' },
    { ...most, key_type: 'var_combination', key: '$consumer_name $remote_addr', rejected_msg: 'no more' },
    { ...most, key_type: 'constant', key: 'all', window_type: 'sliding', allow_degradation: true },
    { ...most, group: 'services_1#1640140620', show_limit_quota_header: false },
    { count: '${http_count ?? 2}', time_window: '$http_window' },
    { rules: [rule, { ...rule, key: '$remote_addr', header_prefix: 'all' }], rejected_msg: 'rejected' },
  ],
  refused: [
    [{ count: 2 }, 'value should match only one schema, but matches none'],
    [{ time_window: 60 }, 'value should match only one schema, but matches none'],
    [{ ...most, rules: [rule] }, 'count/time_window and rules cannot be specified at the same time'],
    [{ count: 2, rules: [rule] }, 'count/time_window and rules cannot be specified at the same time'],
    [{ rules: [rule], group: 'a' }, 'group and rules cannot be specified at the same time'],
    [{ rules: [rule, rule] }, "duplicate key '${http_company}' in rules"],
    [{ rules: [{ count: 1, key: 'a' }] }, 'property "time_window" is required'],
    [{ ...most, count: 0 }, 'property "count" validation failed'],
    [{ ...most, rejected_code: 199 }, 'expected 199 to be at least 200'],
    [{ ...most, rejected_msg: '' }, 'property "rejected_msg" validation failed'],
    [{ ...most, key_type: 'header' }, 'matches none of the enum values'],
    [{ ...most, window_type: 'rolling' }, 'matches none of the enum values'],
    [{ ...most, policy: 'redis' }, 'then clause did not match'],
    [{ ...most, policy: 'redis-cluster', redis_cluster_name: 'a' }, 'else clause did not match'],
    [{ ...most, policy: 'redis-sentinel', redis_sentinels: [] }, 'else clause did not match'],
    [
      { ...most, policy: 'redis', redis_host: '127.0.0.1', sync_interval: 0.09 },
      'sync_interval should not be smaller than 0.1',
    ],
    [
      { ...most, policy: 'redis', redis_host: '127.0.0.1', sync_interval: 60 },
      'sync_interval should be smaller than time_window',
    ],
  ],
  metadata: {
    accepted: [{ limit_header: 'X-Custom-RateLimit-Limit' }, {}],
    refused: [[{ reset_header: 1 }, 'property "reset_header" validation failed']],
  },
}
