/** proxy-mirror to addresses where nobody listens: copies are lost, requests are not. */
import type { PluginSamples } from '../../plugin.ts'

const host = 'http://127.0.0.1:1'

export const samples: PluginSamples = {
  accepted: [
    { host },
    { host: 'https://127.0.0.1:1', path: '/copy', path_concat_mode: 'prefix', sample_ratio: 0.5 },
    { host: 'http://[::1]:1', path: '/a/b', path_concat_mode: 'replace' },
  ],
  refused: [
    [{}, 'property "host" is required'],
    [{ host: '127.0.0.1:1' }, 'property "host" validation failed'],
    [{ host: 'http://127.0.0.1:1/path' }, 'property "host" validation failed'],
    [{ host: 'grpc://127.0.0.1:1' }, 'mirrors that speak gRPC are not built'],
    [{ host: 'http://127.0.0.1:99999' }, 'is no address'],
    [{ host, path: 'a' }, 'property "path" validation failed'],
    [{ host, path: '/a?b=1' }, 'property "path" validation failed'],
    [{ host, path: '/a b' }, 'path: it is to be percent-encoded'],
    [{ host, path_concat_mode: 'other' }, 'property "path_concat_mode" validation failed'],
    [{ host, sample_ratio: 0 }, 'property "sample_ratio" validation failed'],
    [{ host, sample_ratio: 1.1 }, 'property "sample_ratio" validation failed'],
  ],
}
