/** response-rewrite: another status, other fields or another body for answers, where an expression says so. */
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import {
  type BodyFilter,
  type Build,
  checkExpression,
  compilePattern,
  compileReplacement,
  compileTemplate,
  type HeaderList,
  type HttpExchange,
  type Json,
  type Plugin,
  type Template,
} from '#sdk'

interface Filter {
  readonly regex: string
  readonly scope: 'once' | 'global'
  readonly replace: string
  readonly options: string
}

interface Conf {
  readonly status_code?: number
  readonly body?: string
  readonly body_base64: boolean
  readonly headers?: Readonly<Record<string, unknown>>
  readonly vars?: readonly Json[]
  readonly filters?: readonly Filter[]
  readonly max_resp_body_size: number
}

const single = { oneOf: [{ type: 'string' }, { type: 'number' }] }

export const responseRewrite: Plugin<Conf> = {
  name: 'response-rewrite',
  priority: 899,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      headers: {
        oneOf: [
          {
            type: 'object',
            minProperties: 1,
            additionalProperties: false,
            properties: {
              add: {
                type: 'array',
                minItems: 1,
                items: { description: 'Name: value', type: 'string', pattern: '^[^:]+:[^:]*[^/]$' },
              },
              set: { type: 'object', minProperties: 1, patternProperties: { '^[^:]+$': single } },
              remove: { type: 'array', minItems: 1, items: { type: 'string', pattern: '^[^:]+$' } },
            },
          },
          { type: 'object', minProperties: 1, additionalProperties: single },
        ],
      },
      body: { type: 'string' },
      body_base64: { type: 'boolean', default: false },
      status_code: { type: 'integer', minimum: 200, maximum: 598 },
      vars: { type: 'array' },
      filters: {
        type: 'array',
        minItems: 1,
        items: {
          type: 'object',
          required: ['regex', 'replace'],
          properties: {
            regex: { type: 'string', minLength: 1 },
            scope: { type: 'string', enum: ['once', 'global'], default: 'once' },
            replace: { type: 'string' },
            options: { type: 'string', default: 'jo' },
          },
        },
      },
      max_resp_body_size: { type: 'integer', exclusiveMinimum: 0, default: 67108864 },
    },
    dependencies: { body: { not: { required: ['filters'] } }, filters: { not: { required: ['body'] } } },
  },

  check({ vars, body, body_base64, filters, headers }) {
    const fault = vars === undefined ? undefined : checkExpression(vars)
    if (fault !== undefined) return `failed to validate the 'vars' expression: ${fault}`
    if (body_base64 && (body === undefined || body === '' || !isBase64(body))) return 'invalid base64 content'
    for (const name of Object.keys(headers ?? {})) {
      if (!/^[^:\s]+$/.test(name)) return `invalid field character in header: ${name}`
    }
    try {
      for (const { regex, options } of filters ?? []) compilePattern(regex, options.includes('i'))
      return undefined
    } catch (error) {
      return (error as Error).message
    }
  },

  create(conf, build) {
    const applies = conf.vars === undefined ? undefined : build.expression(conf.vars as Json)
    const change = compileFields(conf.headers ?? {})
    const body = conf.body === undefined ? undefined : Buffer.from(conf.body, conf.body_base64 ? 'base64' : 'utf8')
    const edit = conf.filters === undefined ? undefined : compileFilters(conf.filters)
    return {
      headerFilter(exchange, head) {
        if (applies !== undefined && !applies(exchange)) return undefined
        if (conf.status_code !== undefined) {
          head.status = conf.status_code
          head.reason = ''
        }
        const encoding = head.headers.get('content-encoding')
        if (body !== undefined || edit !== undefined) forgetBody(head.headers)
        change(exchange, head.headers)
        if (body !== undefined) return new Replaced(body)
        return edit === undefined ? undefined : new Edited(edit, encoding, conf.max_resp_body_size, build, head.headers)
      },
    }
  },
}

