/** The JSON schemas of resources, to read and to check a value against. The schemas themselves belong to the kinds. */
import type { FastifyRequest } from 'fastify'
import { compileSchema } from '../base/json-schema.ts'
import { pluginsSchema } from '../resources/common-fields.ts'
import { segmentsOf } from './http-server.ts'
import { handlePlugins, type PluginDeps } from './plugin-routes.ts'
import { json, type Reply, refusal } from './reply.ts'
import { parseJsonBody, readBody } from './request-body.ts'
import type { ResourceTable } from './resource-address.ts'

export interface SchemaDeps extends PluginDeps {
  readonly table: ResourceTable
}

/** `GET /schema/{name}` by the singular name, and `GET /schema/plugins/{name}`. `segments` follow `schema`. */
export function handleSchema(deps: SchemaDeps, segments: readonly string[], query: URLSearchParams): Reply {
  const [name = '', plugin] = segments
  if (name === 'plugins') {
    return plugin === undefined ? json(200, pluginsSchema) : handlePlugins(deps, segments.slice(1), query)
  }
  const schema = deps.table.withSchema(name)?.schema
  if (schema === undefined) throw refusal(400, `not found schema: ${name}`)
  return json(200, schema)
}

/** `POST /schema/validate/{resource}`, by the plural name: the schema alone, no plugins and no references. */
export async function validateAgainstSchema(table: ResourceTable, request: FastifyRequest): Promise<Reply> {
  const name = segmentsOf(request, 4)[0] ?? ''
  const kind = table.named(name)
  if (kind === undefined) throw refusal(404, `Unsupported resource type: ${name}`)
  const body = parseJsonBody(await readBody(request.raw))
  const message = body === undefined ? 'wrong type: expected object, got nil' : compileSchema(kind.schema).check(body)
  if (message !== undefined) throw refusal(400, message)
  return { status: 200, body: undefined }
}
