/**
 * Access log lines in nginx's `log_format` language: `$name` and `${name}`, no defaults, no way to write a literal dollar
 * before a name. Escaping is of the values alone; the text between them goes out as it was written.
 */
import type { Lookup } from './template.ts'

/** nginx's three ways: `\xXX` for bytes that could break a line, JSON strings, nothing. */
export type Escape = 'default' | 'json' | 'none'

export interface LogFormat {
  readonly names: readonly string[]
  /** The line, without a line end. */
  render(lookup: Lookup): string
}

const variable = /\$(?:\{(\w+)\}|(\w+))/g

/** Compiles any text. A variable without a value is `-` in the default escaping, and empty in the others, as in nginx. */
export function compileLogFormat(text: string, escaping: Escape): LogFormat {
  const literals: string[] = []
  const names: string[] = []
  let from = 0
  for (const match of text.matchAll(variable)) {
    literals.push(text.slice(from, match.index))
    names.push(match[1] ?? (match[2] as string))
    from = match.index + match[0].length
  }
  const last = text.slice(from)
  const absent = escaping === 'default' ? '-' : ''
  const write = escaping === 'default' ? escapeBytes : escaping === 'json' ? escapeJson : asItIs
  return {
    names: [...new Set(names)],
    render(lookup) {
      let line = ''
      for (let index = 0; index < names.length; index += 1) {
        const value = lookup(names[index] as string)
        line += (literals[index] as string) + (value === undefined ? absent : write(value))
      }
      return line + last
    },
  }
}

function asItIs(value: string): string {
  return value
}

const unsafe = /[^ !#-[\]-~]/
const unsafeRuns = /[^ !#-[\]-~]+/g

/** `"`, `\`, and every byte below 32 or above 126 of the UTF-8 form, as `\xXX`. */
function escapeBytes(value: string): string {
  if (!unsafe.test(value)) return value
  return value.replace(unsafeRuns, (run) => {
    let escaped = ''
    for (const byte of Buffer.from(run)) escaped += `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`
    return escaped
  })
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const unsafeInJson = /["\\\u0000-\u001f]/

/** What may stand between the quotes of a JSON string. */
function escapeJson(value: string): string {
  return unsafeInJson.test(value) ? JSON.stringify(value).slice(1, -1) : value
}
