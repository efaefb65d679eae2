/**
 * The plugins that can be had: which are built, which are switched on, in what order, with which schemas. Checking
 * configurations is `check-plugins.ts`; running them is the host's.
 */
import type { JsonObject, JsonSchema } from '../base/json.ts'
import { compileSchema } from '../base/json-schema.ts'
import { isAuthPlugin } from '../resources/consumer-keys.ts'
import {
  askedFor,
  mapPluginSecrets,
  type PluginsOf,
  pluginsFault,
  pluginsWithDefaults,
  type Shelf,
  type UpstreamFault,
} from './check-plugins.ts'
import { mapUpstreams, type UpstreamChange, upstreamsIn } from './embedded-upstreams.ts'
import { encryptedFieldsOf, mapFields } from './encrypted-fields.ts'
import type { AnyPlugin } from './plugin.ts'
import { withMeta } from './plugin-meta.ts'
import { knownPlugins, type Subsystem } from './plugin-table.ts'

export interface PluginCatalogue {
  /** The message of the first fault of a `plugins` object. `upstreamFault` looks at upstreams that stand in it. */
  check(plugins: JsonObject, place: PluginsOf, upstreamFault?: UpstreamFault): string | undefined
  /** A copy without plugins that the configuration does not ask for. */
  askedFor(plugins: JsonObject, place: PluginsOf): JsonObject
  /** A copy of a `plugins` object that passed `check`, with defaults filled in. */
  withDefaults(plugins: JsonObject, place: PluginsOf): JsonObject
  /** The message of what is wrong with a `plugin_metadata` value. */
  checkMetadata(name: string, value: JsonObject): string | undefined
  /** A copy of metadata that passed `checkMetadata`, with defaults filled in. */
  metadataWithDefaults(name: string, value: JsonObject): JsonObject
  /** Copies in which the fields that are encrypted at rest are changed. */
  mapSecrets(plugins: JsonObject, place: PluginsOf, change: (text: string) => string): JsonObject
  mapMetadataSecrets(name: string, value: JsonObject, change: (text: string) => string): JsonObject
  /** Of `plugins` that passed `check`: a copy in which the upstreams that stand in them are changed; all of those upstreams. */
  mapUpstreams(plugins: JsonObject, place: PluginsOf, change: UpstreamChange): JsonObject
  upstreamsIn(plugins: JsonObject, place: PluginsOf): readonly JsonObject[]
  /** Whether a plugin, built or not, finds out who calls: only such may stand in credentials. */
  isAuth(name: string): boolean
  /** Built and switched on. */
  find(name: string, subsystem: Subsystem): AnyPlugin | undefined
  /** Built and switched on, highest priority first. */
  enabled(subsystem: Subsystem): readonly AnyPlugin[]
  /** Names of `enabled`. */
  names(subsystem: Subsystem): readonly string[]
  /** Whether there is such a plugin at all, here or in APISIX. */
  knows(name: string): boolean
  /** With `_meta` injected; undefined: there is no such plugin, or it has no such schema. */
  schemaFor(name: string, subsystem: Subsystem, schemaType?: string): JsonSchema | undefined
}

export interface CatalogueParts {
  readonly built: readonly AnyPlugin[]
  /** Names of config.yaml's `plugins` and `stream_plugins`; absent: APISIX's defaults and all that APISIX lacks. */
  readonly httpEnabled?: readonly string[] | undefined
  readonly streamEnabled?: readonly string[] | undefined
}

