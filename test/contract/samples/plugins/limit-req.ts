/** limit-req, as its documentation has it. */
import type { PluginSamples } from '../../plugin.ts'

const most = { rate: 100, burst: 1, key: 'remote_addr' }

export const samples: PluginSamples = {
  accepted: [
    { ...most, rejected_code: 429, rejected_msg: 'Requests are too frequent, please try again later.' },
    { ...most, rate: 0.5, burst: 0.5, nodelay: true, allow_degradation: true },
    { ...most, key: '$consumer_name $remote_addr', key_type: 'var_combination', policy: 'local' },
  ],
  refused: [
    [{ rate: 1, burst: 0 }, 'property "key" is required'],
    [{ ...most, rate: 0 }, 'expected 0 to be greater than 0'],
    [{ ...most, burst: -1 }, 'expected -1 to be at least 0'],
    [{ ...most, key_type: 'constant' }, 'matches none of the enum values'],
    [{ ...most, rejected_code: 600 }, 'expected 600 to be at most 599'],
    [{ ...most, policy: 'redis-sentinel' }, 'matches none of the enum values'],
    [{ ...most, policy: 'redis' }, 'then clause did not match'],
    [{ ...most, policy: 'redis-cluster', redis_cluster_nodes: ['127.0.0.1:1'] }, 'else clause did not match'],
  ],
}
