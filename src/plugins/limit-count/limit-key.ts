/** What limits count by, and the numbers of limits that depend on the request: compiled once, read for every request. */
import { createHash } from 'node:crypto'
import type { Build, Exchange, Json, JsonObject, Template } from '#sdk'

export type KeyOf = (exchange: Exchange) => string

export type KeyType = 'var' | 'var_combination' | 'constant'

/** The key of an exchange; the client's address where it would be empty. */
export function compileKey(key: string, type: KeyType, build: Build): KeyOf {
  const client: KeyOf = (exchange) => exchange.variable('remote_addr') ?? ''
  if (type === 'constant') return key === '' ? client : () => key
  if (type === 'var') {
    build.asksFor([key])
    return (exchange) => exchange.variable(key) || client(exchange)
  }
  const whole = compileCombination(key, build)
  return (exchange) => whole(exchange) || client(exchange)
}

/** A text with variables; undefined where none of them has a value. */
export function compileCombination(text: string, build: Build): (exchange: Exchange) => string | undefined {
  const template = build.template(text)
  return (exchange) => {
    let found = false
    const rendered = template.render((name) => {
      const value = exchange.variable(name)
      found ||= value !== undefined
      return value
    })
    return found ? rendered : undefined
  }
}

/** A number of an exchange; undefined: what its variables give is not one of at least `least`. */
export type NumberOf = (exchange: Exchange) => number | undefined

export function compileNumber(value: number | string, least: 0 | 1, build: Build): NumberOf {
  if (typeof value === 'number') return () => value
  const template: Template = build.template(value)
  return (exchange) => {
    const text = template.render((name) => exchange.variable(name)).trim()
    const number = text === '' ? Number.NaN : Number(text)
    return Number.isSafeInteger(number) && number >= least ? number : undefined
  }
}

/**
 * Names the counters of one configuration in one resource, alike in all workers and gateways: whoever has the plugin from
 * a service counts with all its routes, and an edited configuration counts anew.
 */
export function scopeOf(plugin: string, conf: object, build: Pick<Build, 'origin'>): string {
  return `${plugin} ${build.origin} ${fingerprint(conf)}`
}

/** The same for configurations that say the same; `_meta` does not count. */
export function fingerprint(conf: object): string {
  const { _meta, ...rest } = conf as JsonObject
  return createHash('sha256')
    .update(JSON.stringify(inOrder(rest)))
    .digest('hex')
    .slice(0, 16)
}

function inOrder(value: Json): Json {
  if (Array.isArray(value)) return value.map(inOrder)
  if (value === null || typeof value !== 'object') return value
  const names = Object.keys(value).sort()
  return Object.fromEntries(names.map((name) => [name, inOrder(value[name] as Json)]))
}
