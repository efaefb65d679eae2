/** What nginx tells of its connections and requests, under APISIX's names: read when somebody asks, so that traffic pays nothing for it. */
import type { FamilySnapshot, MetricsSnapshot } from '../observability/metrics-snapshot.ts'

export interface HttpNumbers {
  /** Connections of clients that are open now. */
  readonly open: number
  /** Connections that were taken since the worker began. */
  readonly accepted: number
  /** Requests under way. */
  readonly underway: number
  /** Requests that came since the worker began, refused ones included. */
  readonly requests: number
}

const connections = {
  name: 'nginx_http_current_connections',
  help: 'Number of HTTP connections',
  type: 'gauge',
  labels: ['state'],
  buckets: [],
} as const

/** A connection between two requests is `waiting`, also while the head of its next one comes in: `reading` stays 0. */
export function httpNumbers({ open, accepted, underway, requests }: HttpNumbers): MetricsSnapshot {
  const requestsTotal: FamilySnapshot = {
    name: 'http_requests_total',
    help: 'Requests of clients since the start',
    type: 'gauge',
    labels: [],
    buckets: [],
    labelValues: [],
    values: Float64Array.of(requests),
    total: true,
  }
  const taken: FamilySnapshot = {
    ...connections,
    labelValues: ['accepted', 'handled'],
    values: Float64Array.of(accepted, accepted),
    total: true,
  }
  const now: FamilySnapshot = {
    ...connections,
    labelValues: ['active', 'reading', 'writing', 'waiting'],
    values: Float64Array.of(open, 0, underway, Math.max(0, open - underway)),
  }
  return [requestsTotal, taken, now]
}
