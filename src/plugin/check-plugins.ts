/** Checks a `plugins` object: names, each configuration by its plugin's schema and own check, and `_meta`. */
import type { Json, JsonObject } from '../base/json.ts'
import { compileSchema } from '../base/json-schema.ts'
import type { AnyPlugin, Plugin } from './plugin.ts'
import { metaFault, metaOf, withMeta } from './plugin-meta.ts'
import type { Subsystem } from './plugin-table.ts'

/**
 * Where a `plugins` object stands. `service`: routes and stream routes may share it, so a plugin of either subsystem
 * fits. `consumer`: plugins of HTTP routes.
 */
export type PluginsOf = Subsystem | 'service' | 'consumer'

/** What the check asks of the catalogue. */
export interface Shelf {
  find(name: string, subsystem: Subsystem): AnyPlugin | undefined
  /** Switched on, built or not. */
  isEnabled(name: string, subsystem: Subsystem): boolean
}

/** The message of the first fault. */
export function pluginsFault(shelf: Shelf, plugins: JsonObject, place: PluginsOf): string | undefined {
  for (const [name, conf] of Object.entries(plugins)) {
    const fault = pluginFault(shelf, name, conf, place)
    if (fault !== undefined) return fault
  }
  return undefined
}

/** A copy of valid `plugins` with each configuration's defaults filled in; switched-off ones stay as they are. */
export function pluginsWithDefaults(shelf: Shelf, plugins: JsonObject, place: PluginsOf): JsonObject {
  const entries = Object.entries(plugins).map(([name, conf]) => {
    const plugin = pick(shelf, name, place)
    if (plugin === undefined || metaOf(conf)['disable'] === true) return [name, conf]
    return [name, compileSchema(withMeta(plugin.schema)).withDefaults(conf)]
  })
  return Object.fromEntries(entries)
}

function subsystemsOf(place: PluginsOf): readonly Subsystem[] {
  if (place === 'service') return ['http', 'stream']
  return [place === 'consumer' ? 'http' : place]
}

function pick(shelf: Shelf, name: string, place: PluginsOf): AnyPlugin | undefined {
  for (const subsystem of subsystemsOf(place)) {
    const plugin = shelf.find(name, subsystem)
    if (plugin !== undefined) return plugin
  }
  return undefined
}

function pluginFault(shelf: Shelf, name: string, conf: Json, place: PluginsOf): string | undefined {
  if (conf === null || typeof conf !== 'object') {
    return `invalid plugin conf ${JSON.stringify(conf)} for plugin [${name}]`
  }
  const plugin = pick(shelf, name, place)
  if (plugin === undefined) {
    const isEnabled = subsystemsOf(place).some((subsystem) => shelf.isEnabled(name, subsystem))
    return isEnabled ? `plugin [${name}] is not built in this version` : `unknown plugin [${name}]`
  }
  const meta = metaOf(conf)
  if (meta['disable'] === true) return undefined
  const fault = confFault(plugin, conf)
  if (fault === undefined) return metaFault(name, meta)
  return place === 'stream'
    ? `failed to check the configuration of stream plugin [${name}]: ${fault}`
    : `failed to check the configuration of plugin ${name} err: ${fault}`
}

function confFault(plugin: AnyPlugin, conf: Json): string | undefined {
  const schema = compileSchema(withMeta(plugin.schema))
  const fault = schema.check(conf)
  if (fault !== undefined) return fault
  return (plugin as Plugin<JsonObject>).check?.(schema.withDefaults(conf) as JsonObject)
}
