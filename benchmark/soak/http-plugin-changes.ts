/**
 * Lanes of an HTTP soak: plugins put on the steady routes, changed and taken away, on the routes themselves, by what they share,
 * and on all requests at once. Whatever is chosen, the steady load must notice nothing but fields of answers.
 */
import type { Change, ChangeSite, Step } from './http-changes.ts'
import type { Question } from './http-client.ts'
import { harmlessPlugins, steadyBase, steadyConfigs, steadyCount, steadyKey, steadyServices } from './http-steady.ts'

const apikey = { apikey: steadyKey }
const probes = 3
const body = (index: number): RegExp => new RegExp(`^b\\d GET /steady/${index} `)

/** Asked on a kept connection, on a new one, over TLS. */
function ways(question: Question): readonly Question[] {
  return [question, { ...question, fresh: true }, { ...question, sni: 'localhost' }].slice(0, probes)
}

export async function steadyPluginChanges({ dice, backends, change }: ChangeSite): Promise<Step> {
  let turn = 0
  const chosen = new Map<number, readonly string[]>()
  return async (): Promise<Change> => {
    turn += 1
    const index = dice.roll(steadyCount)
    const isMarked = dice.roll(3) !== 0
    const mark = { 'response-rewrite': { headers: { set: { 'X-Turn': `${turn}` } } } }
    const plugins = { ...harmlessPlugins(dice, backends.nodes.get('b5') ?? ''), ...(isMarked ? mark : {}) }
    const before = chosen.get(index)
    const way = before === undefined ? 0 : dice.roll(3)
    if (before === undefined || way === 0) {
      await change('PUT', `/routes/steady-${index}`, { ...steadyBase(index), plugins })
    } else if (way === 1) {
      await change('PATCH', `/routes/steady-${index}/plugins`, plugins)
    } else {
      // In a merge patch null takes away.
      const gone = before.filter((name) => !(name in plugins)).map((name) => [name, null])
      await change('PATCH', `/routes/steady-${index}`, { plugins: { ...Object.fromEntries(gone), ...plugins } })
    }
    chosen.set(index, Object.keys(plugins))
    const wanted = { status: 200, body: body(index), headers: { 'x-turn': isMarked ? `${turn}` : undefined } }
    return {
      what: `plugins of /steady/${index}: ${JSON.stringify(plugins)}`,
      checks: ways({ path: `/steady/${index}`, headers: apikey }).map((question) => [question, wanted] as const),
    }
  }
}

/** Plugins of services, which set a field of requests, and of plugin configs, which add to the body. */
export async function sharedPluginChanges({ dice, change }: ChangeSite): Promise<Step> {
  let turn = 0
  // By `steadyBase`: routes 1, 5, 9 have a service, 2, 6, 10 a plugin config.
  const userOf = (place: number, way: number): number => place * 4 + way
  const service = async (place: number): Promise<Change> => {
    const plugins = { 'proxy-rewrite': { headers: { set: { 'X-Service': `${turn}` } } } }
    await change('PATCH', `/services/${steadyServices[place]}`, { plugins })
    return seen(`/shared/service/${place}`, new RegExp(`^b\\d GET \\S+ x_service=${turn} `), plugins)
  }
  const config = async (place: number): Promise<Change> => {
    const plugins = { echo: { after_body: `config ${turn}\n` } }
    await change('PUT', `/plugin_configs/${steadyConfigs[place]}`, { plugins })
    return seen(`/shared/config/${place}`, new RegExp(`config ${turn}\n$`), plugins)
  }
  const seen = (path: string, wanted: RegExp, plugins: object): Change => ({
    what: `${path}: ${JSON.stringify(plugins)}`,
    checks: ways({ path }).map((question) => [question, { status: 200, body: wanted }] as const),
  })
  for (const [place, id] of steadyServices.entries()) {
    await change('PUT', `/routes/shared-service-${place}`, { uri: `/shared/service/${place}`, service_id: id })
  }
  for (const [place, id] of steadyConfigs.entries()) {
    const base = steadyBase(userOf(place, 2))
    const uri = `/shared/config/${place}`
    await change('PUT', `/routes/shared-config-${place}`, { ...base, name: uri, uri, plugin_config_id: id })
  }
  return () => {
    turn += 1
    return dice.roll(2) === 0 ? service(dice.roll(steadyServices.length)) : config(dice.roll(steadyConfigs.length))
  }
}

/** Global rules, put and taken away: they run for every request of the gateway. */
export async function globalRuleChanges({ dice, change }: ChangeSite): Promise<Step> {
  let turn = 0
  const present = new Set<string>()
  const rules: Readonly<Record<string, () => object>> = {
    fields: () => ({ 'response-rewrite': { headers: { set: { 'X-Global': `${turn}` } } } }),
    ids: () => ({ 'request-id': { header_name: 'X-Global-Id', algorithm: dice.pick(['uuid', 'nanoid', 'ksuid']) } }),
    limits: () => ({ 'limit-count': { count: 1_000_000_000 + turn, time_window: 60 }, prometheus: {} }),
    guards: () => ({
      'ip-restriction': { blacklist: [`192.0.2.${turn % 250}`] },
      'real-ip': { source: 'remote_addr' },
    }),
  }
  const names = Object.keys(rules)
  let mark: string | undefined
  return async (): Promise<Change> => {
    turn += 1
    const name = dice.pick(names)
    const isGone = present.has(name) && dice.roll(3) === 0
    const plugins = isGone ? undefined : rules[name]?.()
    if (plugins === undefined) await change('DELETE', `/global_rules/${name}`)
    else await change('PUT', `/global_rules/${name}`, { plugins })
    if (isGone) present.delete(name)
    else present.add(name)
    if (name === 'fields') mark = isGone ? undefined : `${turn}`
    const wanted = { status: 200, headers: { 'x-global': mark } }
    return {
      what: `global rule ${name}: ${JSON.stringify(plugins)}`,
      checks: ways({ path: '/kept' }).map((question) => [question, wanted] as const),
    }
  }
}
