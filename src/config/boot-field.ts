/**
 * The small language in which the keys of config.yaml are declared: what a value looks like, what holds when it is
 * absent, and what becomes of the key. The tables themselves are in boot-apisix.ts and its neighbours.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Json } from '../base/json.ts'
import { nearestName } from './nearest-name.ts'
import { parseSize, parseTime } from './units.ts'

/**
 * `yes`: as in APISIX; `map`: honoured by Sluice's own means; `accept`: has no effect here, one warning if changed;
 * `not-built`: has no effect in this version, one warning if set; `refuse`: start fails if changed.
 */
export type Disposition = 'yes' | 'map' | 'accept' | 'not-built' | 'refuse'

/** What reading a value may report. Paths are dotted, list positions in brackets: `apisix.stream_proxy.tcp[0].addr`. */
export interface Reading {
  fail(path: string, reason: string): never
  warn(path: string, message: string): void
  /** The text that an environment variable put at this path, before it became a number or boolean. */
  substituted(path: string): string | undefined
}

export interface Field<T> {
  readonly disposition: Disposition
  /** Why it is refused or what to do instead; for messages. */
  readonly note: string
  /** What holds when the key is absent. */
  readonly fallback: T
  /** `raw` is anything but undefined. Fails through `reading`. */
  read(raw: unknown, path: string, reading: Reading): T
}

export type Read<F> = F extends Field<infer T> ? T : never
// biome-ignore lint/suspicious/noExplicitAny: a table holds fields of every type; `unknown` would refuse them all
export type Fields = Readonly<Record<string, Field<any>>>
export type ReadSection<S extends Fields> = { readonly [K in keyof S]: Read<S[K]> }

function field<T>(fallback: T, read: Field<T>['read']): Field<T> {
  return { disposition: 'yes', note: '', fallback, read }
}

export function typeName(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value
}

const expected = (what: string, raw: unknown) => `expected ${what}, got ${typeName(raw)}`

export const flag = (fallback: boolean): Field<boolean> =>
  field(fallback, (raw, path, reading) =>
    typeof raw === 'boolean' ? raw : reading.fail(path, expected('boolean', raw)),
  )

/** A whole number within bounds (both included). Text of digits is taken too, as APISIX does under `nginx_config`. */
export const count = (fallback: number, { min = 0, max = Number.MAX_SAFE_INTEGER } = {}): Field<number> =>
  field(fallback, (raw, path, reading) => {
    const value = typeof raw === 'string' && /^\d+$/.test(raw) ? Number(raw) : raw
    if (typeof value !== 'number') return reading.fail(path, expected('number', raw))
    if (!Number.isInteger(value)) return reading.fail(path, `expected a whole number, got ${value}`)
    return value >= min && value <= max ? value : reading.fail(path, `expected ${min} to ${max}, got ${value}`)
  })

export const port = (fallback: number): Field<number> => count(fallback, { max: 65_535 })

/** Text. A number that came out of an environment variable counts as the text it was (a password of digits). */
export const text = (fallback: string, pattern?: RegExp, meaning = ''): Field<string> =>
  field(fallback, (raw, path, reading) => {
    const value = typeof raw === 'string' ? raw : reading.substituted(path)
    if (value === undefined) return reading.fail(path, expected('string', raw))
    if (pattern?.test(value) === false)
      return reading.fail(path, `expected ${meaning || `text like ${pattern.source}`}`)
    return value
  })

export const oneOf = <const T extends string>(fallback: NoInfer<T>, values: readonly T[]): Field<T> =>
  field<T>(fallback, (raw, path, reading) => {
    if (typeof raw !== 'string') return reading.fail(path, expected('string', raw))
    const value = values.find((candidate) => candidate === raw)
    return value ?? reading.fail(path, `expected one of ${values.join(', ')}, got ${raw}`)
  })

/** A time as nginx writes it, kept as written: `millis()` of units.ts reads it. */
export const time = (fallback: string): Field<string | number> =>
  field<string | number>(fallback, (raw, path, reading) => {
    if (typeof raw !== 'string' && typeof raw !== 'number')
      return reading.fail(path, expected('a time such as 60s', raw))
    return parseTime(raw) === undefined ? reading.fail(path, `expected a time such as 60s, got ${raw}`) : raw
  })