/** What was said of the body holds for another one no more. */
function forgetBody(headers: HeaderList): void {
  for (const name of ['content-length', 'content-encoding', 'etag', 'last-modified']) headers.delete(name)
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text)
}

type Change = (exchange: HttpExchange, headers: HeaderList) => void

/** Adds, sets and removes, in this order. The flat form sets. */
function compileFields(written: Readonly<Record<string, unknown>>): Change {
  const isStructured = ['add', 'set', 'remove'].some((key) => typeof written[key] === 'object')
  const adds = ((isStructured ? written['add'] : undefined) ?? []) as readonly string[]
  const sets = (isStructured ? written['set'] : written) ?? {}
  const removes = ((isStructured ? written['remove'] : undefined) ?? []) as readonly string[]
  const added = adds.map((line): readonly [string, Template] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), compileTemplate(line.slice(colon + 1).trim())]
  })
  const set = Object.entries(sets).map(([name, value]): readonly [string, Template] => [
    name,
    compileTemplate(String(value)),
  ])
  const removed = removes.map((name) => name.toLowerCase())
  return (exchange, headers) => {
    const lookup = (name: string): string | undefined => exchange.variable(name)
    for (const [name, value] of added) headers.append(name, value.render(lookup))
    for (const [name, value] of set) headers.set(name, value.render(lookup))
    for (const name of removed) headers.delete(name)
  }
}

function compileFilters(filters: readonly Filter[]): (text: string) => string {
  const edits = filters.map(({ regex, replace, scope, options }) =>
    compileReplacement(regex, replace, { ignoreCase: options.includes('i'), everywhere: scope === 'global' }),
  )
  return (text) => edits.reduce((edited, edit) => edit(edited), text)
}

class Replaced implements BodyFilter {
  readonly #body: Uint8Array

  constructor(body: Uint8Array) {
    this.#body = body
  }

  part(_bytes: Uint8Array, last: boolean): Uint8Array | undefined {
    return last ? this.#body : undefined
  }
}

/** Holds the body back until it is whole. One that is too large, or coded in a way that is not known, goes on as it is. */
class Edited implements BodyFilter {
  readonly #edit: (text: string) => string
  readonly #encoding: string | undefined
  readonly #maxBytes: number
  readonly #log: Build['log']
  #parts: Uint8Array[] | undefined = []
  #size = 0

  constructor(
    edit: (text: string) => string,
    encoding: string | undefined,
    maxBytes: number,
    build: Build,
    headers: HeaderList,
  ) {
    this.#edit = edit
    this.#encoding = encoding
    this.#maxBytes = maxBytes
    this.#log = build.log
    if (encoding === undefined || Object.hasOwn(decoders, encoding)) return
    this.#parts = undefined
    headers.set('Content-Encoding', encoding)
    build.log.warn({ encoding }, 'response-rewrite: a body in this encoding is left as it is')
  }

  part(bytes: Uint8Array, last: boolean): Uint8Array | undefined {
    const parts = this.#parts
    if (parts === undefined) return bytes
    parts.push(Uint8Array.from(bytes))
    this.#size += bytes.length
    if (this.#size > this.#maxBytes && this.#encoding === undefined) {
      this.#log.warn({ limit: this.#maxBytes }, 'response-rewrite: a body above max_resp_body_size is left as it is')
      this.#parts = undefined
      return Buffer.concat(parts)
    }
    return last ? this.#whole(Buffer.concat(parts)) : undefined
  }

  #whole(body: Buffer): Uint8Array {
    const decode = this.#encoding === undefined ? undefined : decoders[this.#encoding]
    const plain = decode === undefined ? body : decode(body, { maxOutputLength: this.#maxBytes })
    return Buffer.from(this.#edit(plain.toString()))
  }
}

type Decode = (body: Uint8Array, limits: { readonly maxOutputLength: number }) => Buffer

const decoders: Readonly<Record<string, Decode>> = { gzip: gunzipSync, br: brotliDecompressSync }
