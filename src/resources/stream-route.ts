/**
 * Stream routes: which connections and datagram sessions go where. APISIX's fields, and Sluice's own (`priority`,
 * `vars`, `tls_passthrough` and the plural forms), which say so in the schema. Matching is done elsewhere.
 */
import type { Json, JsonObject, JsonSchema } from '../base/json.ts'
import {
  addressesSchema,
  addressFault,
  addressSchema,
  canonicalName,
  hostSchema,
  hostsSchema,
} from './address-schema.ts'
import { describedSchema, idSchema, pluginsSchema } from './common-fields.ts'
import { defineKind, idText, withDefaults } from './define-kind.ts'
import {
  embeddedFault,
  embeddedReferences,
  embeddedUnsupported,
  normalizeEmbedded,
  sealEmbedded,
} from './embedded-upstream.ts'
import { varsFault } from './expression-fault.ts'
import type { CheckContext, Reference } from './kind.ts'
import type { UpstreamValue } from './upstream.ts'
import { upstreamSchema } from './upstream-schema.ts'

/** A stream route in its normal form. An empty list means any. */
export interface StreamRouteValue {
  readonly id: string
  readonly name?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly service_id?: string
  readonly upstream_id?: string
  readonly upstream?: UpstreamValue
  readonly plugins?: Readonly<Record<string, JsonObject>>
  readonly server_ports: readonly number[]
  readonly server_addrs: readonly string[]
  readonly remote_addrs: readonly string[]
  /** Lower case, without a trailing dot; `*.x` covers any number of labels. */
  readonly snis: readonly string[]
  readonly vars?: readonly Json[]
  /** Greater is asked first; among equals load order decides. */
  readonly priority: number
  readonly tls_passthrough: boolean
}

const portSchema: JsonSchema = { type: 'integer', minimum: 1, maximum: 65535 }
const own = (description: string, schema: JsonSchema): JsonSchema => ({
  description: `${description}. An extension of Sluice: not in Apache APISIX`,
  ...schema,
})

const protocolSchema: JsonSchema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    superior_id: idSchema,
    conf: { description: 'protocol-specific configuration', type: 'object' },
    logger: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          name: { type: 'string' },
          filter: { description: 'logger filter rules', type: 'array' },
          conf: { description: 'logger plugin configuration', type: 'object' },
        },
        dependencies: { name: ['conf'] },
        additionalProperties: false,
      },
    },
  },
  required: ['name'],
}

const schema: JsonSchema = {
  type: 'object',
  properties: {
    ...describedSchema,
    remote_addr: { description: 'client IP', ...addressSchema },
    server_addr: { description: 'server IP', ...addressSchema },
    server_port: { description: 'server port', ...portSchema },
    sni: { description: 'server name indication', ...hostSchema },
    upstream: upstreamSchema,
    upstream_id: idSchema,
    service_id: idSchema,
    plugins: pluginsSchema,
    protocol: protocolSchema,
    remote_addrs: own('client IPs, any of which fits', addressesSchema),
    server_addrs: own('server IPs, any of which fits', addressesSchema),
    server_ports: own('server ports, any of which fits', {
      type: 'array',
      items: portSchema,
      minItems: 1,
      uniqueItems: true,
    }),
    snis: own('server names, any of which fits', hostsSchema),
    priority: own('greater is asked first', { type: 'integer', default: 0 }),
    vars: own('an expression that must hold', { type: 'array' }),
    tls_passthrough: own('TLS is routed by its server name and not ended here', { type: 'boolean', default: false }),
  },
  additionalProperties: false,
}

const plurals = [
  ['sni', 'snis'],
  ['remote_addr', 'remote_addrs'],
  ['server_addr', 'server_addrs'],
  ['server_port', 'server_ports'],
] as const

export const streamRoute = defineKind({
  name: 'stream_routes',
  noun: 'stream route',
  schemaName: 'stream_route',
  schema,
  without: ['PATCH'],
  filters: ['service_id', 'upstream_id'],
  references: (value) => [...embeddedReferences(value), ...superiorReference(value)],
  check,
  unsupported: (value) =>
    value['protocol'] === undefined ? embeddedUnsupported(value) : 'protocol: xRPC is not built in this version',
  seal: sealEmbedded,
  normalize,
})

function superiorReference(value: JsonObject): Reference[] {
  const id = idText(protocolOf(value)?.['superior_id'])
  return id === undefined ? [] : [{ kind: 'stream_routes', id, path: 'protocol.superior_id' }]
}

function check(value: JsonObject, context: CheckContext, id: string): string | undefined {
  for (const [one, many] of plurals) {
    if (value[one] !== undefined && value[many] !== undefined) return `only one of ${one} or ${many} is allowed`
  }
  if (value['tls_passthrough'] === true && listOf(value, 'sni', 'snis').length === 0) {
    return 'tls_passthrough needs sni or snis'
  }
  const addresses = [...listOf(value, 'remote_addr', 'remote_addrs'), ...listOf(value, 'server_addr', 'server_addrs')]
  return (
    addressFault(addresses as string[]) ??
    varsFault(value['vars']) ??
    superiorFault(value, context, id) ??
    embeddedFault(value, context)
  )
}

function superiorFault(value: JsonObject, context: CheckContext, id: string): string | undefined {
  const superiorId = idText(protocolOf(value)?.['superior_id'])
  if (superiorId === undefined) return undefined
  if (superiorId === id) return 'stream route can not set itself as superior_id'
  const superior = context.writing ? context.lookup.get('stream_routes', superiorId) : undefined
  const expected = superior === undefined ? undefined : protocolOf(superior.value)?.['name']
  const name = protocolOf(value)?.['name']
  if (expected === undefined || expected === name) return undefined
  return `protocol mismatch: subordinate protocol [${name}] does not match superior protocol [${expected}]`
}

function normalize(value: JsonObject, context: CheckContext, id: string): JsonObject {
  const filled = normalizeEmbedded(withDefaults(schema, value), context)
  const { name, labels, service_id, upstream_id, upstream, plugins, vars, priority, tls_passthrough } = filled
  const optional = { name, labels, service_id, upstream_id, upstream, plugins, vars }
  const present = Object.fromEntries(Object.entries(optional).filter(([, field]) => field !== undefined))
  const names = listOf(filled, 'sni', 'snis') as string[]
  const route = {
    ...present,
    id,
    server_ports: listOf(filled, 'server_port', 'server_ports'),
    server_addrs: listOf(filled, 'server_addr', 'server_addrs'),
    remote_addrs: listOf(filled, 'remote_addr', 'remote_addrs'),
    snis: names.map(canonicalName),
    priority,
    tls_passthrough,
  }
  return route as JsonObject
}

function protocolOf(value: JsonObject): JsonObject | undefined {
  return value['protocol'] as JsonObject | undefined
}

function listOf(value: JsonObject, one: string, many: string): Json[] {
  const single = value[one]
  return single === undefined ? ((value[many] ?? []) as Json[]) : [single]
}
