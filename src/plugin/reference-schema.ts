/** Schemas as they are for values whose texts may refer to secrets: each text of the schema may be a reference instead. */
import type { JsonSchema } from '../base/json.ts'
import { referenceSchema } from '../resources/secret-reference.ts'

const opened = new WeakMap<JsonSchema, JsonSchema>()

/** The same object for the same schema. It is for telling valid from invalid: its messages are not for people. */
export function openToReferences(schema: JsonSchema): JsonSchema {
  let open = opened.get(schema)
  if (open === undefined) {
    open = rewrite(schema) as JsonSchema
    opened.set(schema, open)
  }
  return open
}

/** Keywords whose members are data, or names and not schemas. */
const literal = new Set(['default', 'enum', 'const', 'required', 'examples', 'encrypt_fields', 'description'])

function rewrite(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rewrite)
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).map(([key, member]) => [key, literal.has(key) ? member : rewrite(member)])
  const whole = Object.fromEntries(entries) as JsonSchema
  return speaksOfText(whole) ? { anyOf: [referenceSchema, whole] } : whole
}

function speaksOfText(schema: JsonSchema): boolean {
  const { type } = schema
  if (type === 'string' || (Array.isArray(type) && type.includes('string'))) return true
  return (
    type === undefined &&
    ['pattern', 'minLength', 'maxLength'].some(
      (key) => typeof schema[key] === 'number' || typeof schema[key] === 'string',
    )
  )
}
