/** syslog on stream routes, as its documentation has it. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [{ host: '127.0.0.1', port: 1 }, { host: '127.0.0.1', port: 1, sock_type: 'udp', log_format: { a: '$remote_addr' } }],
  refused: [
    [{ port: 1 }, 'property "host" is required'],
    [{ host: '127.0.0.1', port: 1, sock_type: 'sctp' }, 'matches none of the enum values'],
    [{ host: '127.0.0.1', port: 1, pool_size: 4 }, 'expected 4 to be at least 5'],
    [{ host: '127.0.0.1', port: 1, batch_max_size: 0 }, 'expected 0 to be at least 1'],
    [{ host: '127.0.0.1', port: 1, log_format: { a: { b: { c: { d: { e: { f: '1' } } } } } } }, 'nested more than 5 levels deep'],
    [{ host: '127.0.0.1', port: 1, log_format: { a: 1 } }, 'log_format.a: expected text, $variable or an object of them'],
  ],
  metadata: {
    accepted: [{}, { log_format: { host: '$host', at: { ms: '$msec' } }, max_pending_entries: 10 }],
    refused: [
      [{ log_format: 'x' }, 'wrong type: expected object, got string'],
      [{ max_pending_entries: 0 }, 'expected 0 to be at least 1'],
    ],
  },
}
