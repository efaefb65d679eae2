/** Which fields of a configuration are secret, and a change of the texts in them. What the change is, others say. */
import type { Json, JsonObject, JsonSchema } from '../base/json.ts'
import type { AnyPlugin } from './plugin.ts'

/** The plugin's encrypted fields (dotted paths) that a schema of it has. */
export function encryptedFieldsOf(plugin: AnyPlugin, schema: JsonSchema): readonly string[] {
  const properties = (schema['properties'] ?? {}) as object
  return (plugin.encryptedFields ?? []).filter((path) => Object.hasOwn(properties, path.split('.')[0] as string))
}

/**
 * A copy in which each text at these paths is changed. A path leads through lists into each of their items; at its end, an
 * object or list stands for all texts in it. What is not there is passed over.
 */
export function mapFields(conf: JsonObject, paths: readonly string[], change: (text: string) => string): JsonObject {
  return paths.reduce((changed, path) => mapAt(changed, path.split('.'), change) as JsonObject, conf)
}

function mapAt(value: Json, path: readonly string[], change: (text: string) => string): Json {
  const [name, ...rest] = path
  if (name === undefined) return mapTexts(value, change)
  if (Array.isArray(value)) return value.map((item) => mapAt(item, path, change))
  if (value === null || typeof value !== 'object' || !Object.hasOwn(value, name)) return value
  return { ...value, [name]: mapAt(value[name] as Json, rest, change) }
}

function mapTexts(value: Json, change: (text: string) => string): Json {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, mapTexts(member, change)]))
}
