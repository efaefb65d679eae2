/** proxy-rewrite: what the endpoint is asked, changed from what the client asked: path, method, Host, fields. */
import {
  type Answer,
  compileSubstitution,
  compileTemplate,
  encodePath,
  type HttpExchange,
  type Plugin,
  type Template,
} from '#sdk'

type FieldValue = string | number | readonly (string | number)[]

interface Conf {
  readonly uri?: string
  readonly regex_uri?: readonly string[]
  readonly method?: string
  readonly host?: string
  readonly headers?: Readonly<Record<string, unknown>>
  readonly use_real_request_uri_unsafe: boolean
}

/** The groups of the pattern that matched; `$1` stands for the first. */
type Captures = readonly (string | undefined)[]

const methods = 'GET POST PUT HEAD DELETE OPTIONS MKCOL COPY MOVE PROPFIND LOCK UNLOCK PATCH TRACE'.split(' ')
const single = { oneOf: [{ type: 'string' }, { type: 'number' }] }
const value = { oneOf: [{ type: 'string' }, { type: 'number' }, { type: 'array', items: single, minItems: 1 }] }
const fields = { type: 'object', minProperties: 1, patternProperties: { '^[^:]+$': value } }

export const proxyRewrite: Plugin<Conf> = {
  name: 'proxy-rewrite',
  priority: 1008,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      uri: { description: 'the path upstream', type: 'string', minLength: 1, maxLength: 4096, pattern: '^\\/.*' },
      method: { type: 'string', enum: methods },
      regex_uri: {
        description: 'pairs of pattern and template',
        type: 'array',
        minItems: 2,
        items: { type: 'string' },
      },
      host: { type: 'string', pattern: '^[0-9a-zA-Z-.]+(:\\d{1,5})?$' },
      headers: {
        oneOf: [
          {
            type: 'object',
            minProperties: 1,
            additionalProperties: false,
            properties: {
              add: fields,
              set: fields,
              remove: { type: 'array', minItems: 1, items: { type: 'string', pattern: '^[^:]+$' } },
            },
          },
          { type: 'object', minProperties: 1, additionalProperties: single },
        ],
      },
      use_real_request_uri_unsafe: { type: 'boolean', default: false },
    },
    minProperties: 1,
  },

  check({ regex_uri, headers }) {
    if (regex_uri !== undefined && regex_uri.length % 2 !== 0) return 'The length of regex_uri should be an even number'
    try {
      compilePairs(regex_uri ?? [])
    } catch (error) {
      return (error as Error).message
    }
    for (const name of Object.keys(headers ?? {})) {
      if (!/^[^:\s]+$/.test(name)) return `invalid field character in header: ${name}`
    }
    return undefined
  },

  create(conf) {
    const place = placeOf(conf)
    const change = compileFields(conf.headers ?? {})
    return {
      rewrite(exchange): Answer | undefined {
        const { outgoing, request } = exchange
        if (conf.host !== undefined) outgoing.host = conf.host
        const captures = place(exchange)
        if (conf.method !== undefined) request.method = conf.method
        change(exchange, captures)
        return undefined
      },
    }
  },
}

interface Pair {
  readonly substitute: ReturnType<typeof compileSubstitution>
}

function compilePairs(written: readonly string[]): readonly Pair[] {
  const pairs: Pair[] = []
  for (let at = 0; at + 1 < written.length; at += 2) {
    pairs.push({ substitute: compileSubstitution(written[at] as string, written[at + 1] as string) })
  }
  return pairs
}

/** Settles where the request goes; returns the groups of the pattern that decided. */
function placeOf(conf: Conf): (exchange: HttpExchange) => Captures {
  const { uri, use_real_request_uri_unsafe: raw } = conf
  if (uri !== undefined) {
    const template = compileTemplate(uri)
    return (exchange) => {
      const target = template.render((name) => exchange.variable(name))
      exchange.outgoing.uri = withQuery(encodeTarget(target), exchange.request.query)
      return []
    }
  }
  const pairs = compilePairs(conf.regex_uri ?? [])
  return (exchange) => {
    const { request, outgoing } = exchange
    const target = raw ? request.target : undefined
    // A question mark of the path itself must not begin a query.
    const from = target === undefined ? request.path.replaceAll('?', '%3F') : (target.split('?', 1)[0] as string)
    for (const { substitute } of pairs) {
      const result = substitute(from)
      if (result === undefined) continue
      outgoing.uri = withQuery(raw ? result.text : encodeTarget(result.text), request.query)
      return result.captures
    }
    if (target !== undefined) outgoing.uri = target
    return []
  }
}

/** Only the path is escaped: what stands behind a question mark of the configuration is a query already. */
function encodeTarget(target: string): string {
  const mark = target.indexOf('?')
  const path = encodePath(mark < 0 ? target : target.slice(0, mark)).replaceAll('%253F', '%3F')
  return mark < 0 ? path : path + target.slice(mark)
}

function withQuery(target: string, query: string): string {
  if (query === '') return target
  return `${target}${target.includes('?') ? '&' : '?'}${query}`
}

type Change = (exchange: HttpExchange, captures: Captures) => void

/** Adds, sets and removes, in this order. The flat form sets. */
function compileFields(headers: Readonly<Record<string, unknown>>): Change {
  const isStructured = ['add', 'set', 'remove'].some((key) => typeof headers[key] === 'object')
  const of = (key: string): Readonly<Record<string, FieldValue>> =>
    (isStructured ? (headers[key] ?? {}) : key === 'set' ? headers : {}) as Readonly<Record<string, FieldValue>>
  const adds = templatesOf(of('add'))
  const sets = templatesOf(of('set'))
  const removes = isStructured ? ((headers['remove'] ?? []) as readonly string[]).map((name) => name.toLowerCase()) : []
  const namesHost = [...adds, ...sets].some(([name]) => name.toLowerCase() === 'host')
  return (exchange, captures) => {
    const { headers: sent } = exchange.request
    // `$1` is a group of the pattern, all else a variable.
    const lookup = (name: string): string | undefined =>
      /^\d$/.test(name) ? captures[Number(name) - 1] : exchange.variable(name)
    for (const [name, values] of adds) for (const one of values) sent.append(name, one.render(lookup))
    for (const [name, values] of sets) {
      sent.delete(name.toLowerCase())
      for (const one of values) sent.append(name, one.render(lookup))
    }
    for (const lower of removes) sent.delete(lower)
    if (namesHost) exchange.outgoing.host = sent.get('host')
  }
}

function templatesOf(
  written: Readonly<Record<string, FieldValue>>,
): readonly (readonly [string, readonly Template[]])[] {
  return Object.entries(written).map(([name, value]) => {
    const values = Array.isArray(value) ? value : [value]
    return [name, values.map((one) => compileTemplate(String(one)))]
  })
}
