/** Where the Redis of a limit is: the attributes that `policy` brings with it, shared by all limits. */
import type { JsonSchema } from '#sdk'

export type Policy = 'local' | 'redis' | 'redis-cluster' | 'redis-sentinel'

/** What of a configuration says which Redis is meant; the attributes of other policies are not there. */
export interface RedisConf {
  readonly policy?: Policy
  readonly redis_host?: string
  readonly redis_port?: number
  readonly redis_username?: string
  readonly redis_password?: string
  readonly redis_database?: number
  readonly redis_timeout?: number
  readonly redis_ssl?: boolean
  readonly redis_ssl_verify?: boolean
  readonly redis_cluster_nodes?: readonly string[]
  readonly redis_cluster_name?: string
  readonly redis_cluster_ssl?: boolean
  readonly redis_cluster_ssl_verify?: boolean
  readonly redis_sentinels?: readonly { readonly host: string; readonly port: number }[]
  readonly redis_master_name?: string
  readonly redis_role?: 'master' | 'slave'
  readonly redis_connect_timeout?: number
  readonly redis_read_timeout?: number
  /** Milliseconds without use after which a connection is closed. `redis_keepalive_pool` is more than the one there is, always. */
  readonly redis_keepalive_timeout?: number
  readonly sentinel_username?: string
  readonly sentinel_password?: string
}

const text = (minLength: number): JsonSchema => ({ type: 'string', minLength })
const atLeast = (minimum: number, value: number): JsonSchema => ({ type: 'integer', minimum, default: value })
const flag: JsonSchema = { type: 'boolean', default: false }

const single: JsonSchema = {
  properties: {
    redis_host: text(2),
    redis_port: atLeast(1, 6379),
    redis_username: text(1),
    redis_password: text(0),
    redis_database: atLeast(0, 0),
    redis_timeout: atLeast(1, 1000),
    redis_ssl: flag,
    redis_ssl_verify: flag,
    redis_keepalive_timeout: atLeast(1, 10_000),
    redis_keepalive_pool: atLeast(1, 100),
  },
  required: ['redis_host'],
}

const cluster: JsonSchema = {
  properties: {
    redis_cluster_nodes: { type: 'array', minItems: 1, items: { type: 'string', minLength: 2, maxLength: 100 } },
    redis_password: text(0),
    redis_timeout: atLeast(1, 1000),
    redis_cluster_name: { type: 'string' },
    redis_cluster_ssl: flag,
    redis_cluster_ssl_verify: flag,
    redis_keepalive_timeout: atLeast(1, 10_000),
    redis_keepalive_pool: atLeast(1, 100),
  },
  required: ['redis_cluster_nodes', 'redis_cluster_name'],
}

const sentinel: JsonSchema = {
  properties: {
    redis_sentinels: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        properties: { host: text(2), port: { type: 'integer', minimum: 1, maximum: 65_535 } },
        required: ['host', 'port'],
        additionalProperties: false,
      },
    },
    redis_master_name: text(1),
    redis_role: { type: 'string', enum: ['master', 'slave'], default: 'master' },
    redis_connect_timeout: atLeast(1, 1000),
    redis_read_timeout: atLeast(1, 1000),
    redis_keepalive_timeout: atLeast(1, 60_000),
    redis_database: atLeast(0, 0),
    redis_username: text(1),
    redis_password: text(0),
    sentinel_username: text(1),
    sentinel_password: text(0),
  },
  required: ['redis_sentinels', 'redis_master_name'],
}

/** Properties of every schema with these policies: secrets have to be among a schema's own. */
export const redisSecrets: JsonSchema = { redis_password: text(0), sentinel_password: text(0) }

/** Fields that are encrypted at rest. */
export const redisSecretFields = ['redis_password', 'sentinel_password'] as const

/** To be spread into a schema: each policy asks for what it needs. `more` are attributes of Redis that only this plugin has. */
export function redisPolicies(policies: readonly Policy[], more: JsonSchema = {}): JsonSchema {
  const parts: readonly [Policy, JsonSchema][] = [
    ['redis', single],
    ['redis-cluster', cluster],
    ['redis-sentinel', sentinel],
  ]
  let chain: JsonSchema = {}
  for (const [policy, { properties, required }] of parts.filter(([name]) => policies.includes(name)).reverse()) {
    const then = { properties: { ...(properties as object), ...more }, required }
    chain = { if: { properties: { policy: { enum: [policy] } } }, then, ...(chain['if'] ? { else: chain } : {}) }
  }
  return chain
}
