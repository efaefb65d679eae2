/** What the Admin API tells of plugins: which are switched on, and their schemas; and the switch to load them again. */
import type { JsonSchema } from '../base/json.ts'
import type { Log } from '../observability/log.ts'
import type { PluginCatalogue } from '../plugin/catalogue.ts'
import type { AnyPlugin } from '../plugin/plugin.ts'
import { json, Refusal, type Reply, refusal } from './reply.ts'

export type Subsystem = AnyPlugin['subsystem']

export interface PluginDeps {
  readonly catalogue: PluginCatalogue
}

export interface ReloadDeps {
  reloadPlugins(): Promise<void>
  readonly log: Log
}

/** `GET /plugins/list`: names only, highest priority first. */
export function enabledPlugins(catalogue: PluginCatalogue, query: URLSearchParams): Reply {
  const subsystem = subsystemIn(query)
  if (subsystem === undefined) throw new Refusal({ status: 400, body: 'invalid subsystem passed' })
  return json(200, catalogue.names(subsystem))
}

/** `GET /plugins?all=true` and `GET /plugins/{name}`, the latter also below `/schema`. */
export function handlePlugins({ catalogue }: PluginDeps, segments: readonly string[], query: URLSearchParams): Reply {
  const subsystem = subsystemIn(query)
  if (subsystem === undefined) throw refusal(400, `unsupported subsystem: ${query.get('subsystem')}`)
  if (query.get('all') === 'true') return json(200, describeAll(catalogue, subsystem))
  const name = segments[0] ?? ''
  if (catalogue.find(name, subsystem) === undefined) {
    throw refusal(404, `plugin not found in subsystem ${subsystem}`)
  }
  const schema = catalogue.schemaFor(name, subsystem, query.get('schema_type') ?? undefined)
  if (schema === undefined) throw refusal(400, 'not found schema')
  return json(200, schema)
}

/** `PUT /plugins/reload`; every other method is told so. */
export async function reload(method: string, deps: ReloadDeps): Promise<Reply> {
  if (method !== 'PUT') {
    throw refusal(405, `please use PUT method to reload the plugins, ${method} method is not allowed.`)
  }
  try {
    await deps.reloadPlugins()
  } catch (error) {
    deps.log.error({ error }, 'the plugins could not be reloaded')
    throw refusal(503, (error as Error).message)
  }
  return { status: 200, body: 'done' }
}

/** One plugin as lists of all plugins describe it. */
export interface PluginDescription {
  readonly version: number
  readonly priority: number
  readonly schema: JsonSchema | undefined
  readonly metadata_schema?: JsonSchema
  readonly consumer_schema?: JsonSchema
  readonly type?: AnyPlugin['type']
}

/** Every plugin that is switched on in one subsystem, by name, highest priority first. */
export function describeAll(catalogue: PluginCatalogue, subsystem: Subsystem): Record<string, PluginDescription> {
  return Object.fromEntries(
    catalogue.enabled(subsystem).map((plugin) => {
      const { name, version, priority } = plugin
      const metadata = catalogue.schemaFor(name, subsystem, 'metadata')
      const consumer = catalogue.schemaFor(name, subsystem, 'consumer')
      const description: PluginDescription = {
        version,
        priority,
        schema: catalogue.schemaFor(name, subsystem),
        ...(metadata === undefined ? {} : { metadata_schema: metadata }),
        ...(consumer === undefined ? {} : { consumer_schema: consumer }),
        ...(plugin.type === undefined ? {} : { type: plugin.type }),
      }
      return [name, description]
    }),
  )
}

/** `http` unless the query names one; undefined when it names something else. */
function subsystemIn(query: URLSearchParams): Subsystem | undefined {
  const subsystem = query.get('subsystem') ?? 'http'
  return subsystem === 'http' || subsystem === 'stream' ? subsystem : undefined
}
