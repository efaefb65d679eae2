/**
 * The one check that every resource passes, whoever brings it: schema, meaning, what this version can do, plugins.
 * The Admin API asks it before it writes, the store when it loads. References to other resources are not part of it.
 */
import type { JsonObject } from '../base/json.ts'
import { compileSchema } from '../base/json-schema.ts'
import type { PluginCatalogue } from '../plugin/catalogue.ts'
import type { PluginsOf } from '../plugin/check-plugins.ts'
import { kindOfKey } from '../resources/index.ts'
import type { CheckContext, Lookup, ResourceKind } from '../resources/kind.ts'
import { resolveReferences } from '../resources/secret-reference.ts'

export interface ResourceCheck {
  /** What kinds are given with their own `seal`, `show` and `normalize`. */
  readonly context: CheckContext
  /** For a client's write. The message of the first fault; undefined: the value may be stored. */
  check(kind: string, id: string, value: JsonObject): string | undefined
  /** For a value that a store or file already holds: what only a write is refused for passes. */
  checkLoaded(kind: string, id: string, value: JsonObject): string | undefined
  /** The form that workers compile, plugins' defaults included, of a value that passed. */
  normalize(kind: string, id: string, value: JsonObject): JsonObject
}

export interface CheckParts {
  /** Those that are to be had; resources of others are refused. */
  readonly kinds: readonly ResourceKind[]
  readonly catalogue: PluginCatalogue
  readonly lookup: Lookup
  /** Keys that secrets at rest are encrypted with; the first one seals. */
  readonly keyring: readonly string[]
  /** What `$env://NAME` stands for; absent: nothing is set. */
  readonly environment?: (name: string) => string | undefined
}

/** `kind` and `id` of its functions are those of the store: `consumers`, `jack/credentials/a`. */
export function createResourceCheck(parts: CheckParts): ResourceCheck {
  const { catalogue, lookup, keyring, environment = () => undefined } = parts
  const resolved = (plugins: JsonObject) => resolveReferences(plugins, environment) as JsonObject
  const writing: CheckContext = {
    lookup,
    keyring,
    environment,
    writing: true,
    plugins: (plugins, place) => catalogue.check(resolved(plugins), place),
    pluginMetadata: (name, value) => catalogue.checkMetadata(name, value),
  }
  const loading: CheckContext = { ...writing, writing: false }
  const known = new Set(parts.kinds)
  const find = (directory: string, id: string): ResourceKind | undefined => {
    const kind = kindOfKey(directory, id)
    return kind !== undefined && known.has(kind) ? kind : undefined
  }

  function check(directory: string, id: string, value: JsonObject, context: CheckContext): string | undefined {
    const kind = find(directory, id)
    if (kind === undefined) return `unsupported resource type: ${directory}`
    const fault = compileSchema(kind.schema).check(value)
    if (fault !== undefined) return `invalid configuration: ${fault}`
    return kind.check(value, context, id) ?? kind.unsupported(value) ?? pluginsFault(kind, value, context)
  }

  return {
    context: writing,
    check: (directory, id, value) => check(directory, id, value, writing),
    checkLoaded: (directory, id, value) => check(directory, id, value, loading),
    normalize: (directory, id, value) => {
      const kind = find(directory, id)
      if (kind === undefined) return value
      const normal = kind.normalize(value, loading, id)
      const plugins = normal['plugins'] as JsonObject | undefined
      if (plugins === undefined) return normal
      return { ...normal, plugins: catalogue.withDefaults(resolved(plugins), placeOf(kind)) }
    },
  }
}

function pluginsFault(kind: ResourceKind, value: JsonObject, context: CheckContext): string | undefined {
  const plugins = value['plugins'] as JsonObject | undefined
  const place = placeOf(kind)
  // Consumers and credentials have asked for themselves: their message has a beginning of its own.
  return plugins === undefined || place === 'consumer' ? undefined : context.plugins(plugins, place)
}

function placeOf(kind: ResourceKind): PluginsOf {
  switch (kind.name) {
    case 'stream_routes':
      return 'stream'
    case 'services':
      return 'service'
    case 'consumers':
    case 'credentials':
      return 'consumer'
    default:
      return 'http'
  }
}
