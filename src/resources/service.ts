/** Services: an upstream and plugins that several routes and stream routes share. How they merge is decided elsewhere. */
import type { JsonObject, JsonSchema } from '../base/json.ts'
import { canonicalName, hostsSchema } from './address-schema.ts'
import { describedSchema, idSchema, pluginsSchema } from './common-fields.ts'
import { defineKind, withDefaults } from './define-kind.ts'
import {
  embeddedFault,
  embeddedReferences,
  embeddedUnsupported,
  normalizeEmbedded,
  sealEmbedded,
} from './embedded-upstream.ts'
import type { UpstreamValue } from './upstream.ts'
import { upstreamSchema } from './upstream-schema.ts'

/** A service in its normal form. */
export interface ServiceValue {
  readonly id: string
  readonly name?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly upstream_id?: string
  readonly upstream?: UpstreamValue
  readonly plugins?: Readonly<Record<string, JsonObject>>
  /** Lower case. */
  readonly hosts?: readonly string[]
  readonly enable_websocket?: boolean
}

const schema: JsonSchema = {
  type: 'object',
  properties: {
    ...describedSchema,
    plugins: pluginsSchema,
    upstream: upstreamSchema,
    upstream_id: idSchema,
    script: { type: 'string', minLength: 10, maxLength: 102400 },
    enable_websocket: { description: 'enable websocket for request', type: 'boolean' },
    hosts: hostsSchema,
  },
  additionalProperties: false,
}

export const service = defineKind({
  name: 'services',
  noun: 'service',
  schemaName: 'service',
  schema,
  references: embeddedReferences,
  check: embeddedFault,
  unsupported: embeddedUnsupported,
  seal: sealEmbedded,
  normalize: (value, context, id) => {
    const filled = normalizeEmbedded(withDefaults(schema, value), context)
    const hosts = filled['hosts'] as string[] | undefined
    return { ...filled, ...(hosts === undefined ? {} : { hosts: hosts.map(canonicalName) }), id }
  },
})
