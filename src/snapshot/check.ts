/**
 * The one check that every resource passes, whoever brings it: schema, meaning, what this version can do, plugins.
 * The Admin API asks it before it writes, the store when it loads. References to other resources are not part of it.
 */
import type { JsonObject } from '../base/json.ts'
import { compileSchema } from '../base/json-schema.ts'
import type { PluginCatalogue } from '../plugin/catalogue.ts'
import type { PluginsOf } from '../plugin/check-plugins.ts'
import { kindOfKey } from '../resources/index.ts'
import { encrypt, openText } from '../resources/keyring.ts'
import type { CheckContext, Lookup, ResourceKind } from '../resources/kind.ts'
import { isReference, resolveReferences } from '../resources/secret-reference.ts'
import {
  checkUpstream,
  normalizeUpstream,
  sealUpstream,
  type UpstreamValue,
  unsupportedUpstream,
} from '../resources/upstream.ts'
import { groupFault } from './group-fault.ts'

export interface ResourceCheck {
  /** What kinds are given with their own functions. */
  readonly context: CheckContext
  /** For a client's write. The message of the first fault; undefined: the value may be stored. */
  check(kind: string, id: string, value: JsonObject): string | undefined
  /** For a value that a store or file already holds: what only a write is refused for passes. */
  checkLoaded(kind: string, id: string, value: JsonObject): string | undefined
  /** The form that workers compile, plugins' defaults included, of a value that passed. */
  normalize(kind: string, id: string, value: JsonObject): JsonObject
  /** What is stored of a value: secrets encrypted, those of plugins included. */
  seal(kind: string, id: string, value: JsonObject): JsonObject
  /** What GET shows of a stored value: secrets decrypted, or left out. */
  show(kind: string, id: string, value: JsonObject): JsonObject
  /** All upstreams in a normal value: itself, its own, those in its plugins. */
  upstreamsIn(kind: string, id: string, value: JsonObject): readonly UpstreamValue[]
}

export interface CheckParts {
  /** Those that are to be had; resources of others are refused. */
  readonly kinds: readonly ResourceKind[]
  readonly catalogue: PluginCatalogue
  readonly lookup: Lookup
  /** Keys that secrets at rest are encrypted with; the first one seals. */
  readonly keyring: readonly string[]
  /** The same for fields of plugins, which not every store has sealed. Default: none. */
  readonly pluginKeyring?: readonly string[]
  /**
   * What is loaded may name plugins that the configuration does not ask for: they are passed over. Otherwise, and for every
   * write, that is a fault.
   */
  readonly passesOverPlugins?: boolean
  /** What `$env://NAME` stands for; absent: nothing is set. */
  readonly environment?: (name: string) => string | undefined
}

