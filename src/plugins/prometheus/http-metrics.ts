/**
 * Counts exchanges of HTTP under APISIX's names and labels. An exchange costs a few comparisons and additions: instruments are
 * remembered by route and node. Only labels that are added by `extra_labels` cost a look-up by text.
 */
import type { Build, CounterFamily, HistogramFamily, HttpSession, JsonObject, Metrics, RouteInfo } from '#sdk'
import { Line, RouteLines, sources } from './route-lines.ts'
import { type OwnLabels, type PrometheusSettings, prometheusSettings } from './settings.ts'

const perRoute = ['route', 'service', 'consumer', 'node', 'request_type', 'request_llm_model', 'llm_model'] as const

/** Of each metric, in order. The first of each says what is counted. */
export const ownLabels = {
  http_status: [
    ...['code', 'route', 'matched_uri', 'matched_host', 'service', 'consumer', 'node'],
    ...['request_type', 'request_llm_model', 'llm_model', 'response_source'],
  ],
  http_latency: ['type', ...perRoute],
  bandwidth: ['type', ...perRoute],
} as const satisfies OwnLabels

export type MetricName = keyof typeof ownLabels

/** Requests to models of language are not told apart: all are of one type. */
const requestType = 'traditional_http'
const noRoute: RouteInfo = { id: '', name: undefined, serviceId: undefined, labels: undefined }
const [fromGateway, fromWire, fromUpstream] = [0, 1, 2]

export class HttpMetrics {
  readonly #metrics: Metrics
  readonly #settings: PrometheusSettings
  readonly #preferName: boolean
  readonly #status: CounterFamily
  readonly #latency: HistogramFamily
  readonly #bandwidth: CounterFamily
  #routes = new WeakMap<RouteInfo, RouteLines>()
  #lastRoute: RouteInfo | undefined = undefined
  #lastLines: RouteLines | undefined = undefined
  #generation = -1
  #metadata: JsonObject | undefined = undefined
  #disabled: Readonly<Record<MetricName, readonly string[]>> = disabledIn(undefined)

