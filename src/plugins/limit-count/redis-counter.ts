/**
 * Windows that stand in Redis: gateways that share one let through together what one of them would. The scripts take nothing
 * that is not there to be taken, and by the clock of Redis.
 */
import type { Taken } from '#sdk'
import type { RedisConnection } from './redis-connection.ts'
import { redisScript } from './redis-script.ts'

/** KEYS: the window. ARGV: cost, limit, window in ms, 1 if what was spent already is only told. Returns allowed, used, ms left. */
const fixed = redisScript(`
local left = redis.call('PTTL', KEYS[1])
local used = left > 0 and tonumber(redis.call('GET', KEYS[1])) or 0
local cost = tonumber(ARGV[1])
if left <= 0 then left = tonumber(ARGV[3]) end
if used + cost > tonumber(ARGV[2]) and ARGV[4] ~= '1' then return {0, used, left} end
if cost == 0 then return {1, used, left} end
if used == 0 then redis.call('SET', KEYS[1], cost, 'PX', left) else redis.call('INCRBY', KEYS[1], cost) end
return {1, used + cost, left}`)

/**
 * The same of two windows in one hash: number of the window, taken in it, taken in the one before. Returns allowed, remaining,
 * ms until more can be had. The part of the window before that still counts is rounded by nobody before the end.
 */
const sliding = redisScript(`
local now = redis.call('TIME')
local ms = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
local cost, limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local index = math.floor(ms / window)
local left = (index + 1) * window - ms
local state = redis.call('HMGET', KEYS[1], 'w', 'n', 'b')
local age = state[1] and index - tonumber(state[1]) or 2
local used, before = 0, 0
if age <= 0 then used, before = tonumber(state[2]), tonumber(state[3])
elseif age == 1 then before = tonumber(state[2]) end
local rate = math.min(before, limit) / window
local counted = rate * left + used
if ARGV[4] ~= '1' and (used + cost > limit or counted >= limit) then
  if used + cost > limit or rate == 0 then return {0, 0, left} end
  return {0, 0, math.ceil(math.max(0, left - (limit - used) / rate))}
end
if cost > 0 then
  redis.call('HSET', KEYS[1], 'w', index, 'n', used + cost, 'b', before)
  redis.call('PEXPIRE', KEYS[1], window * 2)
end
return {1, math.max(0, math.floor(limit - counted - cost)), left}`)

export class RedisCounter {
  readonly #connection: RedisConnection
  readonly #prefix: string
  readonly #sliding: boolean

  constructor(connection: RedisConnection, scope: string, sliding: boolean) {
    this.#connection = connection
    this.#prefix = `plugin-${scope}:`
    this.#sliding = sliding
  }

  take(key: string, cost: number, limit: number, windowMs: number): Promise<Taken> {
    return this.#run(key, cost, limit, windowMs, 0)
  }

  /** Tells what was let through already; it counts even beyond the limit. */
  report(key: string, cost: number, limit: number, windowMs: number): Promise<Taken> {
    return this.#run(key, cost, limit, windowMs, 1)
  }

  async #run(key: string, cost: number, limit: number, windowMs: number, spent: 0 | 1): Promise<Taken> {
    const script = this.#sliding ? sliding : fixed
    const values = [cost, limit, windowMs, spent]
    const [allowed, second, resetMs] = numbers(await this.#connection.run(script, this.#prefix + key, values))
    const remaining = this.#sliding ? second : Math.max(0, limit - second)
    return { allowed: allowed === 1, remaining, resetMs }
  }
}

function numbers(reply: unknown): readonly [number, number, number] {
  if (!Array.isArray(reply) || reply.length !== 3) throw new Error('Redis has answered something else than a count')
  return reply.map(Number) as unknown as readonly [number, number, number]
}
