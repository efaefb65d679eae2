/** Schemas of the fields that several kinds of resource have. Limits are APISIX's. */
import type { JsonSchema } from '../base/json.ts'

export const idSchema: JsonSchema = {
  anyOf: [
    { type: 'string', minLength: 1, maxLength: 64, pattern: '^[a-zA-Z0-9-_.]+$' },
    { type: 'integer', minimum: 1 },
  ],
}

export const nameSchema: JsonSchema = { type: 'string', minLength: 1, maxLength: 256 }
export const descSchema: JsonSchema = { type: 'string', maxLength: 256 }

export const labelsSchema: JsonSchema = {
  description: 'key/value pairs to specify attributes',
  type: 'object',
  patternProperties: {
    '.*': { description: 'value of label', type: 'string', pattern: '^\\S+$', maxLength: 256, minLength: 1 },
  },
}

/** Written by the Admin API, in seconds since 1970. */
export const timesSchema = { create_time: { type: 'integer' }, update_time: { type: 'integer' } } as const

/** Each plugin's own part is checked by the plugin. */
export const pluginsSchema: JsonSchema = { type: 'object' }

/** Seconds; replaces another `timeout` as a whole. */
export const timeoutSchema: JsonSchema = {
  type: 'object',
  properties: {
    connect: { type: 'number', exclusiveMinimum: 0 },
    send: { type: 'number', exclusiveMinimum: 0 },
    read: { type: 'number', exclusiveMinimum: 0 },
  },
  required: ['connect', 'send', 'read'],
}

export interface TimeoutValue {
  readonly connect: number
  readonly send: number
  readonly read: number
}

/** The fields that nearly every kind has: `id`, `name`, `desc`, `labels` and the times. */
export const describedSchema = {
  id: idSchema,
  name: nameSchema,
  desc: descSchema,
  labels: labelsSchema,
  ...timesSchema,
} as const