/** `kind` and `id` of its functions are those of the store: `consumers`, `jack/credentials/a`. */
export function createResourceCheck(parts: CheckParts): ResourceCheck {
  const { catalogue, lookup, keyring, pluginKeyring = [], environment = () => undefined } = parts
  const resolved = (plugins: JsonObject) => resolveReferences(plugins, environment) as JsonObject
  const writing: CheckContext = {
    lookup,
    keyring,
    environment,
    writing: true,
    plugins: (plugins, place) => pluginsFaultIn(plugins, place, writing),
    isAuth: (name) => catalogue.isAuth(name),
    pluginMetadata: (name, value) => catalogue.checkMetadata(name, value),
  }
  const loading: CheckContext = {
    ...writing,
    writing: false,
    plugins: (plugins, place) =>
      pluginsFaultIn(parts.passesOverPlugins ? catalogue.askedFor(plugins, place) : plugins, place, loading),
  }
  function pluginsFaultIn(plugins: JsonObject, place: PluginsOf, context: CheckContext): string | undefined {
    const upstreamFault = (upstream: JsonObject): string | undefined =>
      checkUpstream(upstream, context) ?? unsupportedUpstream(upstream, 'upstream.')
    const fault = catalogue.check(resolved(plugins), place, upstreamFault)
    if (fault !== undefined || !context.writing) return fault
    return groupFault(plugins, place, catalogue, lookup)
  }
  const known = new Set(parts.kinds)
  const find = (directory: string, id: string): ResourceKind | undefined => {
    const kind = kindOfKey(directory, id)
    return kind !== undefined && known.has(kind) ? kind : undefined
  }

  /** The value with the secrets of its plugins changed, wherever plugins stand in it. */
  function mapSecrets(kind: ResourceKind, id: string, value: JsonObject, change: (text: string) => string): JsonObject {
    if (pluginKeyring.length === 0) return value
    if (kind.name === 'plugin_metadata') return catalogue.mapMetadataSecrets(id, value, change)
    const plugins = pluginsIn(value)
    if (plugins === undefined) return value
    return { ...value, plugins: catalogue.mapSecrets(plugins, placeOf(kind), change) }
  }
  // A reference is no secret: it stays readable, and is known as one.
  const sealText = (text: string): string => (isReference(text) ? text : encrypt(pluginKeyring, text))
  const opened = (kind: ResourceKind, id: string, value: JsonObject): JsonObject =>
    mapSecrets(kind, id, value, (text) => openText(pluginKeyring, text))

  function check(directory: string, id: string, value: JsonObject, context: CheckContext): string | undefined {
    const kind = find(directory, id)
    if (kind === undefined) return `unsupported resource type: ${directory}`
    const fault = compileSchema(kind.schema).check(value)
    if (fault !== undefined) return `invalid configuration: ${fault}`
    return kind.check(value, context, id) ?? kind.unsupported(value) ?? pluginsFault(kind, value, context)
  }

  return {
    context: writing,
    check: (directory, id, value) => check(directory, id, value, writing),
    checkLoaded: (directory, id, value) => {
      const kind = find(directory, id)
      return check(directory, id, kind === undefined ? value : opened(kind, id, value), loading)
    },
    normalize: (directory, id, value) => {
      const kind = find(directory, id)
      if (kind === undefined) return value
      const normal = kind.normalize(opened(kind, id, value), loading, id)
      if (kind.name === 'plugin_metadata') {
        // The name of the plugin is no part of what its schema describes.
        const { id: _name, ...metadata } = normal
        return catalogue.metadataWithDefaults(id, resolved(metadata))
      }
      const plugins = normal['plugins'] as JsonObject | undefined
      if (plugins === undefined) return normal
      const whole = catalogue.withDefaults(resolved(plugins), placeOf(kind))
      const normalUpstream = (upstream: JsonObject) => normalizeUpstream(upstream, loading) as unknown as JsonObject
      return { ...normal, plugins: catalogue.mapUpstreams(whole, placeOf(kind), normalUpstream) }
    },
    seal: (directory, id, value) => {
      const kind = find(directory, id)
      if (kind === undefined) return value
      const sealed = mapSecrets(kind, id, kind.seal(value, writing), sealText)
      const plugins = pluginsIn(sealed)
      if (plugins === undefined) return sealed
      const sealedUpstream = (upstream: JsonObject) => sealUpstream(upstream, writing)
      return { ...sealed, plugins: catalogue.mapUpstreams(plugins, placeOf(kind), sealedUpstream) }
    },
    upstreamsIn: (directory, id, value) => {
      const kind = find(directory, id)
      const own = kind?.name === 'upstreams' ? value : value['upstream']
      const plugins = pluginsIn(value)
      const inPlugins = kind === undefined || plugins === undefined ? [] : catalogue.upstreamsIn(plugins, placeOf(kind))
      return [...(own === undefined ? [] : [own]), ...inPlugins] as unknown as UpstreamValue[]
    },
    show: (directory, id, value) => {
      const kind = find(directory, id)
      return kind === undefined ? value : opened(kind, id, kind.show(value, writing))
    },
  }
}

function pluginsFault(kind: ResourceKind, value: JsonObject, context: CheckContext): string | undefined {
  const plugins = value['plugins'] as JsonObject | undefined
  const place = placeOf(kind)
  // Consumers and credentials have asked for themselves: their message has a beginning of its own.
  return plugins === undefined || place === 'consumer' ? undefined : context.plugins(plugins, place)
}

function pluginsIn(value: JsonObject): JsonObject | undefined {
  const plugins = value['plugins']
  return plugins === null || typeof plugins !== 'object' || Array.isArray(plugins) ? undefined : plugins
}

function placeOf(kind: ResourceKind): PluginsOf {
  switch (kind.name) {
    case 'stream_routes':
      return 'stream'
    case 'services':
      return 'service'
    case 'consumers':
    case 'credentials':
      return 'consumer'
    default:
      return 'http'
  }
}
