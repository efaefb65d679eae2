/**
 * limit-req: a leaky bucket per key, over all workers; with Redis, over all gateways. Requests above `rate` wait for their
 * turn, those above `burst` as well are refused.
 */
import { type Answer, type Build, type Plugin, type SharedState, sleep } from '#sdk'
import {
  compileKey,
  type RedisConf,
  type RedisConnection,
  redisOf,
  redisPolicies,
  redisScript,
  redisSecretFields,
  redisSecrets,
  scopeOf,
} from './limit-count/index.ts'

interface Conf extends RedisConf {
  readonly rate: number
  readonly burst: number
  readonly key: string
  readonly key_type: 'var' | 'var_combination'
  readonly policy: 'local' | 'redis' | 'redis-cluster'
  readonly rejected_code: number
  readonly rejected_msg?: string
  readonly nodelay: boolean
  readonly allow_degradation: boolean
}

/** Ms that a request has to wait; `over`: it is too much. Undefined: the bucket cannot be used. */
type Wait = number | typeof over | undefined
type Pour = (key: string) => Wait | Promise<Wait>

const over = 'over'
const fullState = 'the table of shared windows cannot be used'

export const limitReq: Plugin<Conf> = {
  name: 'limit-req',
  priority: 1001,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      rate: { type: 'number', exclusiveMinimum: 0 },
      burst: { type: 'number', minimum: 0 },
      key: { type: 'string' },
      key_type: { type: 'string', enum: ['var', 'var_combination'], default: 'var' },
      policy: { type: 'string', enum: ['redis', 'redis-cluster', 'local'], default: 'local' },
      rejected_code: { type: 'integer', minimum: 200, maximum: 599, default: 503 },
      rejected_msg: { type: 'string', minLength: 1 },
      nodelay: { type: 'boolean', default: false },
      allow_degradation: { type: 'boolean', default: false },
      ...redisSecrets,
    },
    required: ['rate', 'burst', 'key'],
    ...redisPolicies(['redis', 'redis-cluster']),
  },
  encryptedFields: redisSecretFields,

  create(conf, build) {
    const keyOf = compileKey(conf.key, conf.key_type, build)
    const pour = bucketOf(conf, build)
    const { rejected_code: status, rejected_msg: message, nodelay } = conf
    const refusal: Answer = message === undefined ? { status } : { status, body: { error_msg: message } }
    const broken: Answer | undefined = conf.allow_degradation ? undefined : { status: 500 }
    const failed = (error: unknown): Answer | undefined => {
      build.log.error({ owner: build.owner, error }, 'failed to limit req')
      return broken
    }
    const judge = (wait: Wait): Answer | undefined | Promise<undefined> => {
      if (wait === undefined) return failed(new Error(fullState))
      if (wait === over) return refusal
      return nodelay || wait < 1 ? undefined : sleep(wait).then(() => undefined)
    }
    return {
      access(exchange) {
        const wait = pour(keyOf(exchange))
        return wait instanceof Promise ? wait.then(judge, failed) : judge(wait)
      },
    }
  },
}

function bucketOf(conf: Conf, build: Build): Pour {
  const scope = scopeOf('limit-req', conf, build)
  if (conf.policy !== 'local') return remoteBucket(redisOf(conf, build), `plugin-${scope}:`, conf)
  const windows = build.windows.open(scope)
  const fill = (state: SharedState): Wait => pourInto(state, conf)
  return (key) => windows.change(key, fill)
}

/** first: requests in the bucket that are in excess, second: since when. What would be empty is not remembered. */
function pourInto(state: SharedState, { rate, burst }: Conf): Wait {
  const excess = state.fresh ? 0 : Math.max(0, state.first - (rate * (state.nowMs - state.second)) / 1000 + 1)
  if (excess > burst) return over
  state.first = excess
  state.second = state.nowMs
  state.keepMs = ((excess + 1) * 1000) / rate
  return (excess * 1000) / rate
}

/** KEYS: the bucket. ARGV: rate a second, burst. Returns -1, or the microseconds to wait. By the clock of Redis. */
const script = redisScript(`
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
local rate, excess = tonumber(ARGV[1]), 0
local state = redis.call('HMGET', KEYS[1], 'e', 't')
if state[1] then excess = math.max(0, tonumber(state[1]) - rate * (now - tonumber(state[2])) / 1000 + 1) end
if excess > tonumber(ARGV[2]) then return -1 end
redis.call('HSET', KEYS[1], 'e', tostring(excess), 't', string.format('%.3f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((excess + 1) * 1000 / rate))
return math.floor(excess * 1000000 / rate)`)

function remoteBucket(redis: RedisConnection, prefix: string, { rate, burst }: Conf): Pour {
  return async (key) => {
    const wait = Number(await redis.run(script, prefix + key, [rate, burst]))
    if (Number.isNaN(wait)) throw new Error('Redis has answered something else than a time')
    return wait < 0 ? over : wait / 1000
  }
}
