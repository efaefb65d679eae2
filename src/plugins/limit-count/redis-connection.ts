/**
 * One connection of a worker to the Redis (or cluster, or master behind sentinels) of limits, shared by all configurations
 * that name the same one. While it is down, scripts fail at once; it is taken up again in the background. One that nobody has
 * used for a while is closed, and opened when somebody does. It never needs more of a pool than one.
 */
import type { Cluster, Redis } from 'ioredis'
import { after, type Build, loadAuthorities, type Timer } from '#sdk'
import type { RedisConf } from './redis-schema.ts'
import type { RedisScript } from './redis-script.ts'

type Library = Pick<typeof import('ioredis'), 'Redis' | 'Cluster'>

/** Options that all ways to Redis have. */
interface CommonOptions {
  readonly username?: string
  readonly password?: string
  readonly db: number
  readonly connectTimeout: number
  readonly commandTimeout: number
  readonly maxRetriesPerRequest: number
  readonly disableClientInfo: boolean
}

const retryMs = 250
const longestRetryMs = 2000
/** Limits have few scripts on the way at once; of a Redis that hangs, no more than these wait. */
const maxWaiting = 10_000
/** What a timer can count: three weeks. */
const longestIdleMs = 21 * 24 * 3_600_000

/** Held by this configuration until it is closed. */
export function redisOf(conf: RedisConf, build: Build): RedisConnection {
  const open = () => new RedisConnection(conf, build.log)
  return build.standing(`redis ${JSON.stringify(identity(conf))}`, open, (connection) => connection.close())
}

export class RedisConnection {
  readonly #conf: RedisConf
  readonly #timeoutMs: number
  readonly #idleMs: number
  readonly #log: Build['log']
  #client: Promise<Redis | Cluster> | undefined
  #ready: Redis | Cluster | undefined
  #error: Error | undefined
  #waiting = 0
  #usedAt = 0
  /** Until somebody looks whether it is used, or until one that has ended is replaced. */
  #timer: Timer | undefined
  #closed = false

  constructor(conf: RedisConf, log: Build['log']) {
    this.#conf = conf
    this.#log = log
    this.#timeoutMs = conf.redis_timeout ?? conf.redis_read_timeout ?? 1000
    this.#idleMs = Math.min(conf.redis_keepalive_timeout ?? 10_000, longestIdleMs)
    this.#opened()
  }

  /** What the script returns. Rejects when Redis cannot be reached, or does not answer in time. */
  async run(script: RedisScript, key: string, values: readonly (string | number)[]): Promise<unknown> {
    if (this.#waiting >= maxWaiting) throw new Error('too many requests wait for Redis')
    this.#waiting += 1
    try {
      const client = this.#ready ?? (await this.#opened())
      // Errors come also while all is well: a sentinel that is gone, one of many nodes.
      if (this.#error !== undefined && client.status !== 'ready') throw this.#error
      try {
        return await client.evalsha(script.digest, 1, key, ...values)
      } catch (error) {
        if (!(error as Error).message.startsWith('NOSCRIPT')) throw error
        return await client.eval(script.text, 1, key, ...values)
      }
    } finally {
      this.#waiting -= 1
      this.#usedAt = performance.now()
    }
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
    this.#client?.then(
      (client) => client.disconnect(),
      () => {},
    )
  }

  #opened(): Promise<Redis | Cluster> {
    if (this.#client !== undefined) return this.#client
    // Loaded when there is something to connect to: workers without such limits stay as small as they were.
    this.#client = import('ioredis').then((library) => this.#connect(library))
    this.#client.catch(() => {})
    this.#usedAt = performance.now()
    if (!this.#closed) this.#watchIdle(this.#idleMs)
    return this.#client
  }

  #watchIdle(ms: number): void {
    this.#timer = after(ms, () => {
      const leftMs = this.#waiting > 0 ? this.#idleMs : this.#usedAt + this.#idleMs - performance.now()
      // One that is down goes on trying: who asks meanwhile is to hear of that at once.
      if (leftMs <= 0 && this.#ready?.status === 'ready') this.#rest(this.#ready)
      else this.#watchIdle(leftMs <= 0 ? this.#idleMs : Math.ceil(leftMs))
    })
  }

