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

const compiled = new WeakMap<JsonSchema, CompiledSchema>()
const validators = new WeakMap<object, ValidateFunction>()
let shared: Ajv | undefined

/**
 * Cheap to call, also repeatedly with one schema: nothing is compiled before the first `check`. Schemas must not be
 * changed afterwards.
 */
export function compileSchema(schema: JsonSchema): CompiledSchema {
  let known = compiled.get(schema)
  if (known === undefined) {
    known = {
      check: (value) => {
        const whole = fillDefaults(schema, structuredClone(value))
        const validate = validatorOf(schema)
        if (validate(whole)) return undefined
        return firstFault(schema, whole, validate.errors ?? [])
      },
      withDefaults: (value) => fillDefaults(schema, structuredClone(value)),
    }
    compiled.set(schema, known)
  }
  return known
}

const fillDefaults = createDefaults((schema, value) => validatorOf(schema)(value))

function validatorOf(schema: JsonSchema): ValidateFunction {
  let validate = validators.get(schema)
  if (validate === undefined) {
    validate = ajv().compile(schema)
    validators.set(schema, validate)
  }
  return validate
}

function ajv(): Ajv {
  // allErrors: the first fault in APISIX's order is often not the first that Ajv meets.
  // ownProperties: a resource may have a field called `constructor`, and lacks one it does not name.
  // unicodeRegExp off: patterns are written for PCRE, which lets `\-` and `\_` stand.
  shared ??= new Ajv({
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
  return shared
}
