/** echo, as its documentation has it. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [{ before_body: 'before the body' }, { body: 'hello', headers: { Location: 'https://www.a.test' } }],
  refused: [
    [{}, 'at least 1 properties'],
    [{ body: 1 }, 'property "body" validation failed'],
    [{ body: 'a', headers: {} }, 'property "headers" validation failed'],
  ],
}
