/**
 * The Prometheus exposition: answers GET on one path with what all workers have counted and what the main thread knows.
 * It collects nothing by itself; text format 0.0.4 by prom-client.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { AggregatorRegistry, type MetricObject, Registry } from 'prom-client'
import type { Log } from '../observability/log.ts'
import {
  type FamilySnapshot,
  type MetricsSnapshot,
  mergeSnapshots,
  seriesWidth,
} from '../observability/metrics-snapshot.ts'

/** What the main thread knows by itself. A part that does not apply is absent. */
export interface ControlGauges {
  readonly nodeInfo: { readonly hostname: string; readonly version: string }
  /** Only where the configuration comes from etcd. */
  readonly etcdReachable?: boolean
  /** `routes`, `services`, …, `prev_index`, `max_modify_index`, `x_etcd_index`. */
  readonly etcdModifyIndexes?: Readonly<Record<string, number>>
  readonly sharedDicts?: readonly {
    readonly name: string
    readonly capacityBytes: number
    readonly freeBytes: number
  }[]
  /** Nodes of upstreams with active checks. */
  readonly upstreamStatus?: readonly {
    readonly name: string
    readonly ip: string
    readonly port: number
    readonly healthy: boolean
  }[]
  /** Anything else, summed with what workers send under the same name. */
  readonly more?: MetricsSnapshot
}

export interface MetricsServerOptions {
  /** The workers' snapshots, and the retained one of those that are gone. A rejection is answered with 500. */
  readonly collect: () => Promise<readonly MetricsSnapshot[]>
  readonly gauges: () => ControlGauges
  /** `plugin_attr.prometheus.metric_prefix`; not put before names that start with `sluice_`. */
  readonly prefix: string
  /** `plugin_attr.prometheus.export_uri`. */
  readonly uri: string
  readonly log: Log
}

export interface MetricsServer {
  /** Resolves with the port that is listened on; rejects when the address cannot be had. */
  listen(host: string, port: number): Promise<number>
  /** The exposition as text, for those who serve it elsewhere. */
  render(): Promise<string>
  close(): Promise<void>
}

/** Scrapers and curious people, not traffic. */
const maxConnections = 64

export function createMetricsServer(options: MetricsServerOptions): MetricsServer {
  return new Exposition(options)
}

class Exposition implements MetricsServer {
  readonly #options: MetricsServerOptions
  readonly #server: Server
  #rendering: Promise<string> | undefined

  constructor(options: MetricsServerOptions) {
    this.#options = options
    this.#rendering = undefined
    this.#server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000, keepAliveTimeout: 75_000 })
    this.#server.maxConnections = maxConnections
    this.#server.on('request', (request, response) => void this.#answer(request, response))
  }

  listen(host: string, port: number): Promise<number> {
    return new Promise((done, fail) => {
      this.#server.once('error', fail)
      this.#server.listen(port, host, () => {
        this.#server.removeListener('error', fail)
        const address = this.#server.address()
        done(typeof address === 'object' && address !== null ? address.port : port)
      })
    })
  }

  /** Scrapes that come while one is being made share it. */
  render(): Promise<string> {
    this.#rendering ??= this.#render().finally(() => {
      this.#rendering = undefined
    })
    return this.#rendering
  }

  close(): Promise<void> {
    return new Promise((done) => {
      this.#server.close(() => done())
      this.#server.closeAllConnections()
    })
  }

  async #render(): Promise<string> {
    const { collect, gauges, prefix } = this.#options
    const snapshots = await collect()
    const families = mergeSnapshots([controlFamilies(gauges()), ...snapshots])
    const registry = AggregatorRegistry.aggregate([families.map((family) => metricObject(family, prefix))])
    return registry.metrics()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?', 1)[0]
    if (path !== this.#options.uri) return reply(response, 404, 'text/plain', 'not found\n')
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD')
      return reply(response, 405, 'text/plain', 'method not allowed\n')
    }
    try {
      reply(response, 200, Registry.PROMETHEUS_CONTENT_TYPE, await this.render())
    } catch (error) {
      this.#options.log.error({ error }, 'metrics could not be collected')
      reply(response, 500, 'text/plain', 'metrics could not be collected\n')
    }
  }
}

