/**
 * The words of api7/jsonschema for one fault, without the path to it. Clients and tests match on these texts, so they
 * are kept to the letter, Lua's spelling of types, numbers and quoted strings included.
 */
import type { ErrorObject } from 'ajv'
import type { Json, JsonSchema } from './json.ts'

/** `schema` and `value` are those that `error` is about. */
export function wordingOf(error: ErrorObject, schema: JsonSchema, value: Json): string {
  const params = error.params as Record<string, unknown>
  const limit = schema[error.keyword]
  switch (error.keyword) {
    case 'type':
      return `wrong type: expected ${expectedTypes(limit)}, got ${luaType(value)}`
    case 'required':
      return `property "${params['missingProperty']}" is required`
    case 'dependencies':
      return `property "${params['missingProperty']}" is required when "${params['property']}" is set`
    case 'additionalProperties':
      return `additional properties forbidden, found ${params['additionalProperty']}`
    case 'minProperties':
      return `expect object to have at least ${limit} properties`
    case 'maxProperties':
      return `expect object to have at most ${limit} properties`
    case 'minItems':
      return `expect array to have at least ${limit} items`
    case 'maxItems':
      return `expect array to have at most ${limit} items`
    case 'additionalItems':
      return 'found unexpected extra items in array'
    case 'uniqueItems':
      return equalItems(value as Json[])
    case 'minLength':
      return `string too short, expected at least ${limit}, got ${codePoints(value)}`
    case 'maxLength':
      return `string too long, expected at most ${limit}, got ${codePoints(value)}`
    case 'pattern':
      return `failed to match pattern ${luaQuote(String(limit))} with ${luaQuote(String(value))}`
    case 'minimum':
      return `expected ${luaNumber(value)} to be at least ${luaNumber(limit)}`
    case 'exclusiveMinimum':
      return `expected ${luaNumber(value)} to be greater than ${luaNumber(limit)}`
    case 'maximum':
      return `expected ${luaNumber(value)} to be at most ${luaNumber(limit)}`
    case 'exclusiveMaximum':
      return `expected ${luaNumber(value)} to be smaller than ${luaNumber(limit)}`
    case 'multipleOf':
      return `expected ${luaNumber(value)} to be a multiple of ${luaNumber(limit)}`
    case 'enum':
      return 'matches none of the enum values'
    case 'anyOf':
      return `object matches none of the required${requiredOf(limit as readonly JsonSchema[])}`
    case 'oneOf':
      return oneOf(params['passingSchemas'] as readonly number[] | null)
    case 'if':
      return `${params['failingKeyword']} clause did not match`
    case 'not':
      return "value wasn't supposed to match schema"
    case 'format':
      return `expect valid ${limit} address but got: ${value}`
    case 'const':
      return 'failed to check const value'
    case 'contains':
      return (value as Json[]).length === 0 ? 'check contains: empty array is invalid' : 'failed to check contains'
    case 'false schema':
      return 'expect false always'
    default:
      return error.message ?? `does not fit ${error.keyword}`
  }
}

function expectedTypes(type: unknown): string {
  return Array.isArray(type) ? `one of ${type.join(', ')}` : String(type)
}

/** JSON's null is a userdata in Lua; objects and arrays are one type. */
function luaType(value: Json): string {
  if (value === null) return 'userdata'
  return typeof value === 'object' ? 'table' : typeof value
}

/** Lua writes numbers with 14 significant digits, and an exponent from 1e+14 up. */
function luaNumber(value: unknown): string {
  const number = Number(value)
  if (Number.isInteger(number) && Math.abs(number) < 1e14) return String(number)
  const text = number.toPrecision(14)
  const [mantissa = text, exponent] = text.split('e')
  const short = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa
  return exponent === undefined ? short : `${short}e${exponent.replace(/^([+-])(\d)$/, '$10$2')}`
}

/** string.format's %q. */
function luaQuote(text: string): string {
  const escaped = text
    .replace(/["\\\n]/g, '\\$&')
    .replaceAll('\r', '\\r')
    .replaceAll('\0', '\\0')
  return `"${escaped}"`
}

function codePoints(value: Json): number {
  return [...String(value)].length
}

function requiredOf(alternatives: readonly JsonSchema[]): string {
  const lists = alternatives.flatMap((each) =>
    each['required'] === undefined ? [] : [JSON.stringify(each['required'])],
  )
  return lists.length > 0 ? `: ${lists.join(' or ')}` : ''
}

function oneOf(passing: readonly number[] | null): string {
  if (passing === null) return 'value should match only one schema, but matches none'
  const [first = 0, second = 0] = passing
  return `value should match only one schema, but matches both schemas ${first + 1} and ${second + 1}`
}

/** Scalars are compared while walking, objects and arrays afterwards: the pair found first that way is named. */
function equalItems(items: readonly Json[]): string {
  const told = (left: number, right: number) => `expected unique items but items ${left + 1} and ${right + 1} are equal`
  const scalars = new Map<Json, number>()
  for (const [at, item] of items.entries()) {
    if (item !== null && typeof item === 'object') continue
    const earlier = scalars.get(item)
    if (earlier !== undefined) return told(earlier, at)
    scalars.set(item, at)
  }
  const canonical = new Map<string, number[]>()
  for (const [at, item] of items.entries()) {
    if (item === null || typeof item !== 'object') continue
    const text = JSON.stringify(sorted(item))
    canonical.set(text, [...(canonical.get(text) ?? []), at])
  }
  const [left = 0, right = 0] = [...canonical.values()].find((places) => places.length > 1) ?? []
  return told(left, right)
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  )
}
