/**
 * Places in JSON documents: dotted names, and the JSONPath of RFC 9535 as far as it has no functions. Compiled once; what is
 * found is bounded, whatever the document.
 */
import type { Json } from './json.ts'
import { type FilterTest, readFilter } from './json-path-filter.ts'
import { PathText } from './json-path-text.ts'

export interface JsonPath {
  /** A dotted name finds one value or none (undefined), everything else a list of one value or more, or undefined. */
  find(document: Json): Json | undefined
}

/** Adds what one step finds in a value to `found`. */
type Step = (value: Json, found: Json[]) => void

/** Of one document, and of every step on the way: far more than anybody compares with. */
const maxFound = 10_000

/** What stands behind `$.`: `a.b`, `messages[*].content[-1]`, `..id`, `list[?(@.kind=='x')].id`. Throws the reason. */
export function compileJsonPath(path: string): JsonPath {
  if (!/[[*]|\.\./.test(path)) {
    const names = path.split('.').filter((name) => name !== '')
    if (names.length === 0) throw new Error(`invalid expression '${path}': no name`)
    return { find: (document) => dotted(document, names) }
  }
  const steps = readSteps(new PathText(path))
  return {
    find: (document) => {
      let values: Json[] = [document]
      for (const step of steps) {
        const found: Json[] = []
        for (const value of values) if (found.length < maxFound) step(value, found)
        values = found
      }
      return values.length === 0 ? undefined : values
    },
  }
}

function dotted(document: Json, names: readonly string[]): Json | undefined {
  let value: Json | undefined = document
  for (const name of names) {
    if (value === undefined) return undefined
    value = member(value, name)
  }
  return value
}

/** Of objects; lists have no names. */
export function member(value: Json, name: string): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.hasOwn(value, name) ? value[name] : undefined
}

/** Counted from the end if it is negative. */
export function element(value: Json, index: number): Json | undefined {
  return Array.isArray(value) ? value.at(index) : undefined
}

function readSteps(text: PathText): readonly Step[] {
  const steps: Step[] = []
  let isFirst = true
  while (!text.ended) {
    const deep = text.take('..')
    if (!deep && !isFirst && !text.take('.') && text.peek() !== '[') throw text.error('a dot or a bracket is needed')
    const step = text.take('[') ? readBracket(text) : readName(text)
    steps.push(deep ? descending(step) : step)
    isFirst = false
  }
  return steps
}

function readName(text: PathText): Step {
  if (text.take('*')) return everything
  return named(text.name())
}

/** Behind the opening bracket. */
function readBracket(text: PathText): Step {
  text.blanks()
  if (text.take('?')) {
    const step = filtering(readFilter(text))
    text.expect(']')
    return step
  }
  const choices = [readChoice(text)]
  while (text.take(',')) choices.push(readChoice(text))
  text.expect(']')
  const [only] = choices
  if (choices.length === 1 && only !== undefined) return only
  return (value, found) => {
    for (const choice of choices) choice(value, found)
  }
}

function readChoice(text: PathText): Step {
  text.blanks()
  let step: Step
  const quoted = text.quoted()
  if (quoted !== undefined) step = named(quoted)
  else if (text.take('*')) step = everything
  else step = readNumbers(text)
  text.blanks()
  return step
}

/** `1`, `-1`, `1:3`, `::2`. */
function readNumbers(text: PathText): Step {
  const first = text.integer()
  if (!text.take(':')) {
    if (first === undefined) throw text.error('a name, a number or * is needed')
    return (value, found) => add(element(value, first), found)
  }
  const last = text.integer()
  const step = text.take(':') ? (text.integer() ?? 1) : 1
  if (step < 1) throw text.error('steps are 1 or more')
  return (value, found) => {
    if (!Array.isArray(value)) return
    const part = value.slice(first ?? 0, last)
    for (let index = 0; index < part.length; index += step) add(part[index], found)
  }
}

function add(value: Json | undefined, found: Json[]): void {
  if (value !== undefined && found.length < maxFound) found.push(value)
}

function named(name: string): Step {
  return (value, found) => add(member(value, name), found)
}

function everything(value: Json, found: Json[]): void {
  for (const child of childrenOf(value)) add(child, found)
}

function filtering(test: FilterTest): Step {
  return (value, found) => {
    for (const child of childrenOf(value)) if (test(child)) add(child, found)
  }
}

function childrenOf(value: Json): readonly Json[] {
  if (typeof value !== 'object' || value === null) return []
  return Array.isArray(value) ? value : Object.values(value)
}

/** The step at the value and at all that is in it. With a stack of its own: documents may be nested deeper than calls. */
function descending(step: Step): Step {
  return (value, found) => {
    const waiting: Json[] = [value]
    while (waiting.length > 0 && found.length < maxFound) {
      const next = waiting.pop() as Json
      step(next, found)
      const children = childrenOf(next)
      for (let index = children.length - 1; index >= 0; index -= 1) waiting.push(children[index] as Json)
    }
  }
}
