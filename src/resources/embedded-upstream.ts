/**
 * What routes, stream routes and services have alike: an `upstream` that stands inside them, `plugins`, and ids of
 * other resources. Each of these functions does one part of what a `ResourceKind` declares.
 */
import type { JsonObject } from '../base/json.ts'
import { idsAsText, referencesIn } from './define-kind.ts'
import type { CheckContext, Reference } from './kind.ts'
import { pluginReferences, unsupportedInPlugins } from './plugin-references.ts'
import { checkUpstream, normalizeUpstream, sealUpstream, unsupportedUpstream, upstreamReferences } from './upstream.ts'

const idFields = { upstream_id: 'upstreams', service_id: 'services', plugin_config_id: 'plugin_configs' } as const

export function embeddedReferences(value: JsonObject): Reference[] {
  const upstream = upstreamOf(value)
  return [
    ...referencesIn(value, idFields),
    ...(upstream === undefined ? [] : upstreamReferences(upstream)),
    ...pluginReferences(value['plugins']),
  ]
}

export function embeddedFault(value: JsonObject, context: CheckContext): string | undefined {
  const upstream = upstreamOf(value)
  return upstream === undefined ? undefined : checkUpstream(upstream, context)
}

export function embeddedUnsupported(value: JsonObject): string | undefined {
  for (const field of ['script', 'filter_func']) {
    if (value[field] !== undefined) return `${field}: Lua code is not run here`
  }
  const upstream = upstreamOf(value)
  const inUpstream = upstream === undefined ? undefined : unsupportedUpstream(upstream, 'upstream.')
  return inUpstream ?? unsupportedInPlugins(value['plugins'])
}

export function sealEmbedded(value: JsonObject, context: CheckContext): JsonObject {
  const upstream = upstreamOf(value)
  return upstream === undefined ? value : { ...value, upstream: sealUpstream(upstream, context) }
}

/** Of a value with defaults: the upstream in its normal form, and ids as text. */
export function normalizeEmbedded(value: JsonObject, context: CheckContext): JsonObject {
  const upstream = upstreamOf(value)
  const ids = idsAsText(value, Object.keys(idFields))
  if (upstream === undefined) return ids
  return { ...ids, upstream: normalizeUpstream(upstream, context) as unknown as JsonObject }
}

function upstreamOf(value: JsonObject): JsonObject | undefined {
  return value['upstream'] as JsonObject | undefined
}
