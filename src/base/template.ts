/**
 * Texts with variables in them, compiled once: `$name`, `${name}`, `${name ?? default}`, and `\$` for a dollar sign.
 * A dollar that begins none of these stays as it is. No nesting, no functions.
 */

/** Gives a variable's value by its name without `$`. */
export type Lookup = (name: string) => string | undefined

export interface Template {
  /** The variables in it, each once. Empty: `render` is a constant. */
  readonly names: readonly string[]
  /** A variable without a value becomes its default, or nothing. */
  render(lookup: Lookup): string
}

const variable = /\\\$|\$(?:\{\s*([^{}]*?)\s*(?:\?\?\s*([^{}]*?)\s*)?\}|(\w+))/g

/** Compiles any text: nothing in it is an error. */
export function compileTemplate(text: string): Template {
  // literals[0] names[0] literals[1] names[1] … literals[n]
  const literals: string[] = []
  const names: string[] = []
  const defaults: string[] = []
  let literal = ''
  let from = 0
  for (const match of text.matchAll(variable)) {
    literal += text.slice(from, match.index)
    from = match.index + match[0].length
    const name = match[1] ?? match[3]
    if (match[0] === '\\$') {
      literal += '$'
    } else if (name === undefined || name === '') {
      literal += match[0]
    } else {
      literals.push(literal)
      names.push(name)
      defaults.push(match[2] ?? '')
      literal = ''
    }
  }
  const last = literal + text.slice(from)
  return {
    names: [...new Set(names)],
    render(lookup) {
      let rendered = ''
      for (let index = 0; index < names.length; index += 1) {
        rendered += (literals[index] as string) + (lookup(names[index] as string) ?? (defaults[index] as string))
      }
      return rendered + last
    },
  }
}