  #rest(client: Redis | Cluster): void {
    this.#client = undefined
    this.#ready = undefined
    client.disconnect()
  }

  #connect(library: Library): Redis | Cluster {
    const conf = this.#conf
    const options: CommonOptions = {
      ...accountOf(conf),
      db: conf.redis_database ?? 0,
      connectTimeout: conf.redis_connect_timeout ?? this.#timeoutMs,
      commandTimeout: this.#timeoutMs,
      maxRetriesPerRequest: 0,
      disableClientInfo: true,
    }
    const patience = (times: number): number => Math.min(times * retryMs, longestRetryMs)
    const client = this.#open(library, conf, options, patience)
    client.on('ready', () => this.#up())
    client.on('error', (error: Error) => this.#down(client, error))
    client.on('close', () => this.#down(client, new Error('Redis has closed the connection')))
    client.on('end', () => this.#ended(client))
    this.#ready = client
    if (this.#closed) client.disconnect()
    return client
  }

  #open(
    { Redis, Cluster }: Library,
    conf: RedisConf,
    options: CommonOptions,
    patience: (times: number) => number,
  ): Redis | Cluster {
    if (conf.policy === 'redis-cluster') {
      const { db, ...ofNodes } = options
      const redisOptions = { ...ofNodes, ...tlsOf(conf.redis_cluster_ssl, conf.redis_cluster_ssl_verify) }
      return new Cluster((conf.redis_cluster_nodes ?? []).map(nodeOf), {
        redisOptions,
        clusterRetryStrategy: patience,
        slotsRefreshTimeout: this.#timeoutMs,
      })
    }
    if (conf.policy === 'redis-sentinel') {
      return new Redis({
        ...options,
        sentinels: (conf.redis_sentinels ?? []).map(({ host, port }) => ({ host, port })),
        name: conf.redis_master_name as string,
        role: conf.redis_role ?? 'master',
        ...(conf.sentinel_username === undefined ? {} : { sentinelUsername: conf.sentinel_username }),
        ...(conf.sentinel_password ? { sentinelPassword: conf.sentinel_password } : {}),
        sentinelRetryStrategy: patience,
        retryStrategy: patience,
        failoverDetector: true,
      })
    }
    const { redis_host: host = '', redis_port: port = 6379 } = conf
    return new Redis({
      ...options,
      ...tlsOf(conf.redis_ssl, conf.redis_ssl_verify),
      ...{ host, port, retryStrategy: patience },
    })
  }

  /**
   * The library gives up for good where sentinels tell of another master just while it asks them for one. Scripts fail until
   * the next connection is there.
   */
  #ended(client: Redis | Cluster): void {
    this.#down(client, new Error('the connection to Redis has ended'))
    if (client !== this.#ready || this.#closed) return
    this.#timer?.cancel()
    this.#timer = after(retryMs, () => {
      this.#client = undefined
      this.#ready = undefined
      this.#opened()
    })
  }

  #up(): void {
    this.#error = undefined
  }

  #down(client: Redis | Cluster, error: Error): void {
    if (client !== this.#ready) return
    if (this.#error === undefined && !this.#closed) this.#log.warn({ error }, 'the Redis of limits cannot be reached')
    this.#error ??= error
  }
}

/** What makes two connections differ. */
function identity(conf: RedisConf): readonly unknown[] {
  const { policy, redis_host, redis_port, redis_username, redis_password, redis_database, redis_timeout } = conf
  return [
    ...[policy, redis_host, redis_port, redis_username, redis_password, redis_database, redis_timeout],
    ...[conf.redis_ssl, conf.redis_ssl_verify, conf.redis_cluster_nodes, conf.redis_cluster_name],
    ...[conf.redis_cluster_ssl, conf.redis_cluster_ssl_verify, conf.redis_sentinels, conf.redis_master_name],
    ...[conf.redis_role, conf.redis_connect_timeout, conf.redis_read_timeout, conf.redis_keepalive_timeout],
    ...[conf.sentinel_username, conf.sentinel_password],
  ]
}

function accountOf({ redis_username, redis_password }: RedisConf): { username?: string; password?: string } {
  if (redis_password === undefined || redis_password === '') return {}
  const password = { password: redis_password }
  return redis_username === undefined ? password : { username: redis_username, ...password }
}

function tlsOf(ssl = false, verify = false): { tls?: { rejectUnauthorized: boolean } } {
  if (!ssl) return {}
  if (verify) loadAuthorities()
  return { tls: { rejectUnauthorized: verify } }
}

/** `host:port`; an IPv6 address stands in brackets. */
function nodeOf(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(':')
  const host = colon === -1 ? text : text.slice(0, colon)
  return { host: host.replace(/^\[|\]$/g, ''), port: colon === -1 ? 6379 : Number(text.slice(colon + 1)) }
}
