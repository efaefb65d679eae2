/**
 * Expressions over variables, in the form of lua-resty-expr: route `vars`, `_meta.filter`, matches of plugins. Compiled
 * once; evaluating parses nothing. Operators live in `condition.ts`.
 */
import type { Json } from '../base/json.ts'
import { compileTest, isOperator, type Value } from './condition.ts'

export type { Value } from './condition.ts'

/** Gives a variable's value by its name without `$`. */
export type ValueLookup = (name: string) => Value

export interface Expression {
  /** The variables in it, each once. */
  readonly names: readonly string[]
  evaluate(lookup: ValueLookup): boolean
}

type Predicate = (lookup: ValueLookup) => boolean

/** Where names are gathered while one expression is compiled. */
type Names = Set<string>

/** Deeper than anyone writes; keeps the recursion of compiling and evaluating bounded. */
const maxDepth = 64

/** Throws an Error whose message is the reason alone, as APISIX words it where it has a word for it. */
export function compileExpression(json: unknown): Expression {
  if (!Array.isArray(json)) throw new Error('rule should be a table')
  const names: Names = new Set()
  const evaluate = compileGroup(json as Json[], 0, names)
  return { names: [...names], evaluate }
}

/** The reason why this is no expression; undefined when it is one. */
export function checkExpression(json: unknown): string | undefined {
  try {
    compileExpression(json)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** `[]`, a list of conditions or groups of which all must hold, or `[logic, operand, …]`. */
function compileGroup(group: readonly Json[], depth: number, names: Names): Predicate {
  if (depth > maxDepth) throw new Error(`rule is nested deeper than ${maxDepth} levels`)
  const [head, ...rest] = group
  if (typeof head !== 'string') return allOf(group.map((operand) => compileOperand(operand, depth, names)))
  const combine = Object.hasOwn(logic, head.toUpperCase()) ? logic[head.toUpperCase()] : undefined
  if (combine === undefined) throw new Error('rule should be wrapped inside brackets')
  if (rest.length < 2) throw new Error('rule too short')
  return combine(rest.map((operand) => compileOperand(operand, depth, names)))
}

/** A condition starts with a variable's name, anything else is a group. */
function compileOperand(operand: Json, depth: number, names: Names): Predicate {
  if (!Array.isArray(operand)) throw new Error('rule should be wrapped inside brackets')
  const [head, second] = operand
  const isLogic = typeof head === 'string' && Object.hasOwn(logic, head.toUpperCase()) && Array.isArray(second)
  return typeof head === 'string' && !isLogic
    ? compileCondition(operand, names)
    : compileGroup(operand, depth + 1, names)
}

/** `[v, op, value]`, `[v, "!", op, value]`, `[v, value]` for equality, or `[v, op]` with nothing on the right. */
function compileCondition(condition: readonly Json[], names: Names): Predicate {
  const name = variableName(condition[0] as string)
  names.add(name)
  switch (condition.length) {
    case 2: {
      const second = condition[1] as Json
      const test = isOperator(second) ? compileTest(second, null) : compileTest('==', second)
      return (lookup) => test(lookup(name))
    }
    case 3: {
      const test = compileTest(condition[1] as Json, condition[2] as Json)
      return (lookup) => test(lookup(name))
    }
    case 4: {
      if (condition[1] !== '!') throw new Error("bad 'not' expression")
      const test = compileTest(condition[2] as Json, condition[3] as Json)
      return (lookup) => !test(lookup(name))
    }
    default:
      throw new Error(condition.length < 2 ? 'rule too short' : 'rule too long')
  }
}

/** Header names are folded as nginx folds them; all other names are taken as written. */
function variableName(name: string): string {
  return /^http_/i.test(name) ? name.toLowerCase().replaceAll('-', '_') : name
}

function allOf(operands: readonly Predicate[]): Predicate {
  const [only] = operands
  if (operands.length === 1 && only !== undefined) return only
  return (lookup) => {
    for (const operand of operands) if (!operand(lookup)) return false
    return true
  }
}

function anyOf(operands: readonly Predicate[]): Predicate {
  return (lookup) => {
    for (const operand of operands) if (operand(lookup)) return true
    return false
  }
}

function not(predicate: Predicate): Predicate {
  return (lookup) => !predicate(lookup)
}

const logic: Readonly<Record<string, (operands: readonly Predicate[]) => Predicate>> = {
  AND: allOf,
  OR: anyOf,
  '!AND': (operands) => not(allOf(operands)),
  '!OR': (operands) => not(anyOf(operands)),
}
