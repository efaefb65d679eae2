/**
 * Reads a source file as far as the architecture rules need: its imports, and its code without comments and strings.
 * A scanner, not a parser: it knows where literals begin and end, nothing of grammar.
 */

export interface Import {
  readonly specifier: string
  /** `import type` and `export type`: gone when the file runs. */
  readonly typeOnly: boolean
  readonly dynamic: boolean
}

export interface Scan {
  /** The text with comments, strings, templates and regular expressions blanked, at its original length. */
  readonly code: string
  readonly imports: readonly Import[]
}

interface Literal {
  readonly end: number
  /** Where code inside a template (`${…}`) goes on, as [from, to) pairs; empty for other literals. */
  readonly holes: readonly (readonly [number, number])[]
}

const beforeRegExp =
  /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|void|delete|throw|new|else|do|await|yield))$/

function quoted(text: string, start: number): Literal {
  const quote = text[start]
  let at = start + 1
  while (at < text.length && text[at] !== quote) at += text[at] === '\\' ? 2 : 1
  return { end: at + 1, holes: [] }
}

function regExp(text: string, start: number): Literal {
  let inClass = false
  let at = start + 1
  for (; at < text.length && text[at] !== '\n'; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '[') inClass = true
    else if (text[at] === ']') inClass = false
    else if (text[at] === '/' && !inClass) break
  }
  return { end: at + 1, holes: [] }
}

function template(text: string, start: number): Literal {
  const holes: [number, number][] = []
  let at = start + 1
  while (at < text.length && text[at] !== '`') {
    if (text[at] === '\\') at += 2
    else if (text.startsWith('${', at)) {
      const end = closingBrace(text, at + 2)
      holes.push([at + 2, end])
      at = end + 1
    } else at++
  }
  return { end: at + 1, holes }
}

/** The `}` that closes a template's hole whose code starts at `start`. */
function closingBrace(text: string, start: number): number {
  let depth = 0
  let at = start
  while (at < text.length) {
    if (text[at] === '{') depth++
    else if (text[at] === '}' && depth-- === 0) return at
    const literal = literalAt(text, at, text.slice(start, at))
    at = literal === undefined ? at + 1 : literal.end
  }
  return at
}

function endOf(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from)
  return at === -1 ? text.length : at
}

function literalAt(text: string, at: number, before: string): Literal | undefined {
  const char = text[at]
  if (char === "'" || char === '"') return quoted(text, at)
  if (char === '`') return template(text, at)
  if (char !== '/') return undefined
  if (text[at + 1] === '/') return { end: endOf(text, '\n', at), holes: [] }
  if (text[at + 1] === '*') return { end: endOf(text, '*/', at + 2) + 2, holes: [] }
  return beforeRegExp.test(before.slice(-40).trimEnd()) ? regExp(text, at) : undefined
}

const blank = (text: string): string => text.replace(/[^\n]/g, ' ')

/** `strings` receives what stood between the quotes, by the position of the opening quote in the result. */
function blankLiterals(text: string, offset: number, strings: Map<number, string>): string {
  let code = ''
  let at = 0
  while (at < text.length) {
    const literal = literalAt(text, at, code)
    if (literal === undefined) {
      code += text[at++]
      continue
    }
    const whole = text.slice(at, literal.end)
    const isString = whole[0] === "'" || whole[0] === '"'
    if (isString) {
      strings.set(offset + at, whole.slice(1, -1))
      code += whole[0] + blank(whole.slice(1, -1)) + whole[0]
    } else {
      let from = at
      for (const [start, end] of literal.holes) {
        code += blank(text.slice(from, start)) + blankLiterals(text.slice(start, end), offset + start, strings)
        from = end
      }
      code += blank(text.slice(from, literal.end))
    }
    at = literal.end
  }
  return code
}

const patterns = [
  { pattern: /\b(?:import|export)\s+(type\s+(?!from\b))?[\w$*{][^'"`;()=]*?\bfrom\s*(?=['"])/g, dynamic: false },
  { pattern: /\bimport\s*()(?=['"])/g, dynamic: false },
  { pattern: /\bimport\s*\(\s*()(?=['"])/g, dynamic: true },
]

/** Scans one file. Imports come in no particular order; a computed `import(…)` is not among them. */
export function scan(text: string): Scan {
  const strings = new Map<number, string>()
  const code = blankLiterals(text, 0, strings)
  const imports: Import[] = []
  for (const { pattern, dynamic } of patterns) {
    for (const match of code.matchAll(pattern)) {
      const specifier = strings.get(match.index + match[0].length)
      if (specifier !== undefined) imports.push({ specifier, typeOnly: Boolean(match[1]), dynamic })
    }
  }
  return { code, imports }
}
