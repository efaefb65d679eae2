/** Schema of an upstream's health checks. Ranges and defaults are APISIX's. */
import type { JsonSchema } from '../base/json.ts'
import { hostSchema } from './address-schema.ts'
import { httpMethods } from './http-methods.ts'

const statuses = (...defaults: number[]): JsonSchema => ({
  type: 'array',
  minItems: 1,
  items: { type: 'integer', minimum: 200, maximum: 599 },
  uniqueItems: true,
  default: defaults,
})
const interval: JsonSchema = { type: 'integer', minimum: 1, default: 1, description: 'seconds' }
const count = (minimum: number, defaultCount: number): JsonSchema => ({
  type: 'integer',
  minimum,
  maximum: 254,
  default: defaultCount,
})
const probe: JsonSchema = { type: 'string', enum: ['http', 'https', 'tcp'], default: 'http' }

const active: JsonSchema = {
  type: 'object',
  properties: {
    type: probe,
    timeout: { type: 'number', default: 1, description: 'seconds' },
    concurrency: { type: 'integer', default: 10 },
    host: hostSchema,
    port: { type: 'integer', minimum: 1, maximum: 65535 },
    http_method: { type: 'string', enum: httpMethods, default: 'GET' },
    http_path: { type: 'string', default: '/' },
    http_req_body: { type: 'string', default: '' },
    https_verify_certificate: { type: 'boolean', default: true },
    req_headers: { type: 'array', minItems: 1, items: { type: 'string' } },
    healthy: {
      type: 'object',
      properties: { interval, http_statuses: statuses(200, 302), successes: count(1, 2) },
    },
    unhealthy: {
      type: 'object',
      properties: {
        interval,
        http_statuses: statuses(429, 404, 500, 501, 502, 503, 504, 505),
        http_failures: count(1, 5),
        tcp_failures: count(1, 2),
        timeouts: count(1, 3),
      },
    },
  },
}

const passive: JsonSchema = {
  type: 'object',
  properties: {
    type: probe,
    healthy: {
      type: 'object',
      properties: {
        http_statuses: statuses(
          ...[200, 201, 202, 203, 204, 205, 206, 207, 208, 226],
          ...[300, 301, 302, 303, 304, 305, 306, 307, 308],
        ),
        successes: count(0, 5),
      },
    },
    unhealthy: {
      type: 'object',
      properties: {
        http_statuses: statuses(429, 500, 503),
        tcp_failures: count(0, 2),
        timeouts: count(0, 7),
        http_failures: count(0, 5),
      },
    },
  },
}

export const checksSchema: JsonSchema = {
  type: 'object',
  properties: { active, passive },
  anyOf: [{ required: ['active'] }, { required: ['active', 'passive'] }],
}
