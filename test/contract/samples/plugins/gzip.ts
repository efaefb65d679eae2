/** gzip for some types, for all, and with every setting. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [
    {},
    { types: '*', min_length: 1, comp_level: 9, http_version: 1.1, vary: true },
    { types: ['text/plain', 'application/json'], http_version: 1, buffers: { number: 1, size: 1 } },
    { buffers: { size: 8192 }, vary: false },
  ],
  refused: [
    [{ types: [] }, 'property "types" validation failed'],
    [{ types: 'text/html' }, 'property "types" validation failed'],
    [{ types: [''] }, 'property "types" validation failed'],
    [{ min_length: 0 }, 'property "min_length" validation failed'],
    [{ comp_level: 10 }, 'property "comp_level" validation failed'],
    [{ http_version: 2 }, 'property "http_version" validation failed'],
    [{ buffers: { number: 0 } }, 'property "buffers" validation failed'],
    [{ vary: 'yes' }, 'property "vary" validation failed'],
  ],
}
