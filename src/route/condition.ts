/** The operators of expressions: one condition `[variable, operator, value]`, compiled to a test of the variable's value. */
import { IpSet } from '../base/ip-set.ts'
import type { Json } from '../base/json.ts'
import { compilePattern } from '../base/pattern.ts'
import type { Scalar, VariableValue } from '../exchange/variable-value.ts'

export type Value = VariableValue
export type Test = (value: Value) => boolean

/** Compiles the right side. Throws an Error with the reason. `right` null means: not set. */
type Operator = (right: Json) => Test

const operators: Readonly<Record<string, Operator>> = {
  '==': equal,
  '~=': (right) => {
    const isEqual = equal(right)
    return (value) => !isEqual(value)
  },
  '>': numeric((left, right) => left > right),
  '>=': numeric((left, right) => left >= right),
  '<': numeric((left, right) => left < right),
  '<=': numeric((left, right) => left <= right),
  '~~': (right) => matches(right, false),
  '~*': (right) => matches(right, true),
  in: isIn,
  has,
  ipmatch,
}

/** Taken in any case. */
export function isOperator(json: Json): boolean {
  return typeof json === 'string' && Object.hasOwn(operators, json.toLowerCase())
}

/** `operator` is taken in any case. Throws `invalid operator 'x'`, or what is wrong with the right side. */
export function compileTest(operator: Json, right: Json): Test {
  const name = typeof operator === 'string' ? operator.toLowerCase() : ''
  const compile = Object.hasOwn(operators, name) ? operators[name] : undefined
  if (compile === undefined) throw new Error(`invalid operator '${textOf(operator)}'`)
  return compile(right)
}

/** A number on the right is compared as a number; everything else without conversion. */
function equal(right: Json): Test {
  if (right === null) return (value) => value === undefined
  if (typeof right === 'number') return (value) => toNumber(value) === right
  return (value) => value === right
}

function numeric(compare: (left: number, right: number) => boolean): Operator {
  return (right) => {
    const limit = typeof right === 'number' ? right : typeof right === 'string' ? toNumber(right) : undefined
    if (limit === undefined) return never
    return (value) => {
      const number = toNumber(value)
      return number !== undefined && compare(number, limit)
    }
  }
}

function matches(right: Json, ignoreCase: boolean): Test {
  if (typeof right !== 'string') throw new Error('a regular expression should be a string')
  const search = compilePattern(right, ignoreCase)
  return (value) => {
    if (typeof value === 'string') return search(value)
    return typeof value === 'number' && search(String(value))
  }
}

function isIn(right: Json): Test {
  if (!Array.isArray(right)) return never
  const members = new Set<unknown>(right)
  return (value) => value !== undefined && members.has(value)
}

function has(right: Json): Test {
  if (right === null || typeof right === 'object') return never
  return (value) => typeof value === 'object' && (value as readonly Scalar[]).includes(right)
}

function ipmatch(right: Json): Test {
  const entries = Array.isArray(right) ? right : right === null || right === '' ? [] : [right]
  if (entries.length === 0) throw new Error('invalid ip address')
  const set = new IpSet(entries.map((entry) => (typeof entry === 'string' ? entry : textOf(entry))))
  return (value) => typeof value === 'string' && set.has(value)
}

function never(): boolean {
  return false
}

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i
const hexadecimal = /^([+-]?)(0x[0-9a-f]+)$/i

/** As Lua's `tonumber` reads text: decimal or hexadecimal, white space around it. */
function toNumber(value: Value): number | undefined {
  if (typeof value !== 'string') return typeof value === 'number' ? value : undefined
  const text = value.trim()
  if (decimal.test(text)) return Number(text)
  const hex = hexadecimal.exec(text)
  if (hex === null) return undefined
  return hex[1] === '-' ? -Number(hex[2]) : Number(hex[2])
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
