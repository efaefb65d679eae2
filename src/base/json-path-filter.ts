/** The conditions of JSONPath, `[?(@.kind == 'x' && @.size > 3)]`: comparisons and existence, `&&`, `||`, `!`, parentheses. */
import type { Json } from './json.ts'
import type { PathText } from './json-path-text.ts'

export type FilterTest = (value: Json) => boolean
/** What a side of a comparison is for a value; undefined: nothing. */
type Operand = (value: Json) => Json | undefined

/** Deeper than anyone writes. */
const maxDepth = 32

const comparisons: readonly (readonly [string, (a: Json | undefined, b: Json | undefined) => boolean])[] = [
  ['==', (a, b) => a === b],
  ['!=', (a, b) => a !== b],
  ['<=', (a, b) => ordered(a, b, (x, y) => x <= y)],
  ['>=', (a, b) => ordered(a, b, (x, y) => x >= y)],
  ['<', (a, b) => ordered(a, b, (x, y) => x < y)],
  ['>', (a, b) => ordered(a, b, (x, y) => x > y)],
]

/** Two numbers or two texts have an order. */
function ordered(
  a: Json | undefined,
  b: Json | undefined,
  holds: (a: number | string, b: number | string) => boolean,
): boolean {
  if (typeof a === 'number' && typeof b === 'number') return holds(a, b)
  return typeof a === 'string' && typeof b === 'string' && holds(a, b)
}

/** Behind the question mark. Throws the reason why it is none. */
export function readFilter(text: PathText, depth = 0): FilterTest {
  if (depth > maxDepth) throw text.error('the condition is nested too deep')
  const choices = [readAll(text, depth)]
  while (sees(text, '||')) choices.push(readAll(text, depth))
  return (value) => choices.some((holds) => holds(value))
}

function readAll(text: PathText, depth: number): FilterTest {
  const parts = [readPart(text, depth)]
  while (sees(text, '&&')) parts.push(readPart(text, depth))
  return (value) => parts.every((holds) => holds(value))
}

function readPart(text: PathText, depth: number): FilterTest {
  text.blanks()
  if (text.take('!')) {
    if (depth > maxDepth) throw text.error('the condition is nested too deep')
    const holds = readPart(text, depth + 1)
    return (value) => !holds(value)
  }
  if (text.take('(')) {
    const holds = readFilter(text, depth + 1)
    text.expect(')')
    return holds
  }
  const left = readOperand(text)
  text.blanks()
  const comparison = comparisons.find(([sign]) => text.take(sign))
  if (comparison === undefined) return (value) => left(value) !== undefined
  const [, holds] = comparison
  const right = readOperand(text)
  return (value) => holds(left(value), right(value))
}

function sees(text: PathText, sign: string): boolean {
  text.blanks()
  return text.take(sign)
}

function readOperand(text: PathText): Operand {
  text.blanks()
  if (text.take('@')) return readPlace(text)
  const constant = text.quoted() ?? text.number() ?? word(text)
  return () => constant
}

function word(text: PathText): Json {
  if (text.take('true')) return true
  if (text.take('false')) return false
  if (text.take('null')) return null
  throw text.error('@, a text, a number, true, false or null is needed')
}

/** `@.a.b[0]['c']`: names and numbers. */
function readPlace(text: PathText): Operand {
  const steps: (string | number)[] = []
  for (;;) {
    if (text.take('.')) steps.push(text.name())
    else if (text.take('[')) {
      const step = text.quoted() ?? text.integer()
      if (step === undefined) throw text.error('a name or a number is needed')
      text.expect(']')
      steps.push(step)
    } else return (value) => placeIn(value, steps)
  }
}

function placeIn(value: Json, steps: readonly (string | number)[]): Json | undefined {
  let found: Json | undefined = value
  for (const step of steps) {
    if (typeof found !== 'object' || found === null) return undefined
    if (typeof step === 'number') found = Array.isArray(found) ? found.at(step) : undefined
    else if (Array.isArray(found) || !Object.hasOwn(found, step)) return undefined
    else found = found[step]
  }
  return found
}
