/** Checks a `plugins` object: names, each configuration by its plugin's schema and own check, and `_meta`. */
import type { Json, JsonObject, JsonSchema } from '../base/json.ts'
import { compileSchema } from '../base/json-schema.ts'
import { hasReference } from '../resources/secret-reference.ts'
import { encryptedFieldsOf, mapFields } from './encrypted-fields.ts'
import type { AnyPlugin, OtherPlugins, Plugin } from './plugin.ts'
import { metaFault, metaOf, withMeta } from './plugin-meta.ts'
import type { Subsystem } from './plugin-table.ts'
import { openToReferences } from './reference-schema.ts'

/**
 * Where a `plugins` object stands. `service`: routes and stream routes may share it, so a plugin of either subsystem
 * fits. `consumer`: plugins of HTTP routes, except that those of type `auth` have the configuration of a credential there.
 */
export type PluginsOf = Subsystem | 'service' | 'consumer'

/** What the check asks of the catalogue. */
export interface Shelf {
  find(name: string, subsystem: Subsystem): AnyPlugin | undefined
  /** Switched on, built or not. */
  isEnabled(name: string, subsystem: Subsystem): boolean
  /** The configuration asks for a plugin of that name, whether there is one or not. */
  isAskedFor(name: string, subsystem: Subsystem): boolean
  /** The message of what is wrong with an upstream that stands in a configuration; absent: they are not looked at. */
  readonly upstreamFault?: UpstreamFault | undefined
}

export type UpstreamFault = (upstream: JsonObject) => string | undefined

/** The message of the first fault. */
export function pluginsFault(shelf: Shelf, plugins: JsonObject, place: PluginsOf): string | undefined {
  for (const [name, conf] of Object.entries(plugins)) {
    const fault = pluginFault(shelf, name, conf, place)
    if (fault !== undefined) return fault
  }
  return undefined
}

/** A copy without plugins that the configuration does not ask for: they do nothing here, and are not looked at. */
export function askedFor(shelf: Shelf, plugins: JsonObject, place: PluginsOf): JsonObject {
  const isAskedFor = ([name]: readonly [string, unknown]): boolean =>
    subsystemsOf(place).some((subsystem) => shelf.isAskedFor(name, subsystem))
  return Object.fromEntries(Object.entries(plugins).filter(isAskedFor))
}

/** A copy of valid `plugins` with each configuration's defaults filled in; switched-off ones stay as they are. */
export function pluginsWithDefaults(shelf: Shelf, plugins: JsonObject, place: PluginsOf): JsonObject {
  const entries = Object.entries(plugins).map(([name, conf]) => {
    const plugin = findPlugin(shelf, name, place)
    if (plugin === undefined || metaOf(conf)['disable'] === true) return [name, conf]
    return [name, compileSchema(schemaAt(plugin, place)).withDefaults(conf)]
  })
  return Object.fromEntries(entries)
}

/** A copy in which the fields that are encrypted at rest are changed; what is no configuration stays as it is. */
export function mapPluginSecrets(
  shelf: Pick<Shelf, 'find'>,
  plugins: JsonObject,
  place: PluginsOf,
  change: (text: string) => string,
): JsonObject {
  const entries = Object.entries(plugins).map(([name, conf]) => {
    const plugin = findPlugin(shelf, name, place)
    if (plugin === undefined || conf === null || typeof conf !== 'object' || Array.isArray(conf)) return [name, conf]
    return [name, mapFields(conf, encryptedFieldsOf(plugin, schemaAt(plugin, place)), change)]
  })
  return Object.fromEntries(entries)
}

/** The plugin that a name stands for in that place, built and switched on. */
export function findPlugin(shelf: Pick<Shelf, 'find'>, name: string, place: PluginsOf): AnyPlugin | undefined {
  for (const subsystem of subsystemsOf(place)) {
    const plugin = shelf.find(name, subsystem)
    if (plugin !== undefined) return plugin
  }
  return undefined
}

/** The configuration in that place says who a consumer is, and not what the plugin does on a route. */
export function isCredential(plugin: AnyPlugin, place: PluginsOf): boolean {
  return place === 'consumer' && plugin.type === 'auth' && plugin.consumerSchema !== undefined
}

function schemaAt(plugin: AnyPlugin, place: PluginsOf): JsonSchema {
  return isCredential(plugin, place) ? (plugin.consumerSchema as JsonSchema) : withMeta(plugin.schema)
}

function subsystemsOf(place: PluginsOf): readonly Subsystem[] {
  if (place === 'service') return ['http', 'stream']
  return [place === 'consumer' ? 'http' : place]
}

function pluginFault(shelf: Shelf, name: string, conf: Json, place: PluginsOf): string | undefined {
  if (conf === null || typeof conf !== 'object') {
    return `invalid plugin conf ${JSON.stringify(conf)} for plugin [${name}]`
  }
  const plugin = findPlugin(shelf, name, place)
  if (plugin === undefined) {
    const isEnabled = subsystemsOf(place).some((subsystem) => shelf.isEnabled(name, subsystem))
    return isEnabled ? `plugin [${name}] is not built in this version` : `unknown plugin [${name}]`
  }
  const meta = metaOf(conf)
  if (meta['disable'] === true) return undefined
  const fault = confFault(shelf, plugin, conf, place)
  if (fault === undefined) return isCredential(plugin, place) ? undefined : metaFault(name, meta)
  return place === 'stream'
    ? `failed to check the configuration of stream plugin [${name}]: ${fault}`
    : `failed to check the configuration of plugin ${name} err: ${fault}`
}

/** A text that still refers to a secret may stand for anything: what would be said of it is not said. */
function confFault(shelf: Shelf, plugin: AnyPlugin, conf: Json, place: PluginsOf): string | undefined {
  const schema = compileSchema(schemaAt(plugin, place))
  const unresolved = hasReference(conf)
  const fault = schema.check(conf)
  if (unresolved && fault !== undefined) {
    const left = compileSchema(openToReferences(schemaAt(plugin, place))).check(conf)
    // Of the same property the first says more plainly what is wrong.
    return left?.split(' validation')[0] === fault.split(' validation')[0] ? fault : left
  }
  if (fault !== undefined) return fault
  if (unresolved) return undefined
  const whole = schema.withDefaults(conf) as JsonObject
  if (isCredential(plugin, place)) return plugin.checkConsumer?.(whole)
  const own = (plugin as Plugin<JsonObject>).check?.(whole, others(shelf, place))
  return own ?? upstreamFault(shelf, plugin as Plugin<JsonObject>, conf as JsonObject)
}

function upstreamFault({ upstreamFault: faultOf }: Shelf, plugin: Plugin<JsonObject>, conf: JsonObject) {
  let fault: string | undefined
  if (faultOf !== undefined) {
    plugin.mapUpstreams?.(conf, (upstream) => {
      fault ??= faultOf(upstream)
      return upstream
    })
  }
  return fault
}

function others(shelf: Shelf, place: PluginsOf): OtherPlugins {
  // A plugin that holds others holds them as on a route, wherever it stands itself.
  const inner = place === 'consumer' ? 'http' : place
  return {
    fault: (name, conf) => pluginFault(shelf, name, conf, inner),
    typeOf: (name) => findPlugin(shelf, name, inner)?.type,
  }
}
