/** limit-conn for HTTP: so many requests per key at once, over all workers; with Redis, over all gateways. */
import type { Answer, Build, HttpExchange, JsonSchema, Plugin } from '#sdk'
import {
  actionsOf,
  compileCombination,
  compileKey,
  compileNumber,
  type NumberOf,
  type RedisConf,
  redisOf,
  redisPolicies,
  redisSecretFields,
  redisSecrets,
  scopeOf,
} from '../limit-count/index.ts'
import { type ConnCounter, localCounter, redisCounter } from './conn-counter.ts'
import { ConnLimiter, type Due } from './conn-limiter.ts'

interface RuleConf {
  readonly conn: number | string
  readonly burst: number | string
  readonly key: string
}

interface Conf extends RedisConf {
  readonly conn?: number | string
  readonly burst?: number | string
  readonly default_conn_delay: number
  readonly only_use_default_delay: boolean
  readonly key?: string
  readonly key_type: 'var' | 'var_combination'
  readonly rules?: readonly RuleConf[]
  readonly policy: 'local' | 'redis' | 'redis-cluster'
  readonly key_ttl?: number
  readonly rejected_code: number
  readonly rejected_msg?: string
  readonly allow_degradation: boolean
  /** Set by workflow: the place of the action. */
  readonly _vid?: number
}

interface Rule {
  /** Undefined: the rule is not for this exchange. */
  readonly keyOf: (exchange: HttpExchange) => string | undefined
  readonly conn: NumberOf
  readonly burst: NumberOf
}

const conn: JsonSchema = { oneOf: [{ type: 'integer', exclusiveMinimum: 0 }, { type: 'string' }] }
const burst: JsonSchema = { oneOf: [{ type: 'integer', minimum: 0 }, { type: 'string' }] }

export const limitConn: Plugin<Conf> = {
  name: 'limit-conn',
  priority: 1003,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      conn,
      burst,
      default_conn_delay: { type: 'number', exclusiveMinimum: 0 },
      only_use_default_delay: { type: 'boolean', default: false },
      key: { type: 'string' },
      key_type: { type: 'string', enum: ['var', 'var_combination'], default: 'var' },
      rules: {
        type: 'array',
        items: {
          type: 'object',
          properties: { conn, burst, key: { type: 'string' } },
          required: ['conn', 'burst', 'key'],
        },
      },
      policy: { type: 'string', enum: ['redis', 'redis-cluster', 'local'], default: 'local' },
      rejected_code: { type: 'integer', minimum: 200, maximum: 599, default: 503 },
      rejected_msg: { type: 'string', minLength: 1 },
      allow_degradation: { type: 'boolean', default: false },
      ...redisSecrets,
    },
    oneOf: [
      { required: ['conn', 'burst', 'default_conn_delay', 'key'] },
      { required: ['default_conn_delay', 'rules'] },
    ],
    ...redisPolicies(['redis', 'redis-cluster'], { key_ttl: { type: 'integer', minimum: 1, default: 3600 } }),
  },
  encryptedFields: redisSecretFields,

  create(conf, build) {
    const { rejected_code: status, rejected_msg: message, allow_degradation: degrades } = conf
    const rules = rulesOf(conf, build)
    const broken: Answer | undefined = degrades ? undefined : { status: 500 }
    const failed = (error: unknown): Answer | undefined => {
      build.log.error({ owner: build.owner, error }, 'failed to limit conn')
      return broken
    }
    const limiter = new ConnLimiter<Answer>({
      counter: counterOf(conf, build),
      defaultDelay: conf.default_conn_delay,
      refusal: message === undefined ? { status } : { status, body: { error_msg: message } },
      failed,
    })
    const actions = actionsOf(conf, build)
    return {
      access(exchange) {
        if (actions.ran(exchange)) return undefined
        const dues = duesOf(rules, exchange)
        return dues === undefined
          ? failed(new Error('no rule of limit-conn has numbers'))
          : limiter.enter(exchange, dues)
      },
      log(exchange) {
        const delayMs = limiter.leave(exchange)
        if (delayMs === undefined || conf.only_use_default_delay) return
        limiter.learn(latency(exchange as HttpExchange, delayMs))
      },
    }
  },
}

/** Seconds: of the endpoint where one was asked, else of the request without its delay here. */
function latency(exchange: HttpExchange, delayMs: number): number {
  const upstream = Number(exchange.variable('apisix_upstream_response_time') ?? Number.NaN)
  if (!Number.isNaN(upstream)) return upstream
  return Math.max(0, performance.now() - exchange.startedAt - delayMs) / 1000
}

/** Undefined: no rule is for this exchange, or what one says is no number. */
function duesOf(rules: readonly Rule[], exchange: HttpExchange): readonly Due[] | undefined {
  const dues: Due[] = []
  for (const rule of rules) {
    const key = rule.keyOf(exchange)
    if (key === undefined) continue
    const [most, more] = [rule.conn(exchange), rule.burst(exchange)]
    if (most === undefined || more === undefined) return undefined
    dues.push({ key, conn: most, burst: more })
  }
  return dues.length === 0 ? undefined : dues
}

function rulesOf(conf: Conf, build: Build): readonly Rule[] {
  const numbers = (of: Pick<RuleConf, 'conn' | 'burst'>): Pick<Rule, 'conn' | 'burst'> => ({
    conn: compileNumber(of.conn, 1, build),
    burst: compileNumber(of.burst, 0, build),
  })
  if (conf.rules !== undefined) {
    return conf.rules.map((rule) => ({ keyOf: compileCombination(rule.key, build), ...numbers(rule) }))
  }
  const { key = '', key_type, conn: most = 1, burst: more = 0 } = conf
  return [{ keyOf: compileKey(key, key_type, build), ...numbers({ conn: most, burst: more }) }]
}

function counterOf(conf: Conf, build: Build): ConnCounter {
  const scope = scopeOf('limit-conn', conf, build)
  if (conf.policy === 'local') return localCounter(build.counters, scope)
  return redisCounter({
    connection: redisOf(conf, build),
    scope,
    ttl: conf.key_ttl ?? 3600,
    failed: (error) => build.log.error({ owner: build.owner, error }, 'failed to record the end of a request'),
  })
}
