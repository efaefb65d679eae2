/**
 * The Control API: what this process has loaded, in the form that traffic uses, and a few switches. It has no key and
 * belongs on loop-back. It changes no configuration.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Json, JsonObject } from '../base/json.ts'
import type { ConfigSource } from '../config/source.ts'
import type { Resource, ResourceStore } from '../config/store.ts'
import type { Log } from '../observability/log.ts'
import type { PluginCatalogue } from '../plugin/catalogue.ts'
import type { ResourceKind } from '../resources/kind.ts'
import type { ResourceCheck } from '../snapshot/check.ts'
import { controlSchema } from './control-schema.ts'
import { checkerIds, type HealthReport, healthPage, healthTable } from './health-report.ts'
import { answer, createHttpServer, segmentsOf } from './http-server.ts'
import { isObject } from './patch.ts'
import { reload } from './plugin-routes.ts'
import { json, type Reply, refusal } from './reply.ts'

export interface ControlDeps {
  readonly source: ConfigSource
  readonly store: ResourceStore
  readonly kinds: readonly ResourceKind[]
  readonly catalogue: PluginCatalogue
  readonly check: ResourceCheck
  /** What the checker of a resource says; undefined: none is running for it. */
  readonly health: (kind: string, id: string) => HealthReport | undefined
  /** Rejects with why the plugins could not be loaded again. */
  reloadPlugins(): Promise<void>
  readonly log: Log
}

/** Path segment → directory, for the dumps of one resource and of all. */
const dumps = [
  { one: 'route', all: 'routes' },
  { one: 'service', all: 'services' },
  { one: 'upstream', all: 'upstreams' },
] as const

/** Not listening yet: the caller chooses host and port. */
export function createControlServer(deps: ControlDeps): FastifyInstance {
  const app = createHttpServer(undefined)
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('content-type', 'application/json')
  })
  const add = (
    method: 'GET' | 'POST' | 'PUT',
    url: string,
    handler: (request: FastifyRequest) => Reply | Promise<Reply>,
  ) => app.route({ method, url, handler: (request, reply) => answer(request, reply, deps.log, () => handler(request)) })

  add('GET', '/v1/schema', () => json(200, controlSchema(deps.kinds, deps.catalogue)))
  add('POST', '/v1/gc', () => {
    // only there when Node was started with --expose-gc; collecting is a favour, not a promise
    globalThis.gc?.()
    return { status: 200, body: undefined }
  })
  add('PUT', '/v1/plugins/reload', () => reload('PUT', deps))
  add('GET', '/v1/healthcheck', (request) => allHealth(deps, request))
  add('GET', '/v1/healthcheck/*', (request) => oneHealth(deps, request))
  for (const { one, all } of dumps) {
    add('GET', `/v1/${all}`, () =>
      json(
        200,
        Array.from(own(deps.store.all(all)), (found) => dump(deps, found)),
      ),
    )
    add('GET', `/v1/${one}/*`, (request) => dumpOne(deps, one, all, segmentsOf(request, 2).join('/')))
  }
  add('GET', '/v1/plugin_metadatas', () => json(200, Array.from(deps.store.all('plugin_metadata'), withId)))
  add('GET', '/v1/plugin_metadata/*', (request) => {
    const name = segmentsOf(request, 2).join('/')
    const found = deps.store.get('plugin_metadata', name)
    if (found === undefined) throw refusal(404, `plugin metadata[${name}] not found`)
    return json(200, withId(found))
  })
  return app
}

function dumpOne(deps: ControlDeps, one: string, directory: string, id: string): Reply {
  const found = deps.store.get(directory, id)
  if (found === undefined) throw refusal(404, `${one}[${id}] not found`)
  return json(200, dump(deps, found))
}

/** The form that workers compile, except that secrets stay as they are stored. */
function dump(deps: ControlDeps, { kind, id, value, createdIndex, modifiedIndex }: Resource) {
  const shown = deps.check.seal(kind, id, conceal(deps.check.normalize(kind, id, value), value) as JsonObject)
  const key = `${deps.source.prefix}/${kind}/${id}`
  const entry = { key, value: shown, createdIndex, modifiedIndex, has_domain: hasDomain(shown) }
  return kind === 'routes' ? { ...entry, orig_modifiedIndex: modifiedIndex } : entry
}

/** `normal` with every private key and every resolved reference put back to what `stored` has in its place. */
function conceal(normal: Json, stored: Json | undefined): Json {
  if (typeof stored === 'string') return /^\$(?:env|secret):\/\//i.test(stored) ? stored : normal
  if (Array.isArray(normal)) {
    return Array.isArray(stored) ? normal.map((item, index) => conceal(item, stored[index])) : normal
  }
  if (!isObject(normal) || !isObject(stored)) return normal
  const entries = Object.entries(normal).map(([key, item]) => [
    key,
    key === 'client_key' ? (stored[key] ?? item) : conceal(item, stored[key]),
  ])
  return Object.fromEntries(entries)
}

/** Whether a node is a name that has to be resolved. */
function hasDomain(value: JsonObject): boolean {
  const holder = (value['upstream'] ?? value) as JsonObject
  const { nodes } = holder
  if (!Array.isArray(nodes)) return false
  return nodes.some((node) => {
    const host = (node as { host?: unknown }).host
    return typeof host === 'string' && !/^[\d.]+$/.test(host) && !host.includes(':')
  })
}

function withId({ id, value }: Resource) {
  return { ...value, id }
}

/** Without what lives below a resource of the directory: credentials, decorations. */
function* own(resources: Iterable<Resource>): Generator<Resource> {
  for (const resource of resources) if (!resource.id.includes('/')) yield resource
}

function allHealth(deps: ControlDeps, request: FastifyRequest): Reply {
  const reports: HealthReport[] = []
  for (const { kind, id } of checkerIds(deps.store)) {
    const report = deps.health(kind, id)
    if (report !== undefined) reports.push(report)
  }
  return wantsHtml(request) ? healthPage(reports) : json(200, reports)
}

function oneHealth(deps: ControlDeps, request: FastifyRequest): Reply {
  const [kind = '', id] = segmentsOf(request, 2)
  if (id === undefined) throw refusal(404, `missing src id for src type ${kind}`)
  if (!healthTable.has(kind)) throw refusal(400, `invalid src type ${kind}`)
  if (deps.store.get(kind, id) === undefined) throw refusal(404, `${kind}[${id}] not found`)
  const report = deps.health(kind, id)
  if (report === undefined) throw refusal(404, `no checker for ${kind}[${id}]`)
  return wantsHtml(request) ? healthPage([report]) : json(200, report)
}

function wantsHtml(request: FastifyRequest): boolean {
  return request.headers.accept?.includes('text/html') === true
}
