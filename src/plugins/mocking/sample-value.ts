/** Values made up by a schema: its examples where there are any, else by chance. It knows objects, lists and plain types. */
import { randomInt } from 'node:crypto'
import type { Json, JsonObject } from '#sdk'

/** Lists in lists multiply: what is made up must stay small. */
const maxDepth = 8
const letters = 'abcdefghijklmnopqrstuvwxyz'
const maxLetters = 10
const maxItems = 3
const greatest = 10_000

/** Why nothing can be made up by this schema. */
export function sampleFault(schema: JsonObject, path = 'response_schema', depth = 0): string | undefined {
  if (depth > maxDepth) return `${path}: nested deeper than ${maxDepth} levels`
  for (const [name, member] of Object.entries(objectOf(schema['properties']) ?? {})) {
    const fault = memberFault(member, `${path}.properties.${name}`, depth)
    if (fault !== undefined) return fault
  }
  return schema['items'] === undefined ? undefined : memberFault(schema['items'], `${path}.items`, depth)
}

function memberFault(member: Json, path: string, depth: number): string | undefined {
  const schema = objectOf(member)
  if (schema === undefined) return `${path}: not an object`
  if (typeof schema['type'] !== 'string') return `${path}: type is missing`
  return sampleFault(schema, path, depth + 1)
}

/** The schema is one of an object, and has no fault. */
export function sampleObject(schema: JsonObject): JsonObject {
  const made: [string, Json][] = []
  for (const [name, member] of Object.entries(objectOf(schema['properties']) ?? {})) {
    const value = sampleOf(member as JsonObject)
    if (value !== undefined) made.push([name, value])
  }
  return Object.fromEntries(made)
}

function sampleOf(schema: JsonObject): Json | undefined {
  const { example } = schema
  switch (String(schema['type']).toLowerCase()) {
    case 'object':
      return sampleObject(schema)
    case 'array':
      return sampleList(objectOf(schema['items']))
    case 'string':
      return typeof example === 'string' ? example : sampleText()
    case 'number':
      return typeof example === 'number' ? example : Math.random() * greatest
    case 'integer':
      return typeof example === 'number' ? Math.floor(example) : randomInt(1, greatest + 1)
    case 'boolean':
      return typeof example === 'boolean' ? example : randomInt(2) === 1
    default:
      return undefined
  }
}

function sampleList(items: JsonObject | undefined): Json | undefined {
  if (items === undefined) return undefined
  const list: Json[] = []
  for (let count = randomInt(1, maxItems + 1); count > 0; count--) {
    const value = sampleOf(items)
    if (value !== undefined) list.push(value)
  }
  return list
}

function sampleText(): string {
  return Array.from({ length: randomInt(1, maxLetters + 1) }, () => letters[randomInt(letters.length)]).join('')
}

function objectOf(json: Json | undefined): JsonObject | undefined {
  return json === null || typeof json !== 'object' || Array.isArray(json) ? undefined : json
}
