/** `GET /v1/schema` of the Control API: every schema in one object, under the names that tools look for. */
import type { JsonSchema } from '../base/json.ts'
import type { PluginCatalogue } from '../plugin/catalogue.ts'
import { pluginsSchema } from '../resources/common-fields.ts'
import type { ResourceKind } from '../resources/kind.ts'
import { hashHeaderSchema, hashVarSchema } from '../resources/upstream-schema.ts'
import { describeAll, type PluginDescription } from './plugin-routes.ts'

export interface ControlSchema {
  readonly main: Readonly<Record<string, JsonSchema>>
  readonly plugins: Readonly<Record<string, PluginDescription>>
  readonly stream_plugins: Readonly<Record<string, PluginDescription>>
}

/** Kinds whose schema is not one object: each plugin or secret manager has its own. */
const without: ReadonlySet<string> = new Set(['plugin_metadata', 'secret', 'credential'])

export function controlSchema(kinds: readonly ResourceKind[], catalogue: PluginCatalogue): ControlSchema {
  const own = kinds
    .filter(({ schemaName }) => !without.has(schemaName))
    .map(({ schemaName, schema }) => [schemaName, schema] as const)
  return {
    main: {
      ...Object.fromEntries(own),
      plugins: pluginsSchema,
      upstream_hash_header_schema: hashHeaderSchema,
      upstream_hash_vars_schema: hashVarSchema,
    },
    plugins: describeAll(catalogue, 'http'),
    stream_plugins: describeAll(catalogue, 'stream'),
  }
}
