/** What the gateway tells about itself: for `sluice status`, and as gauges. */
import { hostname } from 'node:os'
import type { ControlGauges } from '../admin/metrics-server.ts'
import { productVersion } from '../base/product-version.ts'
import { servesAdmin } from '../config/boot-rules.ts'
import type { BootConf } from '../config/boot-schema.ts'
import { servesHttp, servesStreams } from '../config/http-listeners.ts'
import type { Wire } from '../net/wire.ts'
import type { PassedOver } from '../net/wires.ts'
import { listenAddress } from '../threads/listening.ts'
import type { Configuration } from './configuration.ts'

const shownListeners = 8

export interface GatewayStatus {
  readonly pid: number
  readonly version: string
  readonly node: string
  readonly startedAt: string
  readonly uptimeSeconds: number
  readonly wire: Wire['name']
  /** Better wires that this machine does not allow, best first. */
  readonly passedOver: readonly PassedOver[]
  readonly config: {
    readonly file: string
    readonly provider: string
    readonly reachable: boolean
    readonly revision: number
    /** Resources that failed their check and are not in force in their newest form. */
    readonly rejected: number
  }
  readonly listeners: readonly {
    readonly transport: 'tcp' | 'udp'
    readonly serves: 'stream' | 'http'
    readonly host: string
    readonly port: number
    readonly tls: boolean
    readonly from: 'config' | 'route'
  }[]
  readonly workers: readonly {
    readonly index: number
    readonly state: string
    readonly revision: number
    readonly connections: number
    readonly restarts: number
    /** A worse one than the others' where the worker could not make that; undefined while it does not answer. */
    readonly wire: Wire['name'] | undefined
  }[]
  readonly connections: { readonly active: number; readonly accepted: number }
}

/** What an operator wants to know at the end of a start: where it can be reached. */
export function servingLines(conf: BootConf, listeners: GatewayStatus['listeners']): readonly string[] {
  const { deployment, apisix } = conf
  const lines = [`Sluice ${productVersion} serves`]
  if (servesAdmin(conf)) {
    const { ip, port } = deployment.admin.admin_listen
    lines.push(
      `  Admin API    ${deployment.admin.https_admin ? 'https' : 'http'}://${listenAddress({ host: ip, port })}/apisix/admin`,
    )
  }
  if (apisix.enable_control) {
    const { ip, port } = apisix.control
    lines.push(`  Control API  http://${listenAddress({ host: ip, port })}/v1`)
  }
  const web = listeners.filter(({ serves }) => serves === 'http')
  const streams = listeners.filter(({ serves }) => serves === 'stream')
  const url = (one: (typeof listeners)[number]): string => `http${one.tls ? 's' : ''}://${listenAddress(one)}`
  if (servesHttp(conf)) lines.push(`  HTTP         ${summed(web, url)}`)
  if (servesStreams(conf))
    lines.push(`  streams      ${summed(streams, (one) => `${one.transport} ${listenAddress(one)}`)}`)
  return lines
}

function summed<T>(all: readonly T[], show: (one: T) => string): string {
  const shown = all.slice(0, shownListeners).map(show)
  if (all.length > shownListeners) shown.push(`and ${all.length - shownListeners} more`)
  return shown.length === 0 ? 'no port yet' : shown.join(', ')
}

/** The families of APISIX that main knows by itself. */
export function controlGauges(configuration: Configuration): ControlGauges {
  const { store, source } = configuration
  const kinds = ['routes', 'services', 'ssls', 'consumers', 'global_rules', 'upstreams', 'stream_routes', 'protos']
  const indexes: Record<string, number> = {
    x_etcd_index: store.revision,
    prev_index: store.revision,
    max_modify_index: 0,
  }
  for (const kind of kinds) {
    let highest = 0
    for (const resource of store.all(kind)) highest = Math.max(highest, resource.modifiedIndex)
    indexes[kind] = highest
    indexes['max_modify_index'] = Math.max(indexes['max_modify_index'] ?? 0, highest)
  }
  const { provider, reachable } = source.status()
  return {
    nodeInfo: { hostname: hostname(), version: productVersion },
    ...(provider === 'etcd' ? { etcdReachable: reachable } : {}),
    etcdModifyIndexes: indexes,
  }
}
