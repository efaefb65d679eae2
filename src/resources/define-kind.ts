/** Completes the declaration of a resource kind with what holds for most of them. It keeps no list of kinds. */
import type { Json, JsonObject, JsonSchema } from '../base/json.ts'
import { compileSchema } from '../base/json-schema.ts'
import type { Reference, ResourceKind } from './kind.ts'

type Method = 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'
const allMethods: readonly Method[] = ['GET', 'PUT', 'POST', 'PATCH', 'DELETE']

type Required = Pick<ResourceKind, 'name' | 'noun' | 'schemaName' | 'schema'>
type Parts = Required & Partial<Omit<ResourceKind, 'methods'>> & { readonly without?: readonly Method[] }

/**
 * What is left out is: id from URL or body, times kept, no parent, no filters, no references, no checks, nothing
 * unsupported, no secrets, and a normalised form with defaults filled in and the id as text.
 */
export function defineKind({ without = [], ...parts }: Parts): ResourceKind {
  return {
    methods: new Set(allMethods.filter((method) => !without.includes(method))),
    idFrom: 'id',
    times: true,
    parent: undefined,
    filters: [],
    references: () => [],
    check: () => undefined,
    unsupported: () => undefined,
    seal: (value) => value,
    show: (value) => value,
    normalize: (value, _context, id) => ({
      ...withDefaults(parts.schema, value),
      id: id.slice(id.lastIndexOf('/') + 1),
    }),
    ...parts,
  }
}

/** A copy of an object that fits `schema`, with the defaults filled in. */
export function withDefaults(schema: JsonSchema, value: JsonObject): JsonObject {
  return compileSchema(schema).withDefaults(value) as JsonObject
}

/** Numbers may stand for ids; everything below compares texts. */
export function idText(id: Json | undefined): string | undefined {
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined
}

/** The references that `fields` (name → kind) of a value make, ids as text. */
export function referencesIn(value: JsonObject, fields: Readonly<Record<string, string>>): Reference[] {
  return Object.entries(fields).flatMap(([path, kind]) => {
    const id = idText(value[path])
    return id === undefined ? [] : [{ kind, id, path }]
  })
}

/** A copy in which those of `fields` that are there are text. */
export function idsAsText(value: JsonObject, fields: readonly string[]): JsonObject {
  const copy = { ...value }
  for (const field of fields) {
    const id = idText(value[field])
    if (id !== undefined) copy[field] = id
  }
  return copy
}
