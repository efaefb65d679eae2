/**
 * The text of config.yaml as plain values with environment variables replaced, and the line of every key.
 * It knows no key's meaning: that is boot-schema.ts.
 */
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { isObject, type Reading } from './boot-field.ts'
import { at, ConfigError } from './config-error.ts'
import { type Environment, expandScalar, expandText, MissingVariable } from './environment.ts'

export interface BootDocument extends Reading {
  readonly value: unknown
  readonly warnings: readonly string[]
  /** The line of a path, or of the nearest one above it that the file has. */
  line(path: string): number | undefined
  /** Whether the file itself says anything at this path. */
  has(path: string): boolean
}

/** `file` is for messages. Throws ConfigError where the text is no YAML or a variable is missing. */
export function readBootDocument(text: string, file: string, env: Environment): BootDocument {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, merge: true })
  const lineOf = (offset: number | undefined) => (offset === undefined ? undefined : counter.linePos(offset).line)
  const warnings: string[] = []
  for (const each of document.warnings) warnings.push(at({ file, line: lineOf(each.pos[0]) }) + firstLine(each.message))
  const [error] = document.errors
  if (error !== undefined)
    throw new ConfigError({ file, path: '', line: lineOf(error.pos[0]) }, firstLine(error.message))

  const lines = new Map<string, number>()
  const substituted = new Map<string, string>()
  const line = (path: string): number | undefined => lines.get(path) ?? (path === '' ? undefined : line(parent(path)))
  const fail = (path: string, reason: string): never => {
    throw new ConfigError({ file, path, line: line(path) }, reason)
  }
  const guarded = <T>(path: string, expand: () => T): T => {
    try {
      return expand()
    } catch (thrown) {
      if (thrown instanceof MissingVariable) fail(path, thrown.message)
      throw thrown
    }
  }
  const key = (name: string, path: string) => guarded(path, () => expandText(name, env))

  mark(document.contents, '')
  const value = expand(document.toJS({ maxAliasCount: 100 }), '')
  if (value !== null && !isObject(value)) fail('', 'expected an object at the top of the file')
  return {
    value,
    warnings,
    line,
    has: (path) => lines.has(path),
    fail,
    warn: (path, message) => void warnings.push(at({ file, line: line(path) }) + message),
    substituted: (path) => substituted.get(path),
  }

  function mark(node: Node | null, path: string): void {
    if (isMap(node)) {
      for (const pair of node.items) {
        const inner = join(path, key(String(isScalar(pair.key) ? pair.key.value : pair.key), path))
        const offset = isScalar(pair.key) ? pair.key.range?.[0] : undefined
        lines.set(inner, lineOf(offset) ?? line(path) ?? 1)
        mark(pair.value as Node | null, inner)
      }
    } else if (isSeq(node)) {
      node.items.forEach((item, index) => {
        const inner = `${path}[${index}]`
        lines.set(inner, lineOf((item as Node).range?.[0]) ?? line(path) ?? 1)
        mark(item as Node, inner)
      })
    }
  }

  function expand(raw: unknown, path: string): unknown {
    if (typeof raw === 'string') {
      const result = guarded(path, () => expandScalar(raw, env))
      if (typeof result !== 'string')
        substituted.set(
          path,
          guarded(path, () => expandText(raw, env)),
        )
      return result
    }
    if (Array.isArray(raw)) return raw.map((item, index) => expand(item, `${path}[${index}]`))
    if (!isObject(raw)) return raw
    const result: Record<string, unknown> = {}
    for (const [name, each] of Object.entries(raw)) {
      const expanded = key(name, path)
      Object.defineProperty(result, expanded, {
        value: expand(each, join(path, expanded)),
        enumerable: true,
        writable: true,
        configurable: true,
      })
    }
    return result
  }
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}

function parent(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('.'), path.endsWith(']') ? path.lastIndexOf('[') : -1))
}

function firstLine(message: string): string {
  return (message.split('\n', 1)[0] ?? message).replace(/ at line \d+, column \d+:?$/, '')
}
