/**
 * The configuration source of API-driven standalone mode: a whole document held in memory, replaced by
 * `PUT /apisix/admin/configs`. It keeps versions and hands over what changed; whether an item is right is asked of
 * whoever replaces the document, since this layer does not know what a route is.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Json, JsonObject } from '../base/json.ts'
import type { ConfigSource, SourceStatus } from './source.ts'
import { standaloneResource } from './standalone-document.ts'
import type { Resource, ResourceStore } from './store.ts'

/** The members of the document, in the order in which they are checked. */
export const documentKeys = [
  'routes',
  'stream_routes',
  'services',
  'upstreams',
  'consumers',
  'consumer_groups',
  'global_rules',
  'plugin_configs',
  'plugin_metadata',
  'plugins',
  'protos',
  'secrets',
  'ssls',
] as const
export type DocumentKey = (typeof documentKeys)[number]

/** What the caller of `replaceDocument` knows of resources. */
export interface DocumentCheck {
  /** The message of the first fault in the items of one key; undefined: none. */
  items(key: DocumentKey, items: readonly JsonObject[]): string | undefined
}

export type Replaced =
  | { readonly outcome: 'unchanged' }
  | { readonly outcome: 'refused'; readonly message: string }
  | { readonly outcome: 'replaced' }

interface Part {
  readonly version: number
  /** As they were sent. */
  readonly items: readonly JsonObject[]
  readonly resources: readonly Resource[]
}

const emptyPart: Part = { version: 0, items: [], resources: [] }

export class ApiDrivenSource implements ConfigSource {
  readonly name = 'yaml'
  readonly prefix = ''
  readonly writer = undefined
  pluginsChanged: ConfigSource['pluginsChanged'] & {}
  #parts: ReadonlyMap<DocumentKey, Part>
  #digest: string | undefined
  #lastModified: number | undefined
  #revision: number
  #store: ResourceStore | undefined

  constructor() {
    this.pluginsChanged = () => {}
    this.#parts = new Map(documentKeys.map((key) => [key, emptyPart]))
    this.#digest = undefined
    this.#lastModified = undefined
    this.#revision = 0
    this.#store = undefined
  }

  /** The text that the last accepted document came with; undefined before the first. */
  get digest(): string | undefined {
    return this.#digest
  }

  /** When the last document was accepted, in Unix seconds; undefined before the first. */
  get lastModified(): number | undefined {
    return this.#lastModified
  }

  /** The document as GET shows it: versions always, items where there are any. */
  document(): JsonObject {
    const document: JsonObject = {}
    for (const [key, { version, items }] of this.#parts) {
      document[`${key}_conf_version`] = version
      if (items.length > 0) document[key] = [...items]
    }
    if (this.#lastModified !== undefined) document['X-Last-Modified'] = this.#lastModified
    if (this.#digest !== undefined) document['X-Digest'] = this.#digest
    return document
  }

  /** The list of enabled plugins that the document brought, as `{name, stream?}`; undefined: it brought none. */
  get plugins(): readonly JsonObject[] | undefined {
    const items = this.#parts.get('plugins')?.items ?? []
    return items.length === 0 ? undefined : items
  }

  /** All or nothing: a document with one fault changes nothing. Synchronous: the store has it when this returns. */
  replaceDocument(document: JsonObject, digest: string, nowSeconds: number, check: DocumentCheck): Replaced {
    if (digest === this.#digest) return { outcome: 'unchanged' }
    const parts = new Map<DocumentKey, Part>()
    for (const key of documentKeys) {
      const part = nextPart(key, this.#parts.get(key) ?? emptyPart, document, check)
      if (typeof part === 'string') return { outcome: 'refused', message: part }
      parts.set(key, part)
    }
    const before = this.plugins
    this.#parts = parts
    this.#digest = digest
    this.#lastModified = nowSeconds
    this.#revision++
    if (!isDeepStrictEqual(before, this.plugins)) this.pluginsChanged(this.plugins)
    this.#hand()
    return { outcome: 'replaced' }
  }

  /** The first full state is whatever has been sent so far; nothing is a state too. */
  async follow(store: ResourceStore, signal: AbortSignal): Promise<void> {
    this.#store = store
    this.#hand()
    const forget = () => {
      if (this.#store === store) this.#store = undefined
    }
    if (signal.aborted) forget()
    else signal.addEventListener('abort', forget, { once: true })
  }

  status(): SourceStatus {
    const detail = this.#digest === undefined ? 'no configuration has been sent yet' : undefined
    return { provider: this.name, reachable: true, detail }
  }

  async close(): Promise<void> {
    this.#store = undefined
  }

  #hand(): void {
    const state = [...this.#parts].flatMap(([key, { resources }]) => (key === 'plugins' ? [] : resources))
    this.#store?.replace(state, this.#revision)
  }
}

/** The next state of one key, or why there is none. */
function nextPart(key: DocumentKey, loaded: Part, document: JsonObject, check: DocumentCheck): Part | string {
  const versionKey = `${key}_conf_version`
  const sent = document[versionKey] ?? undefined
  if (sent !== undefined && typeof sent !== 'number') return `${versionKey} must be a number`
  const version = sent ?? loaded.version + 1
  if (version < loaded.version) return `${versionKey} must be greater than or equal to (${loaded.version})`
  // an equal version promises equal data: what was sent is not even looked at
  if (version === loaded.version) return loaded
  const items = itemsOf(document[key])
  if (items === undefined) return `${key} must be an array of objects`
  const message = check.items(key, items)
  if (message !== undefined) return message
  const old = new Map(loaded.resources.map((resource) => [`${resource.kind}/${resource.id}`, resource]))
  const resources = items.map((item, index) => toResource(key, item, index, version, old))
  return { version, items, resources }
}

function itemsOf(value: Json | undefined): readonly JsonObject[] | undefined {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) return Object.keys(value).length === 0 ? [] : undefined
  return value.every((item) => typeof item === 'object' && item !== null && !Array.isArray(item))
    ? (value as JsonObject[])
    : undefined
}

/** An item that carries the `modifiedIndex` it had before is left as it is, whatever else it says. */
function toResource(
  key: DocumentKey,
  item: JsonObject,
  index: number,
  version: number,
  old: ReadonlyMap<string, Resource>,
): Resource {
  const resource = standaloneResource(key, item, index, version)
  const before = old.get(`${key}/${resource.id}`)
  if (before === undefined) return resource
  const same = item['modifiedIndex'] !== undefined && before.modifiedIndex === resource.modifiedIndex
  return same ? before : { ...resource, createdIndex: before.createdIndex }
}
