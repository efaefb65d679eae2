/** From the value of an HTTP route, with the service and plugin_config that it names, to the route that the router holds. */
import type { Chain } from '../plugin/chain.ts'
import type { PluginHost } from '../plugin/host.ts'
import { mergeLayers, type PluginSet } from '../plugin/merge.ts'
import type { RouteValue } from '../resources/route.ts'
import type { ServiceValue } from '../resources/service.ts'
import type { HttpRoute, HttpRule } from '../route/http-route.ts'
import { checkHttpRule } from '../route/http-router.ts'
import type { UpstreamCell } from '../upstream/upstream.ts'
import { timeoutsOf } from './compile-upstream.ts'
import type { UpstreamCells } from './upstream-cells.ts'

export interface HttpRouteSurroundings {
  readonly service: (id: string) => ServiceValue | undefined
  readonly pluginConfig: (id: string) => PluginSet | undefined
  readonly cells: UpstreamCells
  readonly host: PluginHost
}

/**
 * Compiles one route. `order` is its place in load order; of the chain that it had before, plugins that come out the same go on.
 * Throws when a part of it cannot be compiled.
 */
export function compileHttpRoute(
  id: string,
  value: RouteValue,
  order: number,
  around: HttpRouteSurroundings,
  previous: Chain | undefined,
): HttpRoute {
  const { service_id: serviceId, plugin_config_id: configId } = value
  const service = serviceId === undefined ? undefined : around.service(serviceId)
  const config = configId === undefined ? undefined : around.pluginConfig(configId)
  const owner = `routes/${id}`
  // Before anything is made that would have to be closed again.
  const rule = ruleOf(value, service, order)
  checkHttpRule(rule)
  const plugins = mergeLayers(
    { origin: `services/${serviceId}`, plugins: service?.plugins },
    { origin: `plugin_configs/${configId}`, plugins: config },
    { origin: owner, plugins: value.plugins },
  )
  return {
    id,
    name: value.name,
    serviceId,
    serviceName: service?.name,
    labels: value.labels,
    rule,
    chain: around.host.mergedChain(owner, plugins, previous),
    plugins,
    upstream: cellOf(id, value, service, around.cells),
    timeouts: value.timeout === undefined ? undefined : timeoutsOf(value.timeout),
    websocket: value.enable_websocket ?? service?.enable_websocket ?? false,
    missing: missingOf(value, service, config),
  }
}

function ruleOf(value: RouteValue, service: ServiceValue | undefined, order: number): HttpRule {
  const { uri, uris, host, hosts, methods, remote_addr, remote_addrs, vars, priority } = value
  return {
    uris: uris ?? (uri === undefined ? [] : [uri]),
    hosts: hosts ?? (host === undefined ? (service?.hosts ?? []) : [host]),
    methods: methods ?? [],
    remoteAddrs: remote_addrs ?? (remote_addr === undefined ? [] : [remote_addr]),
    vars,
    priority,
    order,
  }
}

function cellOf(
  id: string,
  value: RouteValue,
  service: ServiceValue | undefined,
  cells: UpstreamCells,
): UpstreamCell | undefined {
  if (value.upstream_id !== undefined) return cells.cell(`upstreams/${value.upstream_id}`)
  if (value.upstream !== undefined) return cells.cell(`routes/${id}`)
  if (service?.upstream_id !== undefined) return cells.cell(`upstreams/${service.upstream_id}`)
  if (service?.upstream !== undefined) return cells.cell(`services/${value.service_id}`)
  return undefined
}

function missingOf(
  { service_id, plugin_config_id }: RouteValue,
  service: ServiceValue | undefined,
  config: PluginSet | undefined,
): HttpRoute['missing'] {
  if (plugin_config_id !== undefined && config === undefined) {
    return { status: 503, what: `the plugin_config ${plugin_config_id} of the route does not exist` }
  }
  if (service_id !== undefined && service === undefined) {
    return { status: 404, what: `the service ${service_id} of the route does not exist` }
  }
  return undefined
}
