/**
 * The steady routes of an HTTP soak: `/steady/0`, `/steady/1`, …, which answer 200 with who answered, whatever changes around
 * them. Every plugin here leaves that as it is; with other settings as well.
 */
import type { Dice } from '../../test/support/dice.ts'

export const steadyCount = 24
/** The key of the consumer that nobody changes; the steady load sends it with each request, in the field `apikey`. */
export const steadyKey = 'soak-steady-key'
/** Of upstreams that are changed and always have a node. */
export const sharedUpstreams: readonly string[] = ['shared-0', 'shared-1', 'shared-2', 'shared-3']
export const steadyServices: readonly string[] = ['service-0', 'service-1']
export const steadyConfigs: readonly string[] = ['config-0', 'config-1']

type Plugins = Readonly<Record<string, object>>

const hugeCount = 1_000_000_000

/** By name, each anew with settings that depend on chance. */
const harmless: Readonly<Record<string, (dice: Dice, mirror: string) => object>> = {
  'key-auth': (dice) => (dice.roll(2) === 0 ? {} : { hide_credentials: true }),
  'limit-count': (dice) => ({
    count: hugeCount + dice.roll(1000),
    time_window: 1 + dice.roll(60),
    key: dice.pick(['remote_addr', 'uri', 'http_apikey']),
    show_limit_quota_header: dice.roll(2) === 0,
  }),
  'limit-req': () => ({ rate: 10_000_000, burst: 10_000_000, key: 'remote_addr', nodelay: true }),
  'limit-conn': (dice) => ({
    conn: 10_000 + dice.roll(100),
    burst: 1000,
    default_conn_delay: 0.1,
    key: dice.pick(['remote_addr', 'uri']),
  }),
  'proxy-rewrite': (dice) => ({
    headers: { set: { 'X-Other': `${dice.roll(100)}` } },
    ...(dice.roll(2) === 0 ? { regex_uri: ['^/steady/(.*)$', '/steady/$1'] } : {}),
  }),
  cors: (dice) => ({ max_age: dice.roll(100), allow_origins: dice.pick(['*', 'http://a.test', 'http://b.test']) }),
  prometheus: (dice) => ({ prefer_name: dice.roll(2) === 0 }),
  'request-id': (dice) => ({
    header_name: dice.pick(['X-Request-Id', 'X-Trace-Id']),
    algorithm: dice.pick(['uuid', 'nanoid', 'range_id', 'ksuid', 'uuidv7']),
  }),
  // Only ever a list of one kind: a patch is laid over what is there.
  'ip-restriction': (dice) => ({ whitelist: ['127.0.0.0/8', `10.0.0.${dice.roll(250)}`] }),
  'traffic-split': (dice) => ({
    rules: [
      {
        weighted_upstreams: [
          { upstream_id: dice.pick(sharedUpstreams), weight: 1 + dice.roll(5) },
          { weight: 1 + dice.roll(5) },
        ],
      },
    ],
  }),
  gzip: (dice) => ({ types: '*', min_length: 1, comp_level: 1 + dice.roll(9), vary: dice.roll(2) === 0 }),
  'uri-blocker': (dice) => ({ block_rules: [`^/blocked/${dice.roll(100)}`] }),
  'ua-restriction': (dice) => ({ bypass_missing: true, denylist: [`^nobody-${dice.roll(100)}$`] }),
  'referer-restriction': (dice) => ({ bypass_missing: true, whitelist: [`w${dice.roll(100)}.test`] }),
  'fault-injection': () => ({ abort: { http_status: 500, percentage: 0 } }),
  'api-breaker': (dice) => ({ break_response_code: 502, unhealthy: { failures: 3 + dice.roll(10) } }),
  'proxy-mirror': (dice, mirror) => ({ host: `http://${mirror}`, sample_ratio: (1 + dice.roll(10)) / 100 }),
  'client-control': (dice) => ({ max_body_size: 1_000_000 + dice.roll(1000) }),
  workflow: (dice) => ({
    rules: [{ case: [['uri', '==', `/blocked/${dice.roll(100)}`]], actions: [['return', { code: 403 }]] }],
  }),
}
const names = Object.keys(harmless)

/** Some of them; `mirror` is the address that gets copies of requests. */
export function harmlessPlugins(dice: Dice, mirror: string): Plugins {
  const chosen = Array.from({ length: dice.roll(6) }, () => dice.pick(names))
  return Object.fromEntries(chosen.map((name) => [name, harmless[name]?.(dice, mirror) ?? {}]))
}

/** What a steady route is without its plugins: how it finds its upstream, and what else adds plugins to it. */
export function steadyBase(index: number): object {
  const upstream = { upstream_id: sharedUpstreams[(index >> 2) % sharedUpstreams.length] }
  const service = { service_id: steadyServices[(index >> 2) % steadyServices.length] }
  const config = { plugin_config_id: steadyConfigs[(index >> 2) % steadyConfigs.length] }
  const ways = [upstream, service, { ...upstream, ...config }, { ...service, ...config }]
  return { uri: `/steady/${index}`, name: `steady-${index}`, ...ways[index % ways.length] }
}

/** Each route begins with one of the plugins, so that all of them are under load from the start. */
export function firstPlugins(index: number, dice: Dice, mirror: string): Plugins {
  const name = names[index % names.length] ?? ''
  return { [name]: harmless[name]?.(dice, mirror) ?? {} }
}
