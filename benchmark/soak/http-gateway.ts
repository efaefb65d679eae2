/** The gateway of an HTTP soak: the real program with two workers on one wire, some hundred routes, and what they share. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Dice } from '../../test/support/dice.ts'
import { startTestGateway, type TestGateway } from '../../test/support/gateway.ts'
import { temporaryFolder } from '../../test/support/home.ts'
import type { WorkerFigures } from './garbage.ts'
import type { HttpBackends } from './http-backends.ts'
import {
  firstPlugins,
  sharedUpstreams,
  steadyBase,
  steadyConfigs,
  steadyCount,
  steadyKey,
  steadyServices,
} from './http-steady.ts'
import type { PoolFigures } from './pool-figures.ts'

export interface HttpSoakGateway {
  readonly gateway: TestGateway
  /** What each worker has written last; empty when none has. */
  figures(): readonly WorkerFigures[]
  stop(): Promise<void>
}

const workers = 2
/** Routes that nobody asks for, among which the others have to be found. */
const fillers = 300
/** Short, so that soon after the soak no connection to a backend is left. */
const keepalive_pool = { idle_timeout: 2 }

export async function startHttpSoakGateway(
  wire: string,
  cpu: number,
  backends: HttpBackends,
): Promise<HttpSoakGateway> {
  const folder = temporaryFolder('sluice-soak')
  const file = join(folder.path, 'worker.json')
  const gateway = await startTestGateway({
    workers,
    under: ['taskset', '-c', String(cpu)],
    config: {
      nginx_config: {
        error_log_level: 'warn',
        event: { worker_connections: 19_000 },
        http: { enable_access_log: false },
      },
      sluice: { wire, extra_plugins: [join(import.meta.dirname, 'http-garbage-plugin.ts')] },
    },
    resources: resources(wire, file, backends),
  })
  return {
    gateway,
    figures() {
      const names = readdirSync(dirname(file)).filter((name) => name.startsWith(basename(file)))
      const texts = names.map((name) => readFileSync(join(dirname(file), name), 'utf8'))
      // One that is just being written is empty.
      return texts.filter((text) => text.endsWith('}')).map((text) => JSON.parse(text) as WorkerFigures)
    },
    async stop() {
      await gateway.stop()
      if (existsSync(folder.path)) folder[Symbol.dispose]()
    },
  }
}

/** What is in use in all workers together; undefined where the wire has no pools. */
export function poolsOf(figures: readonly WorkerFigures[]): PoolFigures | undefined {
  const all = figures.flatMap(({ pools }) => (pools === undefined ? [] : [pools]))
  if (all.length === 0) return undefined
  const names = new Set(all.flatMap((pools) => Object.keys(pools)))
  return Object.fromEntries(
    [...names].map((name) => [name, all.reduce((sum, pools) => sum + (pools[name] ?? Number.NaN), 0)]),
  )
}

/** Each before what names it. */
function resources(wire: string, file: string, { nodes, echo }: HttpBackends): Record<string, object> {
  const dice = new Dice(1)
  const mirror = nodes.get('b5') ?? ''
  const upstream = { nodes: Object.fromEntries([...nodes.values()].map((node) => [node, 1])), keepalive_pool }
  const all: Record<string, object> = {}
  all['/consumers/steady'] = { username: 'steady', plugins: { 'key-auth': { key: steadyKey } } }
  for (const id of sharedUpstreams) all[`/upstreams/${id}`] = upstream
  for (const id of steadyServices) {
    const plugins = { 'proxy-rewrite': { headers: { set: { 'X-Service': '0' } } } }
    all[`/services/${id}`] = { upstream_id: sharedUpstreams[0], plugins }
  }
  for (const id of steadyConfigs) all[`/plugin_configs/${id}`] = { plugins: { echo: { after_body: 'config 0\n' } } }
  for (let index = 0; index < steadyCount; index++) {
    all[`/routes/steady-${index}`] = { ...steadyBase(index), plugins: firstPlugins(index, dice, mirror) }
  }
  const echoing = { nodes: { [echo]: 1 }, keepalive_pool }
  const gzip = { types: '*', min_length: 1 }
  all['/routes/kept'] = { uri: '/kept', plugins: { 'soak-http-garbage': { wire, file } }, upstream }
  all['/routes/large'] = { uri: '/large', upstream }
  all['/routes/echo'] = { uris: ['/echo', '/echo/chunked'], upstream: echoing }
  all['/routes/echo-packed'] = { uri: '/echo/packed', plugins: { gzip, 'client-control': {} }, upstream: echoing }
  for (let index = 0; index < fillers; index++) all[`/routes/filler-${index}`] = filler(index, upstream)
  return all
}

function filler(index: number, upstream: object): object {
  const shapes = [
    { uri: `/filler/${index}` },
    { uri: `/filler/${index}/*`, methods: ['GET', 'POST'] },
    { uri: '/steady/*', host: `filler-${index}.test` },
    { uris: [`/filler/${index}/:name`, `/other/${index}`], priority: index % 7 },
    { uri: `/filler/${index % 9}`, vars: [['arg_filler', '==', `${index}`]], priority: 1 },
  ]
  return { ...shapes[index % shapes.length], plugins: { 'request-id': {}, prometheus: {} }, upstream }
}
