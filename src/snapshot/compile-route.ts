/** From the value of a stream route, with the service it names, to the route that the router holds. */
import type { JsonObject } from '../base/json.ts'
import type { PluginHost } from '../plugin/host.ts'
import type { ServiceValue } from '../resources/service.ts'
import type { StreamRouteValue } from '../resources/stream-route.ts'
import { checkRule } from '../route/candidate.ts'
import type { Route, StreamRule } from '../route/router.ts'
import type { UpstreamCell } from '../upstream/upstream.ts'
import type { UpstreamCells } from './upstream-cells.ts'

export interface RouteSurroundings {
  readonly service: (id: string) => ServiceValue | undefined
  readonly cells: UpstreamCells
  readonly host: PluginHost
}

/** Compiles one route. `order` is its place in load order. Throws when a part of it cannot be compiled. */
export function compileStreamRoute(
  id: string,
  value: StreamRouteValue,
  order: number,
  around: RouteSurroundings,
): Route {
  // APISIX looks at upstream_id first: a route that has one does not see its service at all.
  const service =
    value.upstream_id === undefined && value.service_id !== undefined ? around.service(value.service_id) : undefined
  const merged = { ...service?.plugins, ...value.plugins } as Record<string, JsonObject>
  const rule: StreamRule = {
    serverPorts: value.server_ports,
    serverAddrs: value.server_addrs,
    remoteAddrs: value.remote_addrs,
    snis: value.snis,
    vars: value.vars,
    priority: value.priority,
    order,
    passthrough: value.tls_passthrough,
  }
  checkRule(rule)
  return {
    id,
    name: value.name,
    serviceId: value.service_id,
    labels: value.labels,
    rule,
    chain: around.host.chain(`stream_routes/${id}`, merged),
    upstream: cellOf(id, value, service, around.cells),
  }
}

function cellOf(
  id: string,
  value: StreamRouteValue,
  service: ServiceValue | undefined,
  cells: UpstreamCells,
): UpstreamCell | undefined {
  if (value.upstream_id !== undefined) return cells.cell(`upstreams/${value.upstream_id}`)
  if (value.upstream !== undefined) return cells.cell(`stream_routes/${id}`)
  if (service?.upstream_id !== undefined) return cells.cell(`upstreams/${service.upstream_id}`)
  if (service?.upstream !== undefined) return cells.cell(`services/${value.service_id}`)
  return undefined
}
