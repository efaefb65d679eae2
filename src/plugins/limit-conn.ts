/**
 * limit-conn for streams: so many sessions per key at once, over all workers. Up to `conn` pass, up to `conn + burst` are
 * delayed, the rest is refused with 503.
 */
import { compileTemplate, type Exchange, type Plugin, type SharedCounter, sleep } from '#sdk'

interface Conf {
  readonly conn: number
  readonly burst: number
  readonly default_conn_delay: number
  readonly key: string
  readonly key_type: 'var' | 'var_combination'
  readonly only_use_default_delay: boolean
}

export const limitConn: Plugin<Conf> = {
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
    const keyOf = compileKey(conf)
    const held = new Map<Exchange, SharedCounter>()
    // An edited configuration counts anew, so the configuration is part of the counter's name.
    const scope = `limit-conn ${build.owner} ${conf.conn} ${conf.burst} ${conf.key}`
    const refusal = { status: 503 }
    let unitDelay = conf.default_conn_delay
    return {
      preread(exchange) {
        const counter = build.counters.open(`${scope} ${keyOf(exchange)}`)
        if (counter === undefined) {
          build.log.error(
            { owner: build.owner },
            'limit-conn: the table of shared counters is full; the session is refused',
          )
          return { status: 500 }
        }
        const sessions = counter.add(1)
        if (sessions > conf.conn + conf.burst) {
          counter.add(-1)
          counter.release()
          return refusal
        }
        held.set(exchange, counter)
        if (sessions <= conf.conn) return undefined
        const waits = Math.floor((sessions - 1) / conf.conn)
        return sleep(unitDelay * waits * 1000).then(() => undefined)
      },
      log(exchange) {
        const counter = held.get(exchange)
        if (counter === undefined) return
        held.delete(exchange)
        counter.add(-1)
        counter.release()
        if (!conf.only_use_default_delay) {
          unitDelay = (unitDelay + (performance.now() - exchange.startedAt) / 1000) / 2
        }
      },
    }
  },
}

/** The key of an exchange; the client's address when it has none, as everywhere. */
function compileKey(conf: Conf): (exchange: Exchange) => string {
  const client = (exchange: Exchange): string => exchange.variable('remote_addr') ?? ''
  if (conf.key_type === 'var') return (exchange) => exchange.variable(conf.key) || client(exchange)
  const template = compileTemplate(conf.key)
  return (exchange) => template.render((name) => exchange.variable(name)) || client(exchange)
}
