/**
 * What a variable may hold. Nearly all are text; what was read out of a body may be a number, a truth value or a list. Hash
 * keys, templates and logs take the text of it, expressions the value itself.
 */

export type Scalar = string | number | boolean
/** Undefined: it is not set. */
export type VariableValue = Scalar | readonly Scalar[] | undefined

/** A list as JSON, everything else as it is written. */
export function textOfValue(value: VariableValue): string | undefined {
  if (typeof value === 'string' || value === undefined) return value
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
