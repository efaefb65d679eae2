/** Refuses a plugin's configuration that names a group whose others say something else: a group has one configuration. */
import type { JsonObject } from '../base/json.ts'
import type { PluginCatalogue } from '../plugin/catalogue.ts'
import type { PluginsOf } from '../plugin/check-plugins.ts'
import type { Plugin } from '../plugin/plugin.ts'
import type { Lookup } from '../resources/kind.ts'

/** Kinds that have plugins, by what a `plugins` object is in them. */
const holders: readonly (readonly [kind: string, place: PluginsOf])[] = [
  ['routes', 'http'],
  ['services', 'service'],
  ['plugin_configs', 'http'],
  ['consumers', 'consumer'],
  ['consumer_groups', 'consumer'],
  ['global_rules', 'http'],
]

type Parts = Pick<PluginCatalogue, 'find' | 'withDefaults' | 'mapSecrets'>

/**
 * The message of the first fault. Linear in the number of resources, but only for configurations that name a group. What is
 * stored under the same id counts as well: whoever wants another configuration takes another group.
 */
export function groupFault(
  plugins: JsonObject,
  place: PluginsOf,
  catalogue: Parts,
  lookup: Lookup,
): string | undefined {
  for (const [name, conf] of Object.entries(plugins)) {
    const plugin = catalogue.find(name, 'http') as Plugin<JsonObject> | undefined
    const group = plugin?.groupOf?.(conf as JsonObject)
    if (group === undefined) continue
    const own = comparable(catalogue, name, conf as JsonObject, place)
    for (const [kind, where] of holders) {
      for (const { value } of lookup.all(kind)) {
        const other = (value['plugins'] as JsonObject | undefined)?.[name] as JsonObject | undefined
        if (other === undefined || plugin?.groupOf?.(other) !== group) continue
        if (comparable(catalogue, name, other, where) === own) continue
        return `failed to check the configuration of plugin ${name} err: group conf mismatched`
      }
    }
  }
  return undefined
}

/** Alike for configurations that say the same. Secrets are left out: the store has sealed them. */
function comparable(catalogue: Parts, name: string, conf: JsonObject, place: PluginsOf): string {
  const { _meta, ...rest } = conf
  const whole = catalogue.withDefaults({ [name]: rest }, place)
  const bare = catalogue.mapSecrets(whole, place, () => '')[name] as JsonObject
  return JSON.stringify(Object.entries(bare).sort(([left], [right]) => (left < right ? -1 : 1)))
}
