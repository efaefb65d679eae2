/**
 * prometheus: counts the requests of a route (or, as a global rule, of all routes that do not have it themselves) by status,
 * time and bytes. Showing the numbers is the business of the metrics server.
 */
import type { Exchange, HttpSession, JsonSchema, Plugin, StreamSession } from '#sdk'
import { HttpMetrics, type MetricName, ownLabels } from './http-metrics.ts'

interface Conf {
  readonly prefer_name: boolean
}

/** The first label of a metric cannot be switched off. */
function optionalLabels(metric: MetricName): JsonSchema {
  const [, ...labels] = ownLabels[metric]
  return { type: 'array', items: { type: 'string', enum: labels }, uniqueItems: true }
}

export const prometheus: Plugin<Conf> = {
  name: 'prometheus',
  priority: 500,
  version: 0.2,
  subsystem: 'http',
  runPolicy: 'prefer_route',
  schema: { type: 'object', properties: { prefer_name: { type: 'boolean', default: false } } },
  metadataSchema: {
    type: 'object',
    properties: {
      disabled_labels: {
        type: 'object',
        properties: {
          http_status: optionalLabels('http_status'),
          http_latency: optionalLabels('http_latency'),
          bandwidth: optionalLabels('bandwidth'),
        },
        additionalProperties: false,
      },
    },
  },

  create(conf, build) {
    const metrics = new HttpMetrics(build, conf.prefer_name)
    return {
      log(exchange: Exchange) {
        metrics.count(exchange as HttpSession, build.metadata())
      },
    }
  },
}

/** Sessions of streams are counted with and without it: it says how their route is called. */
export const streamPrometheus: Plugin<Conf> = {
  name: 'prometheus',
  priority: 500,
  version: 0.1,
  subsystem: 'stream',
  runPolicy: 'prefer_route',
  schema: { type: 'object', properties: { prefer_name: { type: 'boolean', default: false } } },

  create({ prefer_name }) {
    return {
      log(exchange: Exchange) {
        ;(exchange as StreamSession).shownBy = prefer_name ? 'name' : 'id'
      },
    }
  },
}
