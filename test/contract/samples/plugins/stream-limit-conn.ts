/** limit-conn on stream routes. */
import type { PluginSamples } from '../../plugin.ts'

const most = { conn: 1, burst: 0, default_conn_delay: 0.1 }

export const samples: PluginSamples = {
  accepted: [
    { ...most, key: 'remote_addr' },
    { ...most, key: '$remote_addr $server_port', key_type: 'var_combination', only_use_default_delay: true },
  ],
  refused: [
    [most, 'property "key" is required'],
    [{ ...most, key: 'remote_addr', conn: 0 }, 'expected 0 to be greater than 0'],
    [{ ...most, key: 'remote_addr', burst: -1 }, 'expected -1 to be at least 0'],
    [{ ...most, key: 'remote_addr', key_type: 'constant' }, 'matches none of the enum values'],
  ],
}
