/** Upstreams that stand inside the configurations of plugins: found and changed by what each plugin says of its own. */
import type { JsonObject } from '../base/json.ts'
import { findPlugin, isCredential, type PluginsOf, type Shelf } from './check-plugins.ts'
import type { Plugin } from './plugin.ts'
import { metaOf } from './plugin-meta.ts'

export type UpstreamChange = (upstream: JsonObject) => JsonObject

/** A copy of valid `plugins` in which each of those upstreams is changed; the same object if there is none. */
export function mapUpstreams(
  shelf: Pick<Shelf, 'find'>,
  plugins: JsonObject,
  place: PluginsOf,
  change: UpstreamChange,
): JsonObject {
  let changed: JsonObject | undefined
  for (const [name, conf] of Object.entries(plugins)) {
    const plugin = findPlugin(shelf, name, place) as Plugin<JsonObject> | undefined
    if (plugin?.mapUpstreams === undefined || isCredential(plugin, place) || metaOf(conf)['disable'] === true) continue
    changed ??= { ...plugins }
    changed[name] = plugin.mapUpstreams(conf as JsonObject, change)
  }
  return changed ?? plugins
}

/** All of those upstreams. */
export function upstreamsIn(shelf: Pick<Shelf, 'find'>, plugins: JsonObject, place: PluginsOf): readonly JsonObject[] {
  const found: JsonObject[] = []
  mapUpstreams(shelf, plugins, place, (upstream) => {
    found.push(upstream)
    return upstream
  })
  return found
}
