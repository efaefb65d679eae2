/**
 * The two ways of changing a stored value in place: merging an object into it, and replacing what stands at a path
 * below it. Both return a new value and leave their arguments alone.
 */
import type { Json, JsonObject } from '../base/json.ts'

/** Objects merge key by key, `null` removes the key, everything else (arrays too) replaces what was there. */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const merged: JsonObject = { ...target }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key]
    else if (isObject(value)) {
      const old = merged[key]
      merged[key] = mergePatch(isObject(old) ? old : {}, value)
    } else merged[key] = value
  }
  return merged
}

/**
 * Puts `value` at `path` (at least one segment), making the objects that are missing on the way. Undefined when the
 * way leads through something that is not an object.
 */
export function replaceAt(target: JsonObject, path: readonly string[], value: Json): JsonObject | undefined {
  const root: JsonObject = { ...target }
  let here = root
  for (const segment of path.slice(0, -1)) {
    const next = here[segment]
    if (next !== undefined && !isObject(next)) return undefined
    const copy: JsonObject = next === undefined ? {} : { ...next }
    here[segment] = copy
    here = copy
  }
  here[path.at(-1) as string] = value
  return root
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
