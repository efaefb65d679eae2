/**
 * Turns Ajv's list of errors into the one message that APISIX's validator (api7/jsonschema) would give: its words and
 * its order, which is by keyword and depth first. It validates nothing.
 */
import type { ErrorObject } from 'ajv'
import type { Json, JsonObject, JsonSchema } from './json.ts'
import { wordingOf } from './schema-wording.ts'

/**
 * Where an error stands in the order of checks: three numbers a level, namely the keyword's group, then the place of
 * the member that it is about. The least comes first.
 */
type Place = readonly number[]
interface Fault {
  readonly place: Place
  readonly message: string
}

// What the validator looks at, in this order; `properties`, `required` and `dependencies` are one walk.
const order = [
  ['type', 'false schema'],
  ['properties', 'required', 'dependencies'],
  ['patternProperties', 'additionalProperties'],
  ['minProperties'],
  ['maxProperties'],
  ['minItems'],
  ['maxItems'],
  ['items', 'additionalItems'],
  ['uniqueItems'],
  ['minLength'],
  ['maxLength'],
  ['pattern'],
  ['minimum'],
  ['exclusiveMinimum'],
  ['maximum'],
  ['exclusiveMaximum'],
  ['multipleOf'],
  ['enum'],
  ['allOf'],
  ['anyOf'],
  ['oneOf'],
  ['if'],
  ['not'],
  ['propertyNames'],
  ['format'],
  ['const'],
  ['contains'],
]
const groups = new Map(order.flatMap((keywords, group) => keywords.map((keyword) => [keyword, group] as const)))
// Faults inside these are told by the keyword itself, in one sentence.
const opaque = new Set(['anyOf', 'oneOf', 'if', 'then', 'else', 'not', 'propertyNames', 'contains'])
const last = Number.MAX_SAFE_INTEGER

/** `errors` are all that Ajv found in `value`; there is at least one. */
export function firstFault(schema: JsonSchema, value: Json, errors: readonly ErrorObject[]): string {
  let first: Fault | undefined
  for (const error of errors) {
    const fault = readError(schema, value, error)
    if (fault !== undefined && (first === undefined || before(fault.place, first.place))) first = fault
  }
  return first?.message ?? errors[0]?.message ?? 'invalid value'
}

function before(left: Place, right: Place): boolean {
  for (let at = 0; at < left.length && at < right.length; at++) {
    const difference = (left[at] as number) - (right[at] as number)
    if (difference !== 0) return difference < 0
  }
  return false
}

/** Walks schema and value down to the error; undefined: it lies inside an alternative, which is told as a whole. */
function readError(root: JsonSchema, rootValue: Json, error: ErrorObject): Fault | undefined {
  const keywords = error.schemaPath.split('/').slice(1).map(unescapeFragment)
  const members = error.instancePath.split('/').slice(1).map(unescapePointer)
  const place: number[] = []
  let prefix = ''
  let schema: JsonSchema = root
  let value: Json = rootValue
  for (let at = 0; at < keywords.length; ) {
    const keyword = keywords[at] as string
    const isTerminal = at === keywords.length - 1 || (keyword === 'dependencies' && error.keyword === 'dependencies')
    if (isTerminal) {
      place.push(groups.get(keyword) ?? order.length, ...placeOfMember(schema, value, error))
      return { place, message: prefix + wordingOf(error, schema, value) }
    }
    if (opaque.has(keyword)) return undefined
    const step = descend(schema, value, keyword, keywords[at + 1] as string, members)
    place.push(groups.get(keyword) ?? order.length, step.member, step.detail)
    prefix += step.prefix
    schema = step.schema
    value = step.value
    at += step.keywords
  }
  return undefined
}

interface Step {
  readonly schema: JsonSchema
  readonly value: Json
  readonly prefix: string
  /** How many segments of the schema's path it takes. */
  readonly keywords: number
  readonly member: number
  readonly detail: number
}

/** One level down; takes the first of `members` where the keyword leads into a member of the value. */
function descend(schema: JsonSchema, value: Json, keyword: string, name: string, members: string[]): Step {
  const below = schema[keyword] as JsonSchema & Record<string, JsonSchema>
  const into = (member: string) => (value as JsonObject)[member] as Json
  switch (keyword) {
    case 'properties':
      members.shift()
      return {
        schema: below[name] as JsonSchema,
        value: into(name),
        prefix: `property "${name}" validation failed: `,
        keywords: 2,
        member: Object.keys(below).indexOf(name),
        detail: 0,
      }
    case 'patternProperties': {
      const member = members.shift() as string
      const detail = Object.keys(below).indexOf(name)
      const prefix = `failed to validate ${member} (matching "${name}"): `
      return {
        schema: below[name] as JsonSchema,
        value: into(member),
        prefix,
        keywords: 2,
        member: indexIn(value, member),
        detail,
      }
    }
    case 'additionalProperties': {
      const member = members.shift() as string
      const prefix = `failed to validate additional property ${member}: `
      return { schema: below, value: into(member), prefix, keywords: 1, member: indexIn(value, member), detail: last }
    }
    case 'items':
    case 'additionalItems': {
      const index = Number(members.shift())
      const tuple = Array.isArray(below)
      const prefix = `failed to validate ${keyword === 'items' ? '' : 'additional '}item ${index + 1}: `
      const item = (value as Json[])[index] as Json
      const itemSchema = tuple ? (below[Number(name)] as JsonSchema) : below
      return { schema: itemSchema, value: item, prefix, keywords: tuple ? 2 : 1, member: index, detail: 0 }
    }
    case 'dependencies': {
      const prefix = `failed to validate dependent schema for "${name}": `
      const member = placeOfProperty(schema, name)
      return { schema: below[name] as JsonSchema, value, prefix, keywords: 2, member, detail: 1 }
    }
    default: {
      const index = Number(name)
      const prefix = `${keyword} ${index + 1} failed: `
      return { schema: below[index] as unknown as JsonSchema, value, prefix, keywords: 2, member: index, detail: 0 }
    }
  }
}

/** Place within the group of an error that is about one member of an object. */
function placeOfMember(schema: JsonSchema, value: Json, error: ErrorObject): readonly number[] {
  const params = error.params as Record<string, string>
  switch (error.keyword) {
    case 'required':
      return [placeOfProperty(schema, params['missingProperty'] as string), 0]
    case 'dependencies':
      return [placeOfProperty(schema, params['property'] as string), 1]
    case 'additionalProperties':
      return [indexIn(value, params['additionalProperty'] as string), last]
    default:
      return [0, 0]
  }
}

/** Declared properties are walked first, then what is only required. */
function placeOfProperty(schema: JsonSchema, name: string): number {
  const declared = Object.keys((schema['properties'] ?? {}) as object)
  const at = declared.indexOf(name)
  if (at >= 0) return at
  const required = (schema['required'] ?? []) as readonly string[]
  const among = required.indexOf(name)
  return declared.length + (among >= 0 ? among : required.length)
}

function indexIn(value: Json, member: string): number {
  return Object.keys(value as JsonObject).indexOf(member)
}

function unescapePointer(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~')
}

function unescapeFragment(segment: string): string {
  return unescapePointer(decodeURIComponent(segment))
}