  constructor({ metrics, attributes, log }: Build, preferName: boolean) {
    const settings = prometheusSettings(attributes, ownLabels, log)
    const { status, latency, bandwidth, buckets } = settings
    this.#metrics = metrics
    this.#settings = settings
    this.#preferName = preferName
    this.#status = metrics.configuredCounter(
      'http_status',
      'HTTP status codes per service',
      [...ownLabels.http_status, ...status.labels],
      status,
    )
    this.#latency = metrics.configuredHistogram(
      'http_latency',
      'HTTP request latency in milliseconds per service',
      [...ownLabels.http_latency, ...latency.labels],
      buckets,
      latency,
    )
    this.#bandwidth = metrics.configuredCounter(
      'bandwidth',
      'Total bandwidth in bytes consumed per service',
      [...ownLabels.bandwidth, ...bandwidth.labels],
      bandwidth,
    )
  }

  /** Counts an exchange that has ended. `metadata` is the plugin's, as it is now. */
  count(exchange: HttpSession, metadata: JsonObject | undefined): void {
    const { attempts, endedAt, startedAt } = exchange
    if (this.#generation !== this.#metrics.generation || this.#metadata !== metadata) this.#startOver(metadata)
    const lines = this.#linesOf(exchange.route ?? noRoute)
    const last = attempts.length === 0 ? undefined : attempts[attempts.length - 1]
    const node = last?.endpoint.host ?? ''
    const consumer = exchange.consumer?.username ?? ''
    const uri = exchange.matchedUri ?? ''
    const host = exchange.matchedHost ?? ''
    const line = lines.find(node, consumer, uri, host) ?? this.#newLine(lines, { node, consumer, uri, host })
    const source = exchange.response?.fromUpstream === true ? fromUpstream : last === undefined ? fromGateway : fromWire
    const { status } = exchange
    const counter = line.status(source as number, status)
    if (counter === undefined) this.#newStatus(lines, line, source as number, exchange)
    else counter.value += 1
    const requestMs = endedAt - startedAt
    const upstreamMs = last === undefined ? -1 : (exchange.upstreamEndedAt || endedAt) - last.startedAt
    const ingress = exchange.request.headBytes + exchange.request.body.received
    const egress = exchange.headBytesSent + exchange.bodyBytesSent
    const { latency, bandwidth } = line
    if (latency === undefined) this.#observeApart(lines, line, exchange, requestMs, upstreamMs)
    else {
      latency.request.observe(requestMs)
      if (upstreamMs >= 0) latency.upstream?.observe(upstreamMs)
      latency.apisix.observe(upstreamMs >= 0 ? Math.max(0, requestMs - upstreamMs) : requestMs)
    }
    if (bandwidth === undefined) this.#addApart(lines, line, exchange, ingress, egress)
    else {
      bandwidth.ingress.value += ingress
      bandwidth.egress.value += egress
    }
  }

  /** Series were dropped, or labels are shown that were not before: no instrument can be relied on. */
  #startOver(metadata: JsonObject | undefined): void {
    this.#generation = this.#metrics.generation
    this.#routes = new WeakMap()
    this.#lastRoute = undefined
    this.#metadata = metadata
    this.#disabled = disabledIn(metadata)
  }

  #linesOf(route: RouteInfo): RouteLines {
    if (route === this.#lastRoute) return this.#lastLines as RouteLines
    let lines = this.#routes.get(route)
    if (lines === undefined) {
      const named = this.#preferName
      const service = route.serviceId ?? ''
      lines = new RouteLines(
        named ? route.name || route.id : route.id,
        named && service !== '' ? route.serviceName || service : service,
      )
      this.#routes.set(route, lines)
    }
    this.#lastRoute = route
    this.#lastLines = lines
    return lines
  }

  #newLine(lines: RouteLines, place: { node: string; consumer: string; uri: string; host: string }): Line {
    const { latency, bandwidth } = this.#settings
    const of = (type: string): string[] => perRouteValues(type, lines, place)
    const timed = (type: string) => this.#latency.with(...this.#shown('http_latency', of(type)))
    const sized = (type: string) => this.#bandwidth.with(...this.#shown('bandwidth', of(type)))
    const line = new Line(
      place,
      latency.labels.length > 0
        ? undefined
        : {
            request: timed('request'),
            upstream: place.node === '' ? undefined : timed('upstream'),
            apisix: timed('apisix'),
          },
      bandwidth.labels.length > 0 ? undefined : { ingress: sized('ingress'), egress: sized('egress') },
    )
    lines.add(line)
    return line
  }

  #newStatus(lines: RouteLines, line: Line, source: number, exchange: HttpSession): void {
    const { variables } = this.#settings.status
    const values = [
      ...[String(exchange.status), lines.route, line.uri, line.host, lines.service, line.consumer, line.node],
      ...[requestType, '', '', sources[source] as string],
    ]
    const counter = this.#status.with(...this.#shown('http_status', values), ...valuesOf(variables, exchange))
    if (variables.length === 0) line.keep(source, exchange.status, counter)
    counter.value += 1
  }

  #observeApart(lines: RouteLines, line: Line, exchange: HttpSession, requestMs: number, upstreamMs: number): void {
    const extra = valuesOf(this.#settings.latency.variables, exchange)
    const observe = (type: string, ms: number): void => {
      const values = this.#shown('http_latency', perRouteValues(type, lines, line))
      this.#latency.with(...values, ...extra).observe(ms)
    }
    observe('request', requestMs)
    if (upstreamMs >= 0) observe('upstream', upstreamMs)
    observe('apisix', upstreamMs >= 0 ? Math.max(0, requestMs - upstreamMs) : requestMs)
  }

  #addApart(lines: RouteLines, line: Line, exchange: HttpSession, ingress: number, egress: number): void {
    const extra = valuesOf(this.#settings.bandwidth.variables, exchange)
    const add = (type: string, bytes: number): void =>
      this.#bandwidth.with(...this.#shown('bandwidth', perRouteValues(type, lines, line)), ...extra).add(bytes)
    add('ingress', ingress)
    add('egress', egress)
  }

  /** Values of labels that are switched off are empty. */
  #shown(metric: MetricName, values: string[]): string[] {
    const disabled = this.#disabled[metric]
    if (disabled.length === 0) return values
    const labels: readonly string[] = ownLabels[metric]
    return values.map((value, at) => (disabled.includes(labels[at] as string) ? '' : value))
  }
}

function perRouteValues(
  type: string,
  lines: RouteLines,
  { consumer, node }: { consumer: string; node: string },
): string[] {
  return [type, lines.route, lines.service, consumer, node, requestType, '', '']
}

function valuesOf(variables: readonly string[], exchange: HttpSession): string[] {
  return variables.map((name) => exchange.variable(name) ?? '')
}

function disabledIn(metadata: JsonObject | undefined): Readonly<Record<MetricName, readonly string[]>> {
  const { disabled_labels } = (metadata ?? {}) as { disabled_labels?: Partial<Record<MetricName, readonly string[]>> }
  const { http_status = [], http_latency = [], bandwidth = [] } = disabled_labels ?? {}
  return { http_status, http_latency, bandwidth }
}
