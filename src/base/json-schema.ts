/**
 * JSON Schemas (draft-07, as far as APISIX uses it) that answer with one message, in the words that APISIX's clients
 * know. Ajv decides what is valid; which fault is told first, and how, is `schema-fault.ts`.
 */
import { Ajv, type ValidateFunction } from 'ajv'
import { isAddress } from './ip-set.ts'
import type { Json, JsonSchema } from './json.ts'
import { createDefaults } from './schema-defaults.ts'
import { firstFault } from './schema-fault.ts'

export interface CompiledSchema {
  /** The message of the first fault; undefined: the value is valid. Defaults count as present. */
  check(value: Json): string | undefined
  /** A copy of a valid value in which everything absent that has a default has it. */
  withDefaults(value: Json): Json
}

type ValidatorOf = (schema: JsonSchema) => ValidateFunction

const compiled = new WeakMap<JsonSchema, CompiledSchema>()
let shared: ValidatorOf | undefined

/**
 * Cheap to call, also repeatedly with one schema: nothing is compiled before the first `check`. Schemas must not be
 * changed afterwards, and stay in memory: they are part of the program.
 */
export function compileSchema(schema: JsonSchema): CompiledSchema {
  let known = compiled.get(schema)
  if (known === undefined) {
    known = compiledBy(schema, (part) => {
      shared ??= validators()
      return shared(part)
    })
    compiled.set(schema, known)
  }
  return known
}

/** Compiles a schema that somebody configured, of draft-07; it is forgotten with the result. Throws when it is none. */
export function compileGivenSchema(schema: JsonSchema): CompiledSchema {
  // Which draft it says it is of is not known here: what matters is whether it can be read as this one.
  const { $schema: _draft, ...rest } = schema
  const validatorOf = validators()
  validatorOf(rest)
  return compiledBy(rest, validatorOf)
}

function compiledBy(schema: JsonSchema, validatorOf: ValidatorOf): CompiledSchema {
  const fillDefaults = createDefaults((part, value) => validatorOf(part)(value))
  return {
    check: (value) => {
      const whole = fillDefaults(schema, structuredClone(value))
      const validate = validatorOf(schema)
      if (validate(whole)) return undefined
      return firstFault(schema, whole, validate.errors ?? [])
    },
    withDefaults: (value) => fillDefaults(schema, structuredClone(value)),
  }
}

function validators(): ValidatorOf {
  const known = new WeakMap<object, ValidateFunction>()
  const ajv = makeAjv()
  return (schema) => {
    let validate = known.get(schema)
    if (validate === undefined) {
      validate = ajv.compile(schema)
      known.set(schema, validate)
    }
    return validate
  }
}

function makeAjv(): Ajv {
  // allErrors: the first fault in APISIX's order is often not the first that Ajv meets.
  // ownProperties: a resource may have a field called `constructor`, and lacks one it does not name.
  // unicodeRegExp off: patterns are written for PCRE, which lets `\-` and `\_` stand.
  return new Ajv({
    allErrors: true,
    ownProperties: true,
    strict: false,
    unicodeRegExp: false,
    logger: false,
    formats: {
      ipv4: (text: string) => !text.includes(':') && isAddress(text),
      ipv6: (text: string) => text.includes(':') && isAddress(text),
    },
  })
}
