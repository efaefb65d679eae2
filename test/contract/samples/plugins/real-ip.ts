/** real-ip, as its documentation has it. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [{ source: 'arg_realip', trusted_addresses: ['127.0.0.0/24'] }, { source: 'http_xff', recursive: true }],
  refused: [
    [{}, 'property "source" is required'],
    [{ source: '' }, 'string too short, expected at least 1, got 0'],
    [{ source: 'http_xff', trusted_addresses: ['127.0.0.1/33'] }, 'invalid ip address: 127.0.0.1/33'],
  ],
}
