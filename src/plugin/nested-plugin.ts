/** Configurations that stand inside another plugin's, where nobody has checked them or filled in their defaults. */
import type { JsonObject } from '../base/json.ts'
import { compileSchema } from '../base/json-schema.ts'
import type { AnyPlugin } from './plugin.ts'
import { withMeta } from './plugin-meta.ts'

/** A copy with defaults. Throws with the message of the first fault of the schema. */
export function checkedConf(plugin: AnyPlugin, conf: JsonObject): JsonObject {
  const schema = compileSchema(withMeta(plugin.schema))
  const fault = schema.check(conf)
  if (fault !== undefined) throw new Error(`failed to check the configuration of plugin ${plugin.name} err: ${fault}`)
  return schema.withDefaults(conf) as JsonObject
}