/** Of two built plugins with one name in one subsystem the later counts: a user's own may take the place of ours. */
export function createCatalogue({ built, httpEnabled, streamEnabled }: CatalogueParts): PluginCatalogue {
  const shelves = { http: shelve(built, 'http', httpEnabled), stream: shelve(built, 'stream', streamEnabled) }
  const all = new Set([...knownPlugins.http, ...knownPlugins.stream, ...built].map(({ name }) => name))
  const shelf: Shelf = {
    find: (name, subsystem) => shelves[subsystem].plugins.get(name),
    isEnabled: (name, subsystem) => all.has(name) && shelves[subsystem].switchedOn.has(name),
    isAskedFor: (name, subsystem) => shelves[subsystem].switchedOn.has(name),
  }
  const anywhere = (name: string) => shelf.find(name, 'http') ?? shelf.find(name, 'stream')

  return {
    find: shelf.find,
    knows: (name) => all.has(name),
    enabled: (subsystem) => shelves[subsystem].ordered,
    names: (subsystem) => shelves[subsystem].ordered.map(({ name }) => name),
    check: (plugins, place, upstreamFault) => pluginsFault({ ...shelf, upstreamFault }, plugins, place),
    askedFor: (plugins, place) => askedFor(shelf, plugins, place),
    withDefaults: (plugins, place) => pluginsWithDefaults(shelf, plugins, place),
    checkMetadata: (name, value) => {
      const plugin = anywhere(name)
      if (plugin === undefined) {
        const isEnabled = shelf.isEnabled(name, 'http') || shelf.isEnabled(name, 'stream')
        return isEnabled ? `plugin [${name}] is not built in this version` : 'invalid plugin name'
      }
      const schema = compileSchema(plugin.metadataSchema ?? anyMetadata)
      const fault = schema.check(value) ?? plugin.checkMetadata?.(schema.withDefaults(value) as JsonObject)
      return fault === undefined ? undefined : `invalid configuration: ${fault}`
    },
    metadataWithDefaults: (name, value) => {
      const schema = anywhere(name)?.metadataSchema
      return schema === undefined ? value : (compileSchema(schema).withDefaults(value) as JsonObject)
    },
    mapSecrets: (plugins, place, change) => mapPluginSecrets(shelf, plugins, place, change),
    mapUpstreams: (plugins, place, change) => mapUpstreams(shelf, plugins, place, change),
    upstreamsIn: (plugins, place) => upstreamsIn(shelf, plugins, place),
    mapMetadataSecrets: (name, value, change) => {
      const plugin = anywhere(name)
      const schema = plugin?.metadataSchema
      if (plugin === undefined || schema === undefined) return value
      return mapFields(value, encryptedFieldsOf(plugin, schema), change)
    },
    isAuth: (name) => isAuthPlugin(name) || shelf.find(name, 'http')?.type === 'auth',
    schemaFor: (name, subsystem, schemaType = '') => {
      const plugin = shelf.find(name, subsystem)
      if (plugin === undefined) return undefined
      if (schemaType === 'metadata') return shown(plugin, plugin.metadataSchema)
      if (schemaType === 'consumer') return shown(plugin, plugin.consumerSchema)
      return schemaType === '' ? shown(plugin, withMeta(plugin.schema)) : undefined
    },
  }
}

const showing = new WeakMap<JsonSchema, JsonSchema>()

/** A schema as it is shown: with the names of its fields that are encrypted at rest. The same object for the same schema. */
function shown(plugin: AnyPlugin, schema: JsonSchema | undefined): JsonSchema | undefined {
  if (schema === undefined) return undefined
  const fields = encryptedFieldsOf(plugin, schema)
  if (fields.length === 0) return schema
  const known = showing.get(schema) ?? { ...schema, encrypt_fields: fields }
  showing.set(schema, known)
  return known
}

const anyMetadata: JsonSchema = { type: 'object' }

interface SubsystemShelf {
  readonly switchedOn: ReadonlySet<string>
  readonly plugins: ReadonlyMap<string, AnyPlugin>
  readonly ordered: readonly AnyPlugin[]
}

function shelve(built: readonly AnyPlugin[], subsystem: Subsystem, names?: readonly string[]): SubsystemShelf {
  const own = built.filter((plugin) => plugin.subsystem === subsystem)
  const switchedOn = new Set(names ?? defaultNames(own, subsystem))
  const plugins = new Map(own.filter(({ name }) => switchedOn.has(name)).map((plugin) => [plugin.name, plugin]))
  const ordered = [...plugins.values()].sort((left, right) => right.priority - left.priority)
  return { switchedOn, plugins, ordered }
}

function defaultNames(own: readonly AnyPlugin[], subsystem: Subsystem): readonly string[] {
  const known = knownPlugins[subsystem]
  const extra = own.filter(({ name }) => !known.some((each) => each.name === name))
  return [...known.filter(({ onByDefault }) => onByDefault), ...extra].map(({ name }) => name)
}
