/**
 * Regular expressions that users write, on a linear-time engine: no input can make one slow. What cannot run in linear
 * time, look-around and back-references, is refused when it is compiled.
 */
import { RE2JS } from 're2js'

/** Far above any pattern written by hand; bounds what compiling one may cost. */
const maxPatternLength = 4096

/** A search anywhere in the text. Throws an Error that names the pattern and what is wrong with it. */
export function compilePattern(pattern: string, ignoreCase: boolean): (text: string) => boolean {
  if (pattern.length > maxPatternLength) {
    throw new Error(`invalid regular expression: longer than ${maxPatternLength} characters`)
  }
  const compiled = compile(pattern, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0)
  return (text) => compiled.test(text)
}

function compile(pattern: string, flags: number): RE2JS {
  try {
    return RE2JS.compile(pattern, flags)
  } catch (error) {
    const reason = unsupported(pattern) ?? (error instanceof Error ? error.message : String(error))
    throw new Error(`invalid regular expression '${pattern}': ${reason}`)
  }
}

/** Said in the words of those who know Perl's expressions; the engine only says that the syntax is wrong. */
function unsupported(pattern: string): string | undefined {
  if (/\(\?(?:[=!]|<[=!])/.test(pattern)) return 'look-around is not supported'
  if (/\\(?:[1-9]|k[<{'])|\(\?P=/.test(pattern)) return 'back-references are not supported'
  if (/[*+?}]\+|\(\?>/.test(pattern)) return 'possessive quantifiers and atomic groups are not supported'
  return undefined
}
