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
  const plain = ignoreCase ? undefined : plainSearch(pattern)
  if (plain !== undefined) return plain
  const compiled = compile(pattern, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0)
  return (text) => compiled.test(text)
}

/** What stands for itself: anything but the signs of expressions, and those behind a backslash. */
const plainPattern = /^(\^?)((?:[^\\.+*?()|[\]{}^$]|\\[!-/:-@[-`{-~])*)(\$?)$/s

/** Most patterns that are written are a text, at the beginning, at the end, or anywhere: found without the engine. */
function plainSearch(pattern: string): ((text: string) => boolean) | undefined {
  const [, start, escaped = '', end] = plainPattern.exec(pattern) ?? []
  if (start === undefined) return undefined
  const wanted = escaped.replaceAll(/\\(.)/gs, '$1')
  if (start === '') return end === '' ? (text) => text.includes(wanted) : (text) => text.endsWith(wanted)
  return end === '' ? (text) => text.startsWith(wanted) : (text) => text === wanted
}

export interface Substituted {
  readonly text: string
  /** What the groups matched, from the first on; undefined: a group took no part. */
  readonly captures: readonly (string | undefined)[]
}

/**
 * Replaces the first match in a text by a template, in which `$1` … `$9` (also `${1}`) stand for groups and `$0` for the match.
 * The result is undefined for a text that does not match. Throws as `compilePattern`, and for a group that there is not.
 */
export function compileSubstitution(pattern: string, template: string): (text: string) => Substituted | undefined {
  if (pattern.length > maxPatternLength) {
    throw new Error(`invalid regular expression: longer than ${maxPatternLength} characters`)
  }
  const compiled = compile(pattern, 0)
  const groups = compiled.groupCount()
  for (const [, plain, braced] of template.matchAll(groupName)) {
    const group = Number(plain ?? braced)
    if (group > groups) throw new Error(`the template '${template}' names group ${group}, and there are ${groups}`)
  }
  return (text) => {
    const match = compiled.matcher(text)
    if (!match.find()) return undefined
    const captures: (string | undefined)[] = []
    for (let group = 1; group <= groups; group += 1) captures.push(match.group(group) ?? undefined)
    const replaced = template.replace(groupName, (_, plain?: string, braced?: string) => {
      const group = Number(plain ?? braced)
      return (group === 0 ? match.group(0) : captures[group - 1]) ?? ''
    })
    return { text: text.slice(0, match.start(0)) + replaced + text.slice(match.end(0)), captures }
  }
}

/**
 * Replaces the first match in a text, or every one, by a template as `compileSubstitution` takes it. A text without a match
 * stays as it is. Throws as `compilePattern`.
 */
export function compileReplacement(
  pattern: string,
  template: string,
  { ignoreCase, everywhere }: { readonly ignoreCase: boolean; readonly everywhere: boolean },
): (text: string) => string {
  const compiled = compile(pattern, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0)
  const groups = compiled.groupCount()
  return (text) => {
    const matcher = compiled.matcher(text)
    let edited = ''
    let from = 0
    while (matcher.find()) {
      edited += text.slice(from, matcher.start(0))
      edited += template.replace(groupName, (_, plain?: string, braced?: string) => {
        const group = Number(plain ?? braced)
        return group > groups ? '' : (matcher.group(group) ?? '')
      })
      from = matcher.end(0)
      if (!everywhere) break
    }
    return edited + text.slice(from)
  }
}

const groupName = /\$(?:(\d)|\{(\d)\})/g

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
