/**
 * How plugin configurations of several resources become one set: by name, each replaced as a whole. Pure functions; making
 * chains of the result is the host's.
 */
import type { JsonObject } from '../base/json.ts'

/** Plugin → configuration, as it stands in one resource. */
export type PluginSet = Readonly<Record<string, JsonObject>>

/** The plugins of one resource. */
export interface Layer {
  /** Which resource: `services/1`. */
  readonly origin: string
  readonly plugins: PluginSet | undefined
}

/** A configuration with the resource that it stands in. */
export interface PlacedPlugin {
  readonly origin: string
  readonly conf: JsonObject
}

/** Plugin → configuration and where it is from. */
export type PlacedPlugins = Readonly<Record<string, PlacedPlugin>>

/**
 * Lays each layer over those before it: for routes service, plugin config, route; for consumers group, consumer. Undefined
 * stands for a resource that there is none of.
 */
export function mergeLayers(...layers: readonly (Layer | undefined)[]): PlacedPlugins {
  const merged: Record<string, PlacedPlugin> = {}
  for (const layer of layers) {
    if (layer?.plugins === undefined) continue
    for (const name of Object.keys(layer.plugins)) {
      merged[name] = { origin: layer.origin, conf: layer.plugins[name] as JsonObject }
    }
  }
  return merged
}

export interface GlobalPlugins {
  readonly plugins: PlacedPlugins
  /** Plugins that stand in more than one rule, and so in none: which, and in which rules. */
  readonly repeated: readonly { readonly plugin: string; readonly rules: readonly string[] }[]
}

/** One set of all global rules, in load order. */
export function mergeGlobalRules(rules: Iterable<readonly [id: string, plugins: PluginSet]>): GlobalPlugins {
  const holders = new Map<string, string[]>()
  const placed = new Map<string, PlacedPlugin>()
  for (const [id, plugins] of rules) {
    for (const name of Object.keys(plugins)) {
      const ids = holders.get(name)
      if (ids === undefined) holders.set(name, [id])
      else ids.push(id)
      placed.set(name, { origin: `global_rules/${id}`, conf: plugins[name] as JsonObject })
    }
  }
  const repeated: { plugin: string; rules: readonly string[] }[] = []
  for (const [plugin, ids] of holders) {
    if (ids.length === 1) continue
    placed.delete(plugin)
    repeated.push({ plugin, rules: ids })
  }
  return { plugins: Object.fromEntries(placed), repeated }
}
