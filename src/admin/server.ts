/**
 * The Admin API server: who may call, what every reply carries, and which handler a path belongs to. It listens on
 * nothing by itself, and knows no resource kind by name: those come from the table of kinds.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ApiDrivenSource } from '../config/api-driven.ts'
import type { ConfigSource } from '../config/source.ts'
import type { ResourceStore } from '../config/store.ts'
import type { Log } from '../observability/log.ts'
import type { PluginCatalogue } from '../plugin/catalogue.ts'
import type { ResourceKind } from '../resources/kind.ts'
import type { ResourceCheck } from '../snapshot/check.ts'
import { createAllowList } from './allow-list.ts'
import { type AdminKey, Gatekeeper } from './auth.ts'
import { getConfigs, headConfigs, putConfigs, validateConfigs } from './configs-routes.ts'
import { corsHeaders, preflight } from './cors.ts'
import { answer, createHttpServer, pathOf, queryOf, type ServerTls, segmentsOf, send } from './http-server.ts'
import { enabledPlugins, handlePlugins, reload } from './plugin-routes.ts'
import { json, page, Refusal, type Reply, refusal } from './reply.ts'
import { ResourceTable } from './resource-address.ts'
import { handled, handleResource, type ResourceDeps, type ResourceMethod, resourceMethods } from './resource-routes.ts'
import { handleSchema, validateAgainstSchema } from './schema-routes.ts'

export interface AdminSettings {
  readonly keyRequired: boolean
  readonly keys: readonly AdminKey[]
  readonly cors: boolean
  /** Addresses and CIDR blocks; undefined: everyone. */
  readonly allow: readonly string[] | undefined
  /** Only `v3` is spoken; anything else is refused at start. */
  readonly apiVersion: string
}

export interface AdminDeps {
  readonly admin: AdminSettings
  /** Whether `Server` tells a version. Tools read it there. */
  readonly serverTokens: boolean
  readonly tls?: ServerTls
  readonly source: ConfigSource
  readonly store: ResourceStore
  readonly kinds: readonly ResourceKind[]
  readonly catalogue: PluginCatalogue
  readonly check: ResourceCheck
  /** Whether `proxy_mode` contains `stream`. */
  readonly streamEnabled: boolean
  /** Set in API-driven standalone mode, and then nothing but `/configs` is served. */
  readonly standalone: ApiDrivenSource | undefined
  /** Reads the plugin lists of the boot file again; rejects with why it could not. */
  reloadPlugins(): Promise<void>
  readonly log: Log
  /** Unix seconds; for tests. */
  readonly now?: () => number
}

const base = '/apisix/admin'
const version = 'APISIX/3.18.0'

/** Throws when the settings ask for what is not spoken here. */
export function createAdminServer(deps: AdminDeps): FastifyInstance {
  const { admin } = deps
  if (admin.apiVersion !== 'v3') {
    throw new Error(`deployment.admin.admin_api_version: "${admin.apiVersion}" is not supported, only "v3" is`)
  }
  const app = createHttpServer(deps.tls)
  const allowed = createAllowList(admin.allow)
  const server = deps.serverTokens ? version : 'APISIX'
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ server, 'content-type': 'application/json' })
    if (!allowed(request.ip)) return send(reply, page(403))
    if (!admin.cors) return undefined
    if (request.method === 'OPTIONS') return send(reply, preflight)
    reply.headers(corsHeaders)
    return undefined
  })
  app.head(base, (_request, reply) => send(reply, { status: 200, body: undefined }))
  const routes = new AdminRoutes(deps, app)
  if (deps.standalone === undefined) routes.addResources()
  else routes.addStandalone(deps.standalone)
  for (const path of ['/ui', '/ui/*']) {
    app.get(path, (_request, reply) => send(reply, page(404, 'The dashboard is not part of this version.')))
  }
  return app
}

type Handler = (request: FastifyRequest, caller: string) => Reply | Promise<Reply>

/** Registers handlers behind the key check. */
class AdminRoutes {
  readonly #deps: AdminDeps
  readonly #app: FastifyInstance
  readonly #gatekeeper: Gatekeeper
  readonly #now: () => number

  constructor(deps: AdminDeps, app: FastifyInstance) {
    this.#deps = deps
    this.#app = app
    this.#gatekeeper = new Gatekeeper(deps.admin.keys)
    this.#now = deps.now ?? (() => Math.floor(Date.now() / 1000))
  }

  addStandalone(source: ApiDrivenSource): void {
    const { check } = this.#deps
    this.#add(['GET'], `${base}/configs`, (request) => getConfigs(source, request))
    this.#add(['HEAD'], `${base}/configs`, () => headConfigs(source))
    this.#add(['PUT'], `${base}/configs`, (request) => putConfigs(source, check, this.#now, request))
    this.#add(['POST'], `${base}/configs/validate`, (request) => validateConfigs(check, request))
  }

  addResources(): void {
    const { check, catalogue } = this.#deps
    const table = new ResourceTable(this.#deps.kinds)
    const resources: ResourceDeps = { ...this.#deps, table, now: this.#now }
    this.#add(['GET'], `${base}/plugins/list`, (request) => enabledPlugins(catalogue, queryOf(request)))
    this.#add(resourceMethods, `${base}/plugins/reload`, (request) => reload(request.method, this.#deps))
    this.#add(['POST'], `${base}/configs/validate`, (request) => validateConfigs(check, request))
    this.#add(['POST'], `${base}/schema/validate/:resource`, (request) => validateAgainstSchema(table, request))
    this.#add(resourceMethods, `${base}/*`, async (request, caller) => {
      const method = request.method as ResourceMethod
      const segments = segmentsOf(request, 2)
      const query = queryOf(request)
      if (segments[0] === 'schema' || segments[0] === 'plugins') {
        if (method !== 'GET') throw refusal(404, 'not found')
        const handle = segments[0] === 'schema' ? handleSchema : handlePlugins
        return handled(() => handle({ table, catalogue }, segments.slice(1), query))
      }
      const reply = await handleResource(resources, request, method, segments, query)
      if (method !== 'GET' && reply.status < 300) {
        this.#deps.log.info({ caller, method, path: pathOf(request) }, 'configuration was changed by the Admin API')
      }
      return reply
    })
  }

  #add(methods: readonly string[], url: string, handler: Handler): void {
    this.#app.route({
      method: [...methods],
      url,
      handler: (request, reply) => this.#guarded(request, reply, handler),
    })
  }

  #guarded(request: FastifyRequest, reply: FastifyReply, handler: Handler): Promise<FastifyReply> {
    return answer(request, reply, this.#deps.log, () => handler(request, this.#caller(request)))
  }

  /** The name of the key that was used; refuses with 401. */
  #caller(request: FastifyRequest): string {
    const { admin, log } = this.#deps
    if (!admin.keyRequired) return ''
    const header = request.headers['x-api-key']
    const verdict = this.#gatekeeper.verdict(request.method, {
      query: queryOf(request),
      header: typeof header === 'string' ? header : undefined,
      cookies: request.headers.cookie,
    })
    if (verdict.allowed) return verdict.name
    const { description } = verdict
    log.warn({ client: request.ip, method: request.method, path: pathOf(request), description }, 'admin key refused')
    throw new Refusal(json(401, { error_msg: 'failed to check token', description }))
  }
}
