/**
 * What stream sessions are counted by: APISIX's families under their names and labels, and Sluice's own per route and node.
 * The road calls `opened` when a session starts and `closed` when it ends; instruments are looked up once per route and node.
 */
import { type Code, codes, type Kind } from '../errors.ts'
import type { Counter, CounterFamily, Gauge, GaugeFamily, Histogram, HistogramFamily, Metrics } from './metrics.ts'

/** A compiled route; the object itself is what its instruments are remembered by. */
export interface MeteredRoute {
  readonly id: string
  readonly name: string | undefined
}

/** An endpoint; `id` is `host:port`. */
export interface MeteredEndpoint {
  readonly id: string
}

/** Bytes that went by since the last report of this session. */
export interface StreamFlow {
  /** As configured: `0.0.0.0:9100`. */
  readonly listenAddr: string
  /** Undefined when none matched. */
  readonly route: MeteredRoute | undefined
  /** The last one tried; undefined when it did not come to that. */
  readonly endpoint: MeteredEndpoint | undefined
  readonly fromClient: number
  readonly toClient: number
  readonly fromEndpoint: number
  readonly toEndpoint: number
}

export interface StreamSession extends StreamFlow {
  /** How the route's `prometheus` plugin shows the route; undefined when the route has none, which keeps the session out of APISIX's two per-route families. */
  readonly shownBy: 'id' | 'name' | undefined
  /** Why it ended, when not in order. */
  readonly error: Code | undefined
  /** What a plugin refused the session with; otherwise the code follows from `error`. */
  readonly status?: number
  readonly durationMs: number
  /** Undefined when nothing was connected. */
  readonly connectMs: number | undefined
}

const sessionSeconds = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800, 3600, 21600, 86400]
const connectSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** A client that leaves is a session in order, as it is to nginx; everything that the endpoint did wrong, or too late, is 502. */
const statusOfKind: Readonly<Record<Kind, number>> = {
  absent: 400,
  malformed: 400,
  forbidden: 403,
  gone: 200,
  unavailable: 503,
  unreachable: 502,
  broken: 502,
  timeout: 502,
  internal: 500,
}

/** The `code` label of `stream_status`: one of 200, 400, 403, 500, 502, 503. */
export function streamStatus(error: Code | undefined): number {
  if (error === undefined) return 200
  const { kind, origin } = codes[error]
  return kind === 'timeout' && origin === 'client' ? 400 : statusOfKind[kind]
}

interface ListenerInstruments {
  readonly active: Gauge
  readonly fromClient: Counter
  readonly toClient: Counter
  readonly fromEndpoint: Counter
  readonly toEndpoint: Counter
}

interface NodeInstruments {
  readonly label: string
  readonly sessions: Counter
  readonly toEndpoint: Counter
  readonly toClient: Counter
  readonly connectSeconds: Histogram
  readonly errors: Map<Code, Counter>
  readonly statuses: Map<number, Map<string, Counter>>
}

interface RouteInstruments {
  readonly label: string
  readonly seconds: Histogram
  readonly connections: Map<'id' | 'name', Counter>
  readonly nodes: WeakMap<MeteredEndpoint, NodeInstruments>
}

/** Stand in for what is not there, so that a look-up by object always works. */
const noRoute: MeteredRoute = { id: '', name: undefined }
const noEndpoint: MeteredEndpoint = { id: '' }

export class StreamMetrics {
  readonly #connections: CounterFamily
  readonly #active: GaugeFamily
  readonly #status: CounterFamily
  readonly #bandwidth: CounterFamily
  readonly #sessions: CounterFamily
  readonly #bytes: CounterFamily
  readonly #sessionSeconds: HistogramFamily
  readonly #connectSeconds: HistogramFamily
  readonly #errors: CounterFamily
  readonly #dropped: CounterFamily
  /** As many as there are listeners. */
  readonly #listeners: Map<string, ListenerInstruments>
  readonly #routes: WeakMap<MeteredRoute, RouteInstruments>

