/** cors: which pages of other origins may read the answers; preflights are answered here. */
import { type Build, compilePattern, type HeaderList, type HttpExchange, type JsonObject, type Plugin } from '#sdk'

interface Conf {
  readonly allow_origins: string
  readonly allow_methods: string
  readonly allow_headers: string
  readonly expose_headers?: string
  readonly max_age: number
  readonly allow_credential: boolean
  readonly allow_origins_by_regex?: readonly string[]
  readonly allow_origins_by_metadata?: readonly string[]
  readonly timing_allow_origins?: string
  readonly timing_allow_origins_by_regex?: readonly string[]
}

/** What an origin is answered with; undefined: it is not allowed. */
type Allows = (origin: string | undefined) => string | undefined

const origins = '^(\\*|\\*\\*|null|\\w+://[^,]+(,\\w+://[^,]+)*)$'
const patterns = {
  type: 'array',
  items: { type: 'string', minLength: 1, maxLength: 4096 },
  minItems: 1,
  uniqueItems: true,
}
const everyMethod = 'GET,POST,PUT,DELETE,PATCH,HEAD,OPTIONS,CONNECT,TRACE'

export const cors: Plugin<Conf> = {
  name: 'cors',
  priority: 4000,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      allow_origins: { description: '*, ** or origins with commas', type: 'string', pattern: origins, default: '*' },
      allow_methods: { description: '*, ** or methods with commas', type: 'string', default: '*' },
      allow_headers: { description: '*, ** or fields with commas', type: 'string', default: '*' },
      expose_headers: { description: 'fields with commas', type: 'string' },
      max_age: { description: 'seconds that a preflight holds; -1: not at all', type: 'integer', default: 5 },
      allow_credential: { type: 'boolean', default: false },
      allow_origins_by_regex: patterns,
      allow_origins_by_metadata: patterns,
      timing_allow_origins: { type: 'string', pattern: origins },
      timing_allow_origins_by_regex: patterns,
    },
  },
  metadataSchema: {
    type: 'object',
    properties: {
      allow_origins: {
        type: 'object',
        additionalProperties: { type: 'string', pattern: origins },
      },
    },
  },

  check(conf) {
    if (conf.allow_credential) {
      const { allow_origins, allow_methods, allow_headers, expose_headers, timing_allow_origins } = conf
      const all = [allow_origins, allow_methods, allow_headers, expose_headers, timing_allow_origins]
      if (all.includes('*')) return "you can not set '*' for other option when 'allow_credential' is true"
    }
    try {
      for (const pattern of [...(conf.allow_origins_by_regex ?? []), ...(conf.timing_allow_origins_by_regex ?? [])]) {
        compilePattern(pattern, false)
      }
      return undefined
    } catch (error) {
      return (error as Error).message
    }
  },

  create(conf, build) {
    const allowed = originsOf(conf, build)
    const timing = timingOf(conf)
    const asked = new WeakMap<HttpExchange, Asked>()
    return {
      rewrite(exchange) {
        const { headers, method } = exchange.request
        // As the client sent it: what other plugins make of the field afterwards is nobody's origin.
        asked.set(exchange, {
          origin: headers.get('origin'),
          fields: headers.get('access-control-request-headers'),
        })
        return method === 'OPTIONS' ? { status: 200, body: '' } : undefined
      },
      headerFilter(exchange, head) {
        const { headers } = head
        const { origin, fields } = asked.get(exchange) ?? noneAsked
        const timed = timing?.(origin)
        if (timed !== undefined) headers.set('Timing-Allow-Origin', timed)
        const answer = allowed(origin)
        if (conf.allow_origins !== '*') vary(headers)
        if (answer !== undefined) allow(headers, conf, answer, fields)
        return undefined
      },
    }
  },
}

interface Asked {
  readonly origin: string | undefined
  readonly fields: string | undefined
}

const noneAsked: Asked = { origin: undefined, fields: undefined }

function allow(headers: HeaderList, conf: Conf, origin: string, asked: string | undefined): void {
  headers.set('Access-Control-Allow-Origin', origin)
  headers.set('Access-Control-Allow-Methods', conf.allow_methods === '**' ? everyMethod : conf.allow_methods)
  headers.set('Access-Control-Max-Age', String(conf.max_age))
  if (conf.allow_headers !== '**') headers.set('Access-Control-Allow-Headers', conf.allow_headers)
  else if (asked !== undefined) headers.set('Access-Control-Allow-Headers', asked)
  else headers.delete('access-control-allow-headers')
  if (conf.expose_headers === undefined || conf.expose_headers === '') headers.delete('access-control-expose-headers')
  else headers.set('Access-Control-Expose-Headers', conf.expose_headers)
  if (conf.allow_credential) headers.set('Access-Control-Allow-Credentials', 'true')
  else headers.delete('access-control-allow-credentials')
}

/** Caches must not hand one origin's answer to another. */
function vary(headers: HeaderList): void {
  const before = headers.joined('vary')
  headers.set('Vary', before === undefined ? 'Origin' : `${before}, Origin`)
}

function originsOf(conf: Conf, build: Build): Allows {
  const byList = listed(conf.allow_origins)
  const byPattern = matched(conf.allow_origins_by_regex)
  const keys = conf.allow_origins_by_metadata ?? []
  return (origin) => {
    // Patterns and metadata, where there are any, stand beside a list that names origins, and in the place of one that does not.
    const isOpen = conf.allow_origins === '*' && (byPattern !== undefined || keys.length > 0)
    const plain = isOpen ? undefined : byList(origin)
    return plain ?? byPattern?.(origin) ?? fromMetadata(build.metadata(), keys, origin)
  }
}

function timingOf({ timing_allow_origins: list, timing_allow_origins_by_regex: written }: Conf): Allows | undefined {
  if (list === undefined && written === undefined) return undefined
  const byList: Allows = list === undefined ? () => undefined : listed(list)
  const byPattern = matched(written)
  return (origin) => byPattern?.(origin) ?? byList(origin)
}

function listed(list: string): Allows {
  if (list === '*') return () => '*'
  if (list === '**') return (origin) => origin ?? '*'
  const names = new Set(list.split(','))
  return (origin) => (origin !== undefined && names.has(origin) ? origin : undefined)
}

function matched(written: readonly string[] | undefined): Allows | undefined {
  if (written === undefined) return undefined
  const tests = written.map((pattern) => compilePattern(pattern, false))
  return (origin) => (origin !== undefined && tests.some((test) => test(origin)) ? origin : undefined)
}

function fromMetadata(metadata: JsonObject | undefined, keys: readonly string[], origin: string | undefined) {
  const lists = metadata?.['allow_origins'] as Readonly<Record<string, string>> | undefined
  if (lists === undefined || origin === undefined) return undefined
  for (const key of keys) {
    const list = lists[key]
    if (list !== undefined && listed(list)(origin) !== undefined) return origin
  }
  return undefined
}