function reply(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) })
  response.end(body)
}

function controlFamilies(gauges: ControlGauges): MetricsSnapshot {
  const { nodeInfo, etcdReachable, etcdModifyIndexes, sharedDicts = [], upstreamStatus = [] } = gauges
  const indexes = Object.entries(etcdModifyIndexes ?? {})
  const memory = process.memoryUsage.rss()
  const cpu = process.cpuUsage()
  return [
    family('node_info', 'Info of this node', ['hostname', 'version'], [[[nodeInfo.hostname, nodeInfo.version], 1]]),
    family(
      'etcd_reachable',
      'Whether etcd answers',
      [],
      etcdReachable === undefined ? [] : [[[], Number(etcdReachable)]],
    ),
    family(
      'etcd_modify_indexes',
      'Revisions of the configuration by kind',
      ['key'],
      indexes.map(([key, index]) => [[key], index]),
    ),
    family(
      'shared_dict_capacity_bytes',
      'Size of a shared table',
      ['name'],
      sharedDicts.map((dict) => [[dict.name], dict.capacityBytes]),
    ),
    family(
      'shared_dict_free_space_bytes',
      'Room left in a shared table',
      ['name'],
      sharedDicts.map((dict) => [[dict.name], dict.freeBytes]),
    ),
    family(
      'upstream_status',
      'Verdict of active checks: 1 healthy, 0 not',
      ['name', 'ip', 'port'],
      upstreamStatus.map((node) => [[node.name, node.ip, String(node.port)], Number(node.healthy)]),
    ),
    family('sluice_process_resident_memory_bytes', 'Memory of the process', [], [[[], memory]]),
    {
      ...family('sluice_process_cpu_seconds_total', 'Processor time used', [], [[[], (cpu.user + cpu.system) / 1e6]]),
      type: 'counter' as const,
    },
    ...(gauges.more ?? []),
  ].filter((each) => each.values.length > 0)
}

function family(
  name: string,
  help: string,
  labels: readonly string[],
  series: readonly (readonly [labelValues: readonly string[], value: number])[],
): FamilySnapshot {
  const labelValues = series.flatMap(([values]) => values)
  return {
    name,
    help,
    type: 'gauge',
    labels,
    buckets: [],
    labelValues,
    values: Float64Array.from(series, ([, value]) => value),
  }
}

/** The shape that prom-client's own workers send to their master. */
function metricObject(family: FamilySnapshot, prefix: string): MetricObject {
  const name = family.name.startsWith('sluice_') ? family.name : `${prefix}${family.name}`
  const values = family.type === 'histogram' ? histogramValues(family, name) : plainValues(family)
  // prom-client's declaration asks for its enum; what is read at run time is the word.
  return { name, help: family.help, type: family.type, aggregator: 'sum', values } as unknown as MetricObject
}

interface Sample {
  readonly labels: Record<string, string | number>
  readonly value: number
  readonly metricName?: string
}

function labelsAt(family: FamilySnapshot, index: number): Record<string, string> {
  const labels: Record<string, string> = {}
  family.labels.forEach((label, n) => {
    labels[label] = family.labelValues[index * family.labels.length + n] ?? ''
  })
  return labels
}

function plainValues(family: FamilySnapshot): Sample[] {
  return Array.from(family.values, (value, index) => ({ labels: labelsAt(family, index), value }))
}

function histogramValues(family: FamilySnapshot, name: string): Sample[] {
  const width = seriesWidth(family)
  const samples: Sample[] = []
  for (let index = 0; index * width < family.values.length; index++) {
    const labels = labelsAt(family, index)
    let count = 0
    for (let bucket = 0; bucket <= family.buckets.length; bucket++) {
      count += family.values[index * width + bucket]!
      const le = family.buckets[bucket] ?? '+Inf'
      samples.push({ labels: { ...labels, le }, value: count, metricName: `${name}_bucket` })
    }
    samples.push({ labels, value: family.values[index * width + width - 1]!, metricName: `${name}_sum` })
    samples.push({ labels, value: count, metricName: `${name}_count` })
  }
  return samples
}