/** A size as nginx writes it, kept as written: `bytes()` of units.ts reads it. */
export const size = (fallback: string | number): Field<string | number> =>
  field<string | number>(fallback, (raw, path, reading) => {
    if (typeof raw !== 'string' && typeof raw !== 'number')
      return reading.fail(path, expected('a size such as 1m', raw))
    return parseSize(raw) === undefined ? reading.fail(path, `expected a size such as 1m, got ${raw}`) : raw
  })

/** A list. A list of the file replaces the default whole; `null` empties it. */
export const list = <T>(item: Field<T>, fallback: readonly T[] = []): Field<readonly T[]> =>
  field<readonly T[]>(fallback, (raw, path, reading) => {
    if (raw === null) return []
    if (!Array.isArray(raw)) return reading.fail(path, expected('list', raw))
    return raw.map((each, index) => item.read(each, `${path}[${index}]`, reading))
  })

/** The first of several forms that accepts what is there. */
export const either = <T>(
  fallback: T,
  what: string,
  forms: readonly ((raw: unknown) => boolean)[],
  fields: readonly Field<T>[],
): Field<T> =>
  field(fallback, (raw, path, reading) => {
    const index = forms.findIndex((fits) => fits(raw))
    const form = fields[index]
    return form === undefined ? reading.fail(path, expected(what, raw)) : form.read(raw, path, reading)
  })

/** Absent and `null` are undefined. */
export const optional = <T>(inner: Field<T>): Field<T | undefined> =>
  field<T | undefined>(undefined, (raw, path, reading) => (raw === null ? undefined : inner.read(raw, path, reading)))

/** Any JSON value, as it is; `null` is the default. */
export const anything = <T extends Json>(fallback: T): Field<T> =>
  field(fallback, (raw) => (raw === null ? fallback : (raw as T)))

/** An object whose names are the user's; every value has the one form. */
export const dictionary = <T>(
  value: Field<T>,
  fallback: Readonly<Record<string, T>> = {},
): Field<Readonly<Record<string, T>>> =>
  field<Readonly<Record<string, T>>>(fallback, (raw, path, reading) => {
    if (raw === null) return {}
    if (!isObject(raw)) return reading.fail(path, expected('object', raw))
    return Object.fromEntries(
      Object.entries(raw).map(([name, each]) => [name, value.read(each, `${path}.${name}`, reading)]),
    )
  })

/** An object with known keys, merged key by key over their defaults. Unknown keys are warned of and left out. */
export const section = <S extends Fields>(fields: S): Field<ReadSection<S>> => {
  const fallback = Object.fromEntries(
    Object.entries(fields).map(([key, each]) => [key, each.fallback]),
  ) as ReadSection<S>
  return field(fallback, (raw, path, reading) => {
    if (raw === null) return fallback
    if (!isObject(raw)) return reading.fail(path, expected('object', raw))
    const result: Record<string, unknown> = { ...fallback }
    for (const [key, each] of Object.entries(raw)) {
      const inner = path === '' ? key : `${path}.${key}`
      const known = Object.hasOwn(fields, key) ? fields[key] : undefined
      if (known === undefined) reading.warn(inner, unknownKey(key, inner, Object.keys(fields)))
      else result[key] = readDisposed(known, each, inner, reading)
    }
    return result as ReadSection<S>
  })
}

function unknownKey(key: string, path: string, known: readonly string[]): string {
  const near = nearestName(key, known)
  return `unknown key ${path}${near === undefined ? '' : ` (did you mean ${near}?)`}`
}

function readDisposed(known: Field<unknown>, raw: unknown, path: string, reading: Reading): unknown {
  const value = known.read(raw, path, reading)
  const changed = !isDeepStrictEqual(value, known.fallback)
  if (known.disposition === 'refuse' && changed) reading.fail(path, known.note)
  if (known.disposition === 'accept' && changed) reading.warn(path, `${path} has no effect in Sluice${known.note}`)
  if (known.disposition === 'not-built' && raw !== null) reading.warn(path, `${path} has no effect: ${known.note}`)
  return value
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export const map = <T>(inner: Field<T>): Field<T> => ({ ...inner, disposition: 'map' })
/** `note` continues the sentence `… has no effect in Sluice`. */
export const accept = <T>(inner: Field<T>, note = ''): Field<T> => ({ ...inner, disposition: 'accept', note })
/** `note` completes the sentence `… has no effect: …`. */
export const notBuilt = <T>(inner: Field<T>, note: string): Field<T> => ({ ...inner, disposition: 'not-built', note })
/** `note` is the whole reason. */
export const refuse = <T>(inner: Field<T>, note: string): Field<T> => ({ ...inner, disposition: 'refuse', note })
