/** HTTP routes: what they match, and what happens to what matches. */
import type { Json, JsonObject, JsonSchema } from '../base/json.ts'
import {
  addressesSchema,
  addressFault,
  addressSchema,
  canonicalName,
  hostSchema,
  hostsSchema,
} from './address-schema.ts'
import { describedSchema, idSchema, pluginsSchema, type TimeoutValue, timeoutSchema } from './common-fields.ts'
import { defineKind, withDefaults } from './define-kind.ts'
import {
  embeddedFault,
  embeddedReferences,
  embeddedUnsupported,
  normalizeEmbedded,
  sealEmbedded,
} from './embedded-upstream.ts'
import { varsFault } from './expression-fault.ts'
import { httpMethods } from './http-methods.ts'
import type { CheckContext } from './kind.ts'
import type { UpstreamValue } from './upstream.ts'
import { upstreamSchema } from './upstream-schema.ts'

/** A route in its normal form. Times are in seconds, as they are written. */
export interface RouteValue {
  readonly id: string
  readonly name?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly uri?: string
  readonly uris?: readonly string[]
  readonly priority: number
  readonly methods?: readonly string[]
  /** Lower case. */
  readonly host?: string
  readonly hosts?: readonly string[]
  readonly remote_addr?: string
  readonly remote_addrs?: readonly string[]
  readonly timeout?: TimeoutValue
  readonly vars?: Json
  readonly plugins?: Readonly<Record<string, JsonObject>>
  readonly plugin_config_id?: string
  readonly upstream?: UpstreamValue
  readonly upstream_id?: string
  readonly service_id?: string
  readonly enable_websocket?: boolean
  readonly status: 0 | 1
}

const schema: JsonSchema = {
  type: 'object',
  properties: {
    ...describedSchema,
    uri: { type: 'string', minLength: 1, maxLength: 4096 },
    uris: {
      type: 'array',
      items: { description: 'HTTP uri', type: 'string' },
      minItems: 1,
      uniqueItems: true,
    },
    priority: { type: 'integer', default: 0 },
    methods: {
      type: 'array',
      items: { description: 'HTTP method', type: 'string', enum: httpMethods },
      uniqueItems: true,
    },
    host: hostSchema,
    hosts: hostsSchema,
    remote_addr: { description: 'client IP', ...addressSchema },
    remote_addrs: addressesSchema,
    timeout: timeoutSchema,
    vars: { type: 'array' },
    filter_func: { type: 'string', minLength: 10, pattern: '^function' },
    script: { type: 'string', minLength: 10, maxLength: 102400 },
    script_id: idSchema,
    plugins: pluginsSchema,
    plugin_config_id: idSchema,
    upstream: upstreamSchema,
    service_id: idSchema,
    upstream_id: idSchema,
    enable_websocket: { description: 'enable websocket for request', type: 'boolean' },
    status: { description: 'route status, 1 to enable, 0 to disable', type: 'integer', enum: [1, 0], default: 1 },
  },
  allOf: [{ oneOf: [{ required: ['uri'] }, { required: ['uris'] }] }],
  anyOf: [
    { required: ['plugins', 'uri'] },
    { required: ['upstream', 'uri'] },
    { required: ['upstream_id', 'uri'] },
    { required: ['service_id', 'uri'] },
    { required: ['plugins', 'uris'] },
    { required: ['upstream', 'uris'] },
    { required: ['upstream_id', 'uris'] },
    { required: ['service_id', 'uris'] },
    { required: ['script', 'uri'] },
    { required: ['script', 'uris'] },
  ],
  not: { anyOf: [{ required: ['script', 'plugins'] }, { required: ['script', 'plugin_config_id'] }] },
  additionalProperties: false,
}

export const route = defineKind({
  name: 'routes',
  noun: 'route',
  schemaName: 'route',
  schema,
  filters: ['service_id', 'upstream_id'],
  references: embeddedReferences,
  check,
  unsupported: embeddedUnsupported,
  seal: sealEmbedded,
  normalize: (value, context, id) => {
    const filled = normalizeEmbedded(withDefaults(schema, value), context)
    return { ...filled, ...lowerHosts(filled), id }
  },
})

function check(value: JsonObject, context: CheckContext): string | undefined {
  const { host, hosts, remote_addr, remote_addrs, vars } = value
  if (host !== undefined && hosts !== undefined) return 'only one of host or hosts is allowed'
  if (remote_addr !== undefined && remote_addrs !== undefined) {
    return 'only one of remote_addr or remote_addrs is allowed'
  }
  const addresses = remote_addr === undefined ? (remote_addrs ?? []) : [remote_addr]
  return addressFault(addresses as string[]) ?? embeddedFault(value, context) ?? varsFault(vars)
}

function lowerHosts({ host, hosts }: JsonObject): Record<string, Json> {
  if (typeof host === 'string') return { host: canonicalName(host) }
  return hosts === undefined ? {} : { hosts: (hosts as string[]).map(canonicalName) }
}
