/** `_meta`: what may stand in any plugin's configuration besides the plugin's own fields. It runs nothing. */
import type { Json, JsonObject, JsonSchema } from '../base/json.ts'
import { varsFault } from '../resources/expression-fault.ts'

const metaSchema: JsonSchema = {
  type: 'object',
  properties: {
    disable: { type: 'boolean' },
    error_response: { oneOf: [{ type: 'string' }, { type: 'object' }] },
    priority: { description: "takes the place of the plugin's own priority", type: 'integer' },
    filter: { description: 'the plugin runs only where this expression holds', type: 'array' },
    pre_function: { description: 'Lua, which is refused here', type: 'string' },
  },
  additionalProperties: false,
}

const injected = new WeakMap<JsonSchema, JsonSchema>()

/** The schema of a plugin's configuration with `_meta` allowed in it: the same object for the same schema. */
export function withMeta(schema: JsonSchema): JsonSchema {
  let whole = injected.get(schema)
  if (whole === undefined) {
    const properties = { ...(schema['properties'] as object | undefined), _meta: metaSchema }
    whole = { ...schema, $comment: 'this is a mark for our injected plugin schema', properties }
    injected.set(schema, whole)
  }
  return whole
}

/** `_meta` of a configuration, however malformed the rest is. */
export function metaOf(conf: Json): JsonObject {
  if (conf === null || typeof conf !== 'object' || Array.isArray(conf)) return {}
  const meta = conf['_meta']
  return meta !== null && typeof meta === 'object' && !Array.isArray(meta) ? meta : {}
}

/** What the schema of `_meta` cannot say; the message of the first fault. */
export function metaFault(name: string, meta: JsonObject): string | undefined {
  const filter = varsFault(meta['filter'])
  if (filter !== undefined) return filter
  if (meta['pre_function'] === undefined) return undefined
  return `failed to load _meta.pre_function in plugin ${name}: Lua code is not run here`
}
