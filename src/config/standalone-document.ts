/**
 * The text of conf/apisix.yaml or conf/apisix.json as resources. What is wrong with the whole is thrown, what is wrong with
 * one item is listed and the item left out. Whether a value is right for its kind is not asked here.
 */
import { parseDocument } from 'yaml'
import type { Json, JsonObject } from '../base/json.ts'
import { type Environment, expandScalar, expandText } from './environment.ts'
import type { Resource } from './store.ts'

export interface StandaloneDocument {
  readonly resources: readonly Resource[]
  /** The list of enabled plugins as `{name, stream?}`; undefined: the file brings none, config.yaml's holds. */
  readonly plugins: readonly JsonObject[] | undefined
  /** One sentence for each item that was left out. */
  readonly faults: readonly string[]
}

const kinds: ReadonlySet<string> = new Set([
  'routes',
  'stream_routes',
  'services',
  'upstreams',
  'consumers',
  'consumer_groups',
  'global_rules',
  'plugin_configs',
  'plugin_metadata',
  'ssls',
  'secrets',
  'protos',
])

/** Throws an Error that says why the text is not to be used. A YAML text must end in `#END`: without it, it is half written. */
export function parseStandalone(text: string, format: 'yaml' | 'json', env: Environment): JsonObject {
  const parsed = format === 'yaml' ? parseYaml(text, env) : expandTree(parseJson(text), env)
  if (parsed === null || parsed === undefined) return {}
  if (!isJsonObject(parsed)) throw new Error('expected an object at the top')
  return parsed
}

/** `version` stands for the whole file, as the index of every item that carries none of its own. */
export function readStandalone(document: JsonObject, version: number): StandaloneDocument {
  const faults: string[] = []
  const resources = new Map<string, Resource>()
  let plugins: readonly JsonObject[] | undefined
  for (const [kind, list] of Object.entries(document)) {
    if (list === null || kind.endsWith('_conf_version')) continue
    if (kind !== 'plugins' && !kinds.has(kind)) faults.push(`unknown key ${kind}`)
    else if (!Array.isArray(list)) faults.push(`${kind} must be a list`)
    else if (kind === 'plugins') plugins = list.filter(isJsonObject)
    else list.forEach((item, index) => void add(kind, item, index))
  }
  return { resources: [...resources.values()], plugins, faults }

  function add(kind: string, item: Json, index: number): void {
    if (!isJsonObject(item)) return void faults.push(`${kind}[${index}] must be an object`)
    const resource = standaloneResource(kind, item, index, version)
    const key = `${kind}/${resource.id}`
    if (resources.has(key)) faults.push(`${kind}[${index}] has the id ${resource.id}, which an item before it has`)
    else resources.set(key, resource)
  }
}

/** One element of a list; `version` is its index where it carries none, `index` its place, which makes an id of last resort. */
export function standaloneResource(kind: string, item: JsonObject, index: number, version: number): Resource {
  const { modifiedIndex, createdIndex, ...value } = item
  const id = String(item['id'] ?? item['username'] ?? `arr_${index + 1}`)
  const changedAt = typeof modifiedIndex === 'number' ? modifiedIndex : version
  const madeAt = typeof createdIndex === 'number' ? createdIndex : changedAt
  return { kind, id, value: withOwnId(kind, id, value), createdIndex: madeAt, modifiedIndex: changedAt }
}

/** As values are in a store: the id is a text, and that of the resource itself without its parent's path. */
function withOwnId(kind: string, id: string, value: JsonObject): JsonObject {
  if (kind === 'consumers' && !id.includes('/credentials/')) return value
  return { ...value, id: kind === 'consumers' ? id.slice(id.lastIndexOf('/') + 1) : id }
}

function parseYaml(text: string, env: Environment): Json | undefined {
  if (!/#END\s*$/.test(text.slice(-10))) throw new Error('missing valid end flag: the last line must be #END')
  const document = parseDocument(expandText(text, env), { merge: true })
  const [error] = document.errors
  if (error !== undefined) throw new Error(error.message.split('\n', 1)[0])
  // aliases are the operator's own and useful here; the limit is there for mistakes that multiply
  return document.toJS({ maxAliasCount: 100_000 }) as Json | undefined
}

/** V8 quotes the text around a fault, which may be a secret; only what is wrong is told. */
function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new Error(message.replace(/, (\.\.\.)?".*$/s, ' in JSON'), { cause: error })
  }
}

function expandTree(value: Json, env: Environment): Json {
  if (typeof value === 'string') return expandScalar(value, env)
  if (Array.isArray(value)) return value.map((each) => expandTree(each, env))
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [expandText(key, env), expandTree(each, env)]))
}

function isJsonObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
