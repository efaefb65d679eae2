/**
 * The user's own plugins: files, or folders of files, named in config.yaml. Each file exports a plugin under the name `plugin`,
 * or several as `plugins`.
 */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject } from '../base/json.ts'
import type { BootConf } from '../config/boot-schema.ts'
import type { AnyPlugin } from '../plugin/plugin.ts'
import { importPlugin } from './plugin-modules.ts'

/** A folder stands for the TypeScript files in it, in the order of their names; tests are left out. */
function filesIn(place: string): readonly string[] {
  if (!statSync(place, { throwIfNoEntry: false })?.isDirectory()) return [place]
  const names = readdirSync(place).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  return names.sort().map((name) => join(place, name))
}

/**
 * Loads them in the order given; another `generation` loads them anew, as the files are now. Rejects with the file and the
 * reason when one cannot be used.
 */
export async function loadExtraPlugins(places: readonly string[], generation = 0): Promise<readonly AnyPlugin[]> {
  const loaded: AnyPlugin[] = []
  for (const file of places.flatMap(filesIn)) {
    const refuse = (reason: string, cause?: unknown): never => {
      throw new Error(`sluice.extra_plugins: ${file}: ${reason}`, { cause })
    }
    const exported = await importPlugin(file, generation).catch((error) => refuse((error as Error).message, error))
    const { plugin, plugins = plugin === undefined ? [] : [plugin] } = exported
    if (!Array.isArray(plugins) || plugins.length === 0) refuse('it exports nothing named plugin')
    for (const each of plugins as readonly AnyPlugin[]) {
      const fault = shapeFault(each)
      if (fault !== undefined) refuse(fault)
      loaded.push(each)
    }
  }
  return loaded
}

/** The lists of config.yaml, and the user's own plugins, which need not stand in them. */
export function enabledNames(conf: Pick<BootConf, 'plugins' | 'stream_plugins'>, extra: readonly AnyPlugin[]) {
  const own = (subsystem: AnyPlugin['subsystem']): readonly string[] =>
    extra.filter((plugin) => plugin.subsystem === subsystem).map(({ name }) => name)
  return {
    httpEnabled: [...conf.plugins, ...own('http')],
    streamEnabled: [...conf.stream_plugins, ...own('stream')],
  }
}

/** The same lists as a file of resources brings them: `{name, stream?}`. */
export function listedNames(list: readonly JsonObject[]): Pick<BootConf, 'plugins' | 'stream_plugins'> {
  const names = (stream: boolean): string[] =>
    list.filter((item) => (item['stream'] === true) === stream).map((item) => String(item['name']))
  return { plugins: names(false), stream_plugins: names(true) }
}

/** In the place of built-in ones of the same name; they need not stand in the lists of those that are enabled. */
export function enabledPlugins(
  built: readonly AnyPlugin[],
  names: Readonly<Record<AnyPlugin['subsystem'], readonly string[]>>,
  extra: readonly AnyPlugin[],
): readonly AnyPlugin[] {
  return [...built.filter(({ subsystem, name }) => names[subsystem].includes(name)), ...extra]
}

function shapeFault(plugin: AnyPlugin): string | undefined {
  if (typeof plugin !== 'object' || plugin === null) return 'plugin is not an object'
  if (typeof plugin.name !== 'string' || plugin.name === '') return 'plugin.name is not a text'
  if (typeof plugin.priority !== 'number') return 'plugin.priority is not a number'
  if (plugin.subsystem !== 'stream' && plugin.subsystem !== 'http') return 'plugin.subsystem is neither stream nor http'
  if (typeof plugin.schema !== 'object' || plugin.schema === null) return 'plugin.schema is not an object'
  if (typeof plugin.create !== 'function') return 'plugin.create is not a function'
  return undefined
}
