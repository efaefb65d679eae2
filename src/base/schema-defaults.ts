/**
 * Fills in the defaults of a JSON Schema as APISIX's validator does: also inside the alternative of `anyOf`, `oneOf`
 * and `if` that the value takes, which Ajv's own `useDefaults` leaves alone. It validates nothing itself.
 */
import type { Json, JsonObject, JsonSchema } from './json.ts'

type Matches = (schema: JsonSchema, value: Json) => boolean
/** Changes and returns `value`. */
type Fill = (schema: JsonSchema, value: Json) => Json

/** `matches` says whether a value is valid; it is asked only about alternatives that contain a default. */
export function createDefaults(matches: Matches): Fill {
  const takes: Matches = (schema, value) => matches(schema, fill(schema, structuredClone(value)))

  function fill(schema: JsonSchema, value: Json): Json {
    if (!isSchema(schema) || !hasDefaults(schema)) return value
    if (Array.isArray(value)) fillItems(schema, value)
    else if (value !== null && typeof value === 'object') fillProperties(schema, value)
    fillAlternatives(schema, value)
    return value
  }

  function fillProperties(schema: JsonSchema, value: JsonObject): void {
    const properties = (schema['properties'] ?? {}) as Record<string, JsonSchema>
    for (const [name, property] of Object.entries(properties)) {
      if (Object.hasOwn(value, name)) fill(property, value[name] as Json)
      else if (isSchema(property) && property['default'] !== undefined) {
        value[name] = structuredClone(property['default']) as Json
      }
    }
    for (const [name, dependency] of Object.entries((schema['dependencies'] ?? {}) as Record<string, JsonSchema>)) {
      if (Object.hasOwn(value, name) && !Array.isArray(dependency)) fill(dependency, value)
    }
    const patterns = Object.entries((schema['patternProperties'] ?? {}) as Record<string, JsonSchema>)
    const others = schema['additionalProperties']
    if (patterns.length === 0 && !isSchema(others)) return
    for (const [name, member] of Object.entries(value)) {
      const fitting = patterns.filter(([pattern]) => new RegExp(pattern).test(name))
      for (const [, subschema] of fitting) fill(subschema, member)
      if (fitting.length === 0 && isSchema(others) && !Object.hasOwn(properties, name)) fill(others, member)
    }
  }

  function fillItems(schema: JsonSchema, value: Json[]): void {
    const items = schema['items']
    const tuple = Array.isArray(items)
    if (!tuple && !isSchema(items)) return
    for (const [at, item] of value.entries()) {
      const subschema = tuple ? items[at] : items
      if (isSchema(subschema)) fill(subschema, item)
    }
  }

  function fillAlternatives(schema: JsonSchema, value: Json): void {
    for (const part of schemasIn(schema['allOf'])) fill(part, value)
    for (const keyword of ['anyOf', 'oneOf']) {
      const alternatives = schemasIn(schema[keyword])
      if (!alternatives.some(hasDefaults)) continue
      const taken = alternatives.find((alternative) => takes(alternative, value))
      if (taken !== undefined) fill(taken, value)
    }
    const condition = schema['if']
    if (!isSchema(condition)) return
    const branch = takes(condition, value) ? [condition, schema['then']] : [schema['else']]
    for (const part of branch) if (isSchema(part)) fill(part, value)
  }

  return fill
}

const known = new WeakMap<object, boolean>()

/** Whether a default stands anywhere below; spares the work, and the compiling, where none does. */
function hasDefaults(schema: unknown): boolean {
  if (schema === null || typeof schema !== 'object') return false
  let answer = known.get(schema)
  if (answer === undefined) {
    answer = Object.hasOwn(schema, 'default') || Object.values(schema).some(hasDefaults)
    known.set(schema, answer)
  }
  return answer
}

function isSchema(value: unknown): value is JsonSchema {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function schemasIn(value: unknown): readonly JsonSchema[] {
  return Array.isArray(value) ? value.filter(isSchema) : []
}
