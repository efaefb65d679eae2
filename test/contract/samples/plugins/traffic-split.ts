/** traffic-split over upstreams that exist, that stand in the rule, and the route's own. */
import type { JsonObject } from '../../../../src/base/json.ts'
import type { PluginSamples } from '../../plugin.ts'

const upstream = { nodes: { '127.0.0.1:1980': 1 } }
const split = (...weighted_upstreams: JsonObject[]) => ({ rules: [{ weighted_upstreams }] })

export const samples: PluginSamples = {
  accepted: [
    { rules: [] },
    { rules: [{}] },
    { rules: [{ match: [{ vars: [['arg_name', '==', 'jack']] }, { vars: [] }] }] },
    split({ upstream_id: 1, weight: 2 }, { upstream_id: 'a' }, { weight: 3 }, { upstream, weight: 0 }),
    split({ upstream: { ...upstream, type: 'chash', key: 'remote_addr', scheme: 'https', pass_host: 'node' } }),
  ],
  refused: [
    [{}, 'property "rules" is required'],
    [{ rules: [{ match: [{ vars: [['a', '~!', 'b']] }] }] }, "failed to validate the 'vars' expression"],
    [{ rules: [{ match: [{}] }] }, "failed to validate the 'vars' expression: missing argument rule"],
    [split(), 'property "rules" validation failed'],
    [split({ weight: -1 }), 'property "rules" validation failed'],
    [split({ upstream: { nodes: 1 } }), 'property "rules" validation failed'],
    [split({ upstream: {} }), 'property "rules" validation failed'],
    [split(...Array.from({ length: 21 }, () => ({ weight: 1 }))), 'property "rules" validation failed'],
  ],
}
