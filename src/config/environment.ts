/**
 * `${{VAR}}` and `${{VAR:=default}}`: environment variables in configuration files, either in a parsed value
 * (config.yaml) or in the text before parsing (apisix.yaml). It reads no file and keeps nothing.
 */

export type Environment = Readonly<Record<string, string | undefined>>

const reference = /\$\{\{\s*([\w]+)\s*(?::=\s*([^}]*?)\s*)?\}\}/g

/** A variable that is not set and has no default. `message` is APISIX's. */
export class MissingVariable extends Error {
  readonly variable: string
  constructor(variable: string) {
    super(`failed to handle configuration: can't find environment variable ${variable}`)
    this.name = 'MissingVariable'
    this.variable = variable
  }
}

/** The text with every reference replaced. Throws MissingVariable. What a variable contains is not looked into again. */
export function expandText(text: string, env: Environment): string {
  if (!text.includes('${{')) return text
  return text.replace(reference, (_, name: string, fallback: string | undefined) => {
    const value = env[name] ?? fallback
    if (value === undefined) throw new MissingVariable(name)
    return value
  })
}

/** A scalar of a parsed file with its references replaced; if there were any, `true`, `false` and numbers get their type. */
export function expandScalar(text: string, env: Environment): string | number | boolean {
  const expanded = expandText(text, env)
  return expanded === text ? text : typed(expanded)
}

function typed(text: string): string | number | boolean {
  if (text === 'true') return true
  if (text === 'false') return false
  if (/^\s*[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?\s*$/i.test(text)) {
    const value = Number(text)
    if (Number.isFinite(value)) return value
  }
  return text
}