  constructor(metrics: Metrics) {
    this.#connections = metrics.counter('stream_connection_total', 'Sessions of a stream route', ['route'])
    this.#active = metrics.gauge('stream_active_connections', 'Sessions open on a stream listener', ['listen_addr'])
    this.#status = metrics.counter('stream_status', 'Ended stream sessions by result', ['code', 'listen_addr', 'node'])
    this.#bandwidth = metrics.counter('stream_bandwidth', 'Bytes of stream sessions', ['listen_addr', 'type', 'side'])
    const routeAndNode = ['route', 'node']
    this.#sessions = metrics.counter('sluice_stream_sessions_total', 'Ended stream sessions', routeAndNode)
    this.#bytes = metrics.counter('sluice_stream_bytes_total', 'Bytes passed on', [...routeAndNode, 'direction'])
    this.#sessionSeconds = metrics.histogram(
      'sluice_stream_session_seconds',
      'How long stream sessions lasted',
      ['route'],
      sessionSeconds,
    )
    this.#connectSeconds = metrics.histogram(
      'sluice_stream_connect_seconds',
      'How long it took to connect to a node',
      routeAndNode,
      connectSeconds,
    )
    this.#errors = metrics.counter('sluice_stream_errors_total', 'Stream sessions that ended with an error', [
      ...routeAndNode,
      'code',
    ])
    this.#dropped = metrics.counter('sluice_udp_dropped_total', 'Datagrams dropped', ['listen_addr', 'reason'])
    this.#listeners = new Map()
    this.#routes = new WeakMap()
  }

  /** A session began on this listener. */
  opened(listenAddr: string): void {
    this.#listener(listenAddr).active.add(1)
  }

  /** The session is over; byte counts are those since the last `flowed`. Exactly once for each `opened`. */
  closed(session: StreamSession): void {
    this.#listener(session.listenAddr).active.add(-1)
    this.flowed(session)
    const route = this.#route(session.route ?? noRoute)
    const node = this.#node(route, session.endpoint ?? noEndpoint)
    node.sessions.add(1)
    route.seconds.observe(session.durationMs / 1000)
    if (session.connectMs !== undefined) node.connectSeconds.observe(session.connectMs / 1000)
    if (session.error !== undefined) this.#error(route, node, session.error).add(1)
    if (session.shownBy === undefined) return
    this.#connection(route, session.shownBy, session.route ?? noRoute).add(1)
    this.#statusOf(node, session.status ?? streamStatus(session.error), session.listenAddr).add(1)
  }

  /** For sessions that last: bytes may be reported now and then, so that rates are true before the session ends. */
  flowed(flow: StreamFlow): void {
    const listener = this.#listener(flow.listenAddr)
    listener.fromClient.add(flow.fromClient)
    listener.toClient.add(flow.toClient)
    listener.fromEndpoint.add(flow.fromEndpoint)
    listener.toEndpoint.add(flow.toEndpoint)
    const node = this.#node(this.#route(flow.route ?? noRoute), flow.endpoint ?? noEndpoint)
    node.toEndpoint.add(flow.toEndpoint)
    node.toClient.add(flow.toClient)
  }

  /** Datagrams that were not passed on, and why: `queue_full`, `no_route`, `too_many_sessions`, … */
  dropped(listenAddr: string, reason: string, count: number): void {
    this.#dropped.with(listenAddr, reason).add(count)
  }

  #listener(addr: string): ListenerInstruments {
    const known = this.#listeners.get(addr)
    if (known !== undefined) return known
    const made = {
      active: this.#active.with(addr),
      fromClient: this.#bandwidth.with(addr, 'ingress', 'downstream'),
      toClient: this.#bandwidth.with(addr, 'egress', 'downstream'),
      fromEndpoint: this.#bandwidth.with(addr, 'ingress', 'upstream'),
      toEndpoint: this.#bandwidth.with(addr, 'egress', 'upstream'),
    }
    this.#listeners.set(addr, made)
    return made
  }

  #route(route: MeteredRoute): RouteInstruments {
    const known = this.#routes.get(route)
    if (known !== undefined) return known
    const seconds = this.#sessionSeconds.with(route.id)
    const made: RouteInstruments = { label: route.id, seconds, connections: new Map(), nodes: new WeakMap() }
    this.#routes.set(route, made)
    return made
  }

  #node(route: RouteInstruments, endpoint: MeteredEndpoint): NodeInstruments {
    const known = route.nodes.get(endpoint)
    if (known !== undefined) return known
    const made: NodeInstruments = {
      label: endpoint.id,
      sessions: this.#sessions.with(route.label, endpoint.id),
      toEndpoint: this.#bytes.with(route.label, endpoint.id, 'to_node'),
      toClient: this.#bytes.with(route.label, endpoint.id, 'to_client'),
      connectSeconds: this.#connectSeconds.with(route.label, endpoint.id),
      errors: new Map(),
      statuses: new Map(),
    }
    route.nodes.set(endpoint, made)
    return made
  }

  #error(route: RouteInstruments, node: NodeInstruments, code: Code): Counter {
    const known = node.errors.get(code)
    if (known !== undefined) return known
    const made = this.#errors.with(route.label, node.label, code)
    node.errors.set(code, made)
    return made
  }

  #connection(instruments: RouteInstruments, shownBy: 'id' | 'name', route: MeteredRoute): Counter {
    const known = instruments.connections.get(shownBy)
    if (known !== undefined) return known
    const made = this.#connections.with(shownBy === 'name' ? (route.name ?? route.id) : route.id)
    instruments.connections.set(shownBy, made)
    return made
  }

  #statusOf(node: NodeInstruments, status: number, listenAddr: string): Counter {
    let byListener = node.statuses.get(status)
    if (byListener === undefined) {
      byListener = new Map()
      node.statuses.set(status, byListener)
    }
    const known = byListener.get(listenAddr)
    if (known !== undefined) return known
    const made = this.#status.with(String(status), listenAddr, node.label)
    byListener.set(listenAddr, made)
    return made
  }
}
