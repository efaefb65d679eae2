/**
 * Whether an expression (`vars`, `_meta.filter`, a traffic-split `match`) is well formed, in the words of
 * lua-resty-expr. It evaluates nothing.
 */
import type { Json } from '../base/json.ts'
import { compileJsonPath } from '../base/json-path.ts'
import { compilePattern } from '../base/pattern.ts'
import { addressFault } from './address-schema.ts'

const logic = new Set(['OR', 'AND', '!OR', '!AND'])
const operators = new Set(['==', '~=', '>', '>=', '<', '<=', '~~', '~*', 'in', 'has', 'ipmatch'])
// Far above what anybody writes; without it a body of nothing but brackets would overflow the stack.
const maxDepth = 64

/** The message of the first fault; undefined: the expression is well formed. */
export function expressionFault(expression: Json[]): string | undefined {
  const [first] = expression
  if (first === undefined) return undefined
  if (!Array.isArray(first) && !isLogic(first)) return 'rule should be wrapped inside brackets'
  return ruleFault(expression, 0)
}

/** The same as Admin API clients see it. */
export function varsFault(expression: Json | undefined): string | undefined {
  if (!Array.isArray(expression)) return undefined
  const fault = expressionFault(expression)
  return fault === undefined ? undefined : `failed to validate the 'vars' expression: ${fault}`
}

function isLogic(value: Json): boolean {
  return typeof value === 'string' && logic.has(value.toUpperCase())
}

function ruleFault(rule: Json, depth: number): string | undefined {
  if (depth > maxDepth) return `nested more than ${maxDepth} levels deep`
  if (!Array.isArray(rule)) return 'invalid expression'
  const [first] = rule
  if (first === undefined) return 'rule too short'
  if (Array.isArray(first)) return firstOf(rule, depth)
  if (!isLogic(first)) return conditionFault(rule)
  return rule.length <= 2 ? 'rule too short' : firstOf(rule.slice(1), depth)
}

function firstOf(rules: readonly Json[], depth: number): string | undefined {
  for (const rule of rules) {
    const fault = ruleFault(rule, depth + 1)
    if (fault !== undefined) return fault
  }
  return undefined
}

function conditionFault(condition: readonly Json[]): string | undefined {
  if (condition.length === 4 && condition[1] !== '!') return "bad 'not' expression"
  const [name, operator, right] = condition.length === 4 ? [condition[0], condition[2], condition[3]] : condition
  if (typeof name !== 'string' || operator === undefined) return 'invalid expression'
  const inName = nameFault(name)
  if (inName !== undefined) return inName
  const known = typeof operator === 'string' ? operator.toLowerCase() : ''
  if (!operators.has(known)) {
    // [name, value] is `==`, for compatibility.
    return right === undefined ? undefined : `invalid operator '${text(operator)}'`
  }
  if (known === 'ipmatch') return addressesFault(right)
  return known === '~~' || known === '~*' ? patternFault(right) : undefined
}

function addressesFault(right: Json | undefined): string | undefined {
  const list = Array.isArray(right) ? right : [right]
  if (right === undefined || right === null || right === '' || list.length === 0) return 'invalid ip address'
  const notText = list.find((address) => typeof address !== 'string')
  return notText === undefined ? addressFault(list as string[]) : `invalid ip address: ${text(notText)}`
}

/** Look-around and back-references, whose running time nobody can bound, are named as what they are. */
function patternFault(right: Json | undefined): string | undefined {
  if (typeof right !== 'string') return 'invalid regular expression: a text is needed'
  return reasonOf(() => compilePattern(right, false))
}

/** Of the variables only those have a form of their own that look into a body by a path. */
function nameFault(name: string): string | undefined {
  return name.startsWith('post_arg.') ? reasonOf(() => compileJsonPath(name.slice('post_arg.'.length))) : undefined
}

function reasonOf(compile: () => unknown): string | undefined {
  try {
    compile()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

function text(value: Json): string {
  return typeof value === 'string' ? value.toLowerCase() : JSON.stringify(value)
}
