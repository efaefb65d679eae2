/** The configuration of limit-count. */
import type { JsonSchema } from '#sdk'
import type { KeyType } from './limit-key.ts'
import { type Policy, type RedisConf, redisPolicies, redisSecrets } from './redis-schema.ts'

export interface RuleConf {
  readonly count: number | string
  readonly time_window: number | string
  readonly key: string
  readonly header_prefix?: string
}

export interface LimitCountConf extends RedisConf {
  readonly count?: number | string
  readonly time_window?: number | string
  readonly window_type: 'fixed' | 'sliding'
  readonly rules?: readonly RuleConf[]
  readonly group?: string
  readonly key: string
  readonly key_type: KeyType
  readonly rejected_code: number
  readonly rejected_msg?: string
  readonly policy: Policy
  readonly allow_degradation: boolean
  readonly show_limit_quota_header: boolean
  readonly sync_interval: number
  /** Set by workflow: the place of the action. */
  readonly _vid?: number
}

/** Asks Redis for each request. */
export const neverSynced = -1

const positive: JsonSchema = { oneOf: [{ type: 'integer', exclusiveMinimum: 0 }, { type: 'string' }] }
const header = (name: string): JsonSchema => ({ type: 'string', default: `X-RateLimit-${name}` })

export const limitCountSchema: JsonSchema = {
  type: 'object',
  properties: {
    count: positive,
    time_window: positive,
    window_type: { type: 'string', enum: ['fixed', 'sliding'], default: 'fixed' },
    rules: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          count: positive,
          time_window: positive,
          key: { type: 'string' },
          header_prefix: { type: 'string', description: 'prefix for rate limit headers' },
        },
        required: ['count', 'time_window', 'key'],
      },
    },
    group: { type: 'string' },
    key: { type: 'string', default: 'remote_addr' },
    key_type: { type: 'string', enum: ['var', 'var_combination', 'constant'], default: 'var' },
    rejected_code: { type: 'integer', minimum: 200, maximum: 599, default: 503 },
    rejected_msg: { type: 'string', minLength: 1 },
    policy: { type: 'string', enum: ['local', 'redis', 'redis-cluster', 'redis-sentinel'], default: 'local' },
    allow_degradation: { type: 'boolean', default: false },
    show_limit_quota_header: { type: 'boolean', default: true },
    sync_interval: { type: 'number', default: neverSynced },
    ...redisSecrets,
  },
  // What has both is refused by `check`, in words of its own.
  oneOf: [{ required: ['count', 'time_window'] }, { required: ['rules'], not: { required: ['count', 'time_window'] } }],
  ...redisPolicies(['redis', 'redis-cluster', 'redis-sentinel']),
}

export const limitCountMetadata: JsonSchema = {
  type: 'object',
  properties: {
    limit_header: header('Limit'),
    remaining_header: header('Remaining'),
    reset_header: header('Reset'),
  },
}

/** What the schema cannot say. */
export function limitCountFault(conf: LimitCountConf): string | undefined {
  const { rules, group, policy, sync_interval: sync, time_window: window } = conf
  if (rules !== undefined && (conf.count !== undefined || window !== undefined)) {
    return 'count/time_window and rules cannot be specified at the same time'
  }
  if (group !== undefined && rules !== undefined) return 'group and rules cannot be specified at the same time'
  if (group !== undefined && conf._vid !== undefined) return 'group is not supported'
  if (policy !== 'local' && sync !== neverSynced) {
    if (sync < 0.1) return 'sync_interval should not be smaller than 0.1'
    if (typeof window === 'number' && sync >= window) return 'sync_interval should be smaller than time_window'
  }
  const keys = new Set<string>()
  for (const { key } of rules ?? []) {
    if (keys.has(key)) return `duplicate key '${key}' in rules`
    keys.add(key)
  }
  return undefined
}
