/**
 * Texts that stand for a secret: `$env://NAME` is read from the environment, `$secret://…` would need a secret manager,
 * which this version does not talk to. It reads no environment itself: how to look up a name is handed in.
 */
import type { Json, JsonObject, JsonSchema } from '../base/json.ts'

export type Environment = (name: string) => string | undefined

const anyReference = /^\$(secret|env|ENV):\/\//
const environmentReference = /^\$(?:env|ENV):\/\/([^/]+)(?:\/(.+))?$/

export const referenceSchema: JsonSchema = { type: 'string', pattern: '^\\$(secret|env|ENV)://' }

/** PEM text of `minLength` to 65536 characters, or a reference to it. */
export function pemSchema(minLength: number): JsonSchema {
  const text = { type: 'string', minLength, maxLength: 64 * 1024, not: { pattern: referenceSchema['pattern'] } }
  return { oneOf: [text, referenceSchema] }
}

export function isReference(text: string): boolean {
  return anyReference.test(text)
}

/**
 * What a text stands for: itself, or the environment variable (or the field of the JSON object in it,
 * `$env://NAME/field`) that it names. Undefined: there is no such variable or field, or it needs a secret manager.
 */
export function resolveReference(text: string, environment: Environment): string | undefined {
  if (!isReference(text)) return text
  const [, name, field] = environmentReference.exec(text) ?? []
  const found = name === undefined ? undefined : environment(name)
  if (found === undefined || field === undefined) return found
  try {
    const value: unknown = (JSON.parse(found) as JsonObject)[field]
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

/** A copy with every reference that can be resolved replaced; the others stay as they are written. */
export function resolveReferences(value: Json, environment: Environment): Json {
  if (typeof value === 'string') return resolveReference(value, environment) ?? value
  if (Array.isArray(value)) return value.map((item) => resolveReferences(item, environment))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, resolveReferences(member, environment)]),
  )
}

/** Some text in it is a reference. */
export function hasReference(value: Json): boolean {
  if (typeof value === 'string') return isReference(value)
  if (value === null || typeof value !== 'object') return false
  return Object.values(value).some(hasReference)
}

/** Where the first `$secret://` stands below `path`, for a message. */
export function findSecretReference(value: Json | undefined, path: string): string | undefined {
  if (typeof value === 'string') return value.startsWith('$secret://') ? path : undefined
  if (value === undefined || value === null || typeof value !== 'object') return undefined
  for (const [name, member] of Object.entries(value)) {
    const found = findSecretReference(member, path === '' ? name : `${path}.${name}`)
    if (found !== undefined) return found
  }
  return undefined
}

/** The sentence for what `findSecretReference` found. */
export function secretReferenceRefusal(value: Json | undefined, path: string): string | undefined {
  const found = findSecretReference(value, path)
  return found === undefined ? undefined : `${found}: references to secret managers are not built in this version`
}
