/** References that stand inside plugins' configurations, and what no plugin's configuration may contain. */
import type { Json, JsonObject } from '../base/json.ts'
import { idText } from './define-kind.ts'
import type { Reference } from './kind.ts'
import { secretReferenceRefusal } from './secret-reference.ts'

/** Of a `plugins` object, which need not be valid. */
export function pluginReferences(plugins: Json | undefined): Reference[] {
  const trafficSplit = member(plugins, 'traffic-split')
  const upstreams = items(member(trafficSplit, 'rules'))
    .flatMap((rule) => items(member(rule, 'weighted_upstreams')))
    .flatMap((weighted) => [
      ...reference('upstreams', member(weighted, 'upstream_id'), 'plugins.traffic-split'),
      ...reference(
        'ssls',
        member(member(member(weighted, 'upstream'), 'tls'), 'client_cert_id'),
        'plugins.traffic-split',
      ),
    ])
  const proto = member(member(plugins, 'grpc-transcode'), 'proto_id')
  return [...upstreams, ...reference('protos', proto, 'plugins.grpc-transcode')]
}

/** The sentence for what this version cannot do with a `plugins` object, whatever the plugins are. */
export function unsupportedInPlugins(plugins: Json | undefined): string | undefined {
  return secretReferenceRefusal(plugins, 'plugins')
}

function reference(kind: string, id: Json | undefined, path: string): Reference[] {
  const text = idText(id)
  return text === undefined ? [] : [{ kind, id: text, path }]
}

function member(value: Json | undefined, name: string): Json | undefined {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined
  return Object.hasOwn(value, name) ? (value as JsonObject)[name] : undefined
}

function items(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}
