/**
 * limit-count: so many requests per key and window of time, over all workers; with Redis, over all gateways. It counts in
 * `access`; what counts where is `redis-counter.ts`, `synced-counter.ts` and the windows that workers share.
 */
import type { Answer, Build, HttpExchange, Plugin, Taken } from '#sdk'
import { actionsOf } from './actions.ts'
import { compileCombination, compileKey, compileNumber, fingerprint, type NumberOf, scopeOf } from './limit-key.ts'
import { QuotaHeaders } from './quota-headers.ts'
import { redisOf } from './redis-connection.ts'
import { RedisCounter } from './redis-counter.ts'
import { redisSecretFields } from './redis-schema.ts'
import { type LimitCountConf, limitCountFault, limitCountMetadata, limitCountSchema, neverSynced } from './schema.ts'
import { SyncedCounter } from './synced-counter.ts'

interface Counter {
  /** Undefined: the counter cannot be used. May reject for the same reason. */
  take(key: string, cost: number, limit: number, windowMs: number): Taken | undefined | Promise<Taken>
  close?(): void
}

interface Rule {
  /** Undefined: the rule is not for this exchange. */
  readonly keyOf: (exchange: HttpExchange) => string | undefined
  readonly count: NumberOf
  /** In seconds. */
  readonly window: NumberOf
  readonly headers: QuotaHeaders | undefined
}

type Verdict = Answer | undefined

/** A rule with what it says about one exchange. */
interface Due {
  readonly rule: Rule
  readonly key: string
  readonly limit: number
  readonly windowMs: number
}

export const limitCount: Plugin<LimitCountConf> = {
  name: 'limit-count',
  priority: 1002,
  version: 0.4,
  subsystem: 'http',
  schema: limitCountSchema,
  metadataSchema: limitCountMetadata,
  encryptedFields: redisSecretFields,
  check: limitCountFault,
  groupOf: ({ group }) => (typeof group === 'string' ? group : undefined),

  create(conf, build) {
    const counter = counterOf(conf, build)
    const rules = rulesOf(conf, build)
    const { rejected_code: status, rejected_msg: message, allow_degradation: degrades } = conf
    const refusal: Answer = message === undefined ? { status } : { status, body: { error_msg: message } }
    const broken: Answer | undefined = degrades
      ? undefined
      : { status: 500, body: { error_msg: 'failed to limit count' } }
    const unresolved: Answer | undefined = degrades ? undefined : { status: 500 }

    const failed = (error: unknown): Answer | undefined => {
      build.log.error({ owner: build.owner, error }, 'failed to limit count')
      return broken
    }
    const judge = (exchange: HttpExchange, rule: Rule, limit: number, taken: Taken): Answer | undefined => {
      rule.headers?.add(exchange, limit, taken)
      return taken.allowed ? undefined : refusal
    }
    const later = (exchange: HttpExchange, rule: Rule, limit: number, taken: Promise<Taken>): Promise<Verdict> =>
      taken.then((came) => judge(exchange, rule, limit, came), failed)
    const countAll = (exchange: HttpExchange, dues: readonly Due[], from = 0): Verdict | Promise<Verdict> => {
      for (let at = from; at < dues.length; at += 1) {
        const { rule, key, limit, windowMs } = dues[at] as Due
        const taken = counter.take(key, 1, limit, windowMs)
        if (taken instanceof Promise) {
          const pending = later(exchange, rule, limit, taken)
          return pending.then((verdict) => verdict ?? countAll(exchange, dues, at + 1))
        }
        const verdict = taken === undefined ? failed(new Error(unusable)) : judge(exchange, rule, limit, taken)
        if (verdict !== undefined) return verdict
      }
      return undefined
    }
    const undetermined = (): Verdict => {
      build.log.error({ owner: build.owner }, 'failed to get rate limit rules')
      return unresolved
    }
    const actions = actionsOf(conf, build)
    const [only] = rules
    return {
      access(exchange) {
        if (actions.ran(exchange)) return undefined
        if (conf.rules !== undefined || only === undefined) {
          const dues = duesOf(rules, exchange)
          return dues === undefined ? undetermined() : countAll(exchange, dues)
        }
        const [key, limit, window] = [only.keyOf(exchange), only.count(exchange), only.window(exchange)]
        if (key === undefined || limit === undefined || window === undefined) return undetermined()
        const taken = counter.take(key, 1, limit, window * 1000)
        if (taken instanceof Promise) return later(exchange, only, limit, taken)
        return taken === undefined ? failed(new Error(unusable)) : judge(exchange, only, limit, taken)
      },
      close: () => counter.close?.(),
    }
  },
}

const unusable = 'the table of shared windows cannot be used'

/** Undefined: no rule is for this exchange, or what one says is no number. */
function duesOf(rules: readonly Rule[], exchange: HttpExchange): readonly Due[] | undefined {
  const dues: Due[] = []
  for (const rule of rules) {
    const key = rule.keyOf(exchange)
    if (key === undefined) continue
    const [count, window] = [rule.count(exchange), rule.window(exchange)]
    if (count === undefined || window === undefined) return undefined
    dues.push({ rule, key, limit: count, windowMs: window * 1000 })
  }
  return dues.length === 0 ? undefined : dues
}

function rulesOf(conf: LimitCountConf, build: Build): readonly Rule[] {
  const headers = (prefix?: string): QuotaHeaders | undefined =>
    conf.show_limit_quota_header ? new QuotaHeaders(build.metadata, prefix) : undefined
  if (conf.rules === undefined) {
    const { count = 1, time_window = 1, key, key_type } = conf
    return [
      {
        keyOf: compileKey(key, key_type, build),
        count: compileNumber(count, 1, build),
        window: compileNumber(time_window, 1, build),
        headers: headers(),
      },
    ]
  }
  return conf.rules.map(({ key, count, time_window, header_prefix }, at) => ({
    keyOf: compileCombination(key, build),
    count: compileNumber(count, 1, build),
    window: compileNumber(time_window, 1, build),
    headers: headers(header_prefix ?? String(at + 1)),
  }))
}

function counterOf(conf: LimitCountConf, build: Build): Counter {
  // Of a group with two configurations each counts for itself, as if they were two groups.
  const scope =
    conf.group === undefined
      ? scopeOf('limit-count', conf, build)
      : `limit-count group ${conf.group} ${fingerprint(conf)}`
  const sliding = conf.window_type === 'sliding'
  if (conf.policy === 'local') {
    const windows = build.windows.open(scope)
    return sliding
      ? { take: (key, cost, limit, windowMs) => windows.takeSliding(key, cost, limit, windowMs) }
      : { take: (key, cost, limit, windowMs) => windows.takeFixed(key, cost, limit, windowMs) }
  }
  const remote = new RedisCounter(redisOf(conf, build), scope, sliding)
  const syncMs = conf.sync_interval * 1000
  if (conf.sync_interval === neverSynced) return remote
  const synced = new SyncedCounter(remote, build.windows.open(`synced ${scope}`), syncMs, build.log)
  return {
    take: (key, cost, limit, windowMs) =>
      windowMs <= syncMs ? remote.take(key, cost, limit, windowMs) : synced.take(key, cost, limit, windowMs),
    close: () => synced.close(),
  }
}
