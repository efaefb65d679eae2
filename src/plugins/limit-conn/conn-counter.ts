/** How many exchanges of a key there are at once: counted by workers together, or in Redis by gateways together. */
import { randomBytes } from 'node:crypto'
import type { SharedCounters } from '#sdk'
import { type RedisConnection, redisScript } from '../limit-count/index.ts'

/** One place that was taken. */
export interface Place {
  /** The how manieth it is, from 1. */
  readonly taken: number
  /** Once. */
  leave(): void
}

/** `full`: there are `limit` of them already. Undefined: the counter cannot be used. */
export type Entry = Place | 'full' | undefined

export interface ConnCounter {
  /** May reject for the same reason that may be undefined. */
  enter(key: string, limit: number): Entry | Promise<Entry>
}

export function localCounter(counters: SharedCounters, scope: string): ConnCounter {
  return {
    enter(key, limit) {
      const counter = counters.open(`${scope} ${key}`)
      if (counter === undefined) return undefined
      const taken = counter.add(1)
      const leave = (): void => {
        counter.add(-1)
        counter.release()
      }
      if (taken <= limit) return { taken, leave }
      leave()
      return 'full'
    },
  }
}

/** KEYS: the places. ARGV: limit, seconds after which one is given back whatever happened, its name. Returns how many are taken, or 0. */
const enter = redisScript(`
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local taken = redis.call('ZCARD', KEYS[1])
if taken >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return taken + 1`)

const leave = redisScript(`return redis.call('ZREM', KEYS[1], ARGV[1])`)

export interface RedisCounterOptions {
  readonly connection: RedisConnection
  readonly scope: string
  /** Seconds after which a place is given back whose gateway has died. */
  readonly ttl: number
  readonly failed: (error: unknown) => void
}

export function redisCounter({ connection, scope, ttl, failed }: RedisCounterOptions): ConnCounter {
  const own = randomBytes(9).toString('base64url')
  let last = 0
  return {
    async enter(key, limit) {
      const at = `plugin-${scope}:${key}`
      last += 1
      const name = `${own}${last}`
      const taken = Number(await connection.run(enter, at, [limit, ttl, name]))
      if (Number.isNaN(taken)) throw new Error('Redis has answered something else than a number')
      if (taken === 0) return 'full'
      return { taken, leave: () => void connection.run(leave, at, [name]).catch(failed) }
    },
  }
}
