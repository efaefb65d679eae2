/**
 * limit-conn for streams: so many sessions per key at once, over all workers. Up to `conn` pass, up to `conn + burst` are
 * delayed, the rest is refused with 503.
 */
import type { Plugin } from '#sdk'
import { compileKey, scopeOf } from '../limit-count/index.ts'
import { localCounter } from './conn-counter.ts'
import { ConnLimiter } from './conn-limiter.ts'

interface Conf {
  readonly conn: number
  readonly burst: number
  readonly default_conn_delay: number
  readonly key: string
  readonly key_type: 'var' | 'var_combination'
  readonly only_use_default_delay: boolean
}

export const streamLimitConn: Plugin<Conf> = {
  name: 'limit-conn',
  priority: 1003,
  version: 0.1,
  subsystem: 'stream',
  schema: {
    type: 'object',
    properties: {
      conn: { type: 'integer', exclusiveMinimum: 0 },
      burst: { type: 'integer', minimum: 0 },
      default_conn_delay: { type: 'number', exclusiveMinimum: 0 },
      only_use_default_delay: { type: 'boolean', default: false },
      key: { type: 'string' },
      key_type: { type: 'string', enum: ['var', 'var_combination'], default: 'var' },
    },
    required: ['conn', 'burst', 'default_conn_delay', 'key'],
  },

  create(conf, build) {
    const { conn, burst } = conf
    const keyOf = compileKey(conf.key, conf.key_type, build)
    const limiter = new ConnLimiter({
      counter: localCounter(build.counters, `stream ${scopeOf('limit-conn', conf, build)}`),
      defaultDelay: conf.default_conn_delay,
      refusal: { status: 503 },
      failed: (error) => {
        build.log.error({ owner: build.owner, error }, 'limit-conn: a session is refused')
        return { status: 500 }
      },
    })
    return {
      preread: (exchange) => limiter.enter(exchange, [{ key: keyOf(exchange), conn, burst }]),
      log(exchange) {
        const delayMs = limiter.leave(exchange)
        if (delayMs === undefined || conf.only_use_default_delay) return
        limiter.learn((performance.now() - exchange.startedAt) / 1000)
      },
    }
  },
}
