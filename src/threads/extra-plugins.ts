/** The user's own plugins: files named in config.yaml, each of which exports a plugin under the name `plugin`. */
import { pathToFileURL } from 'node:url'
import type { AnyPlugin } from '../plugin/plugin.ts'

/** Loads them in the order given. Rejects with the file and the reason when one cannot be used. */
export async function loadExtraPlugins(files: readonly string[]): Promise<readonly AnyPlugin[]> {
  const loaded: AnyPlugin[] = []
  for (const file of files) {
    let exported: { plugin?: AnyPlugin }
    try {
      exported = (await import(pathToFileURL(file).href)) as { plugin?: AnyPlugin }
    } catch (error) {
      throw new Error(`sluice.extra_plugins: ${file}: ${(error as Error).message}`, { cause: error })
    }
    const { plugin } = exported
    const fault = plugin === undefined ? 'it exports nothing named plugin' : shapeFault(plugin)
    if (plugin === undefined || fault !== undefined) throw new Error(`sluice.extra_plugins: ${file}: ${fault}`)
    loaded.push(plugin)
  }
  return loaded
}

function shapeFault(plugin: AnyPlugin): string | undefined {
  if (typeof plugin.name !== 'string' || plugin.name === '') return 'plugin.name is not a text'
  if (typeof plugin.priority !== 'number') return 'plugin.priority is not a number'
  if (plugin.subsystem !== 'stream' && plugin.subsystem !== 'http') return 'plugin.subsystem is neither stream nor http'
  if (typeof plugin.schema !== 'object' || plugin.schema === null) return 'plugin.schema is not an object'
  if (typeof plugin.create !== 'function') return 'plugin.create is not a function'
  return undefined
}
