/** Routes of HTTP that only have a rule, for tests of routers. */
import { emptyChain } from '../../src/plugin/chain.ts'
import type { HttpRoute, HttpRule } from '../../src/route/http-route.ts'

/** `order` is the place in load order. A rule without paths is one for all. */
export function httpRouteOf(id: string, order: number, rule: Partial<HttpRule> = {}): HttpRoute {
  return {
    id,
    name: undefined,
    serviceId: undefined,
    serviceName: undefined,
    labels: undefined,
    rule: {
      uris: ['/*'],
      hosts: [],
      methods: [],
      remoteAddrs: [],
      vars: undefined,
      priority: 0,
      order,
      ...rule,
    },
    chain: emptyChain,
    plugins: {},
    upstream: undefined,
    timeouts: undefined,
    websocket: false,
    missing: undefined,
  }
}
