/** max-at-once: so many requests of one caller at the same time, over all workers; more are refused with 429. */
import type { Exchange, Plugin, SharedCounter } from 'sluice/sdk'

export const plugin: Plugin<{ most: number; key: string }> = {
  name: 'max-at-once',
  priority: 1003,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: { most: { type: 'integer', minimum: 1 }, key: { type: 'string', default: '$remote_addr' } },
    required: ['most'],
  },
  create(conf, build) {
    const key = build.template(conf.key)
    const held = new Map<Exchange, SharedCounter>()
    return {
      access(exchange) {
        const name = `max-at-once ${build.origin} ${key.render((variable) => exchange.variable(variable))}`
        const counter = build.counters.open(name)
        if (counter === undefined) return { status: 503 }
        held.set(exchange, counter)
        return counter.add(1) > conf.most
          ? { status: 429, body: { message: 'one after the other, please' } }
          : undefined
      },
      // Runs for every exchange that reached one of the plugin's phases, or could have: also for refused ones.
      log(exchange) {
        const counter = held.get(exchange)
        held.delete(exchange)
        counter?.add(-1)
        counter?.release()
      },
    }
  },
}
