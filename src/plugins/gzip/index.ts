/** gzip: compresses answers for clients that take it. Which answers is as nginx has it; how, `gzip-member.ts`. */
import type { BodyFilter, HeaderList, HttpExchange, Plugin, ResponseHead } from '#sdk'
import { GzipMember } from './gzip-member.ts'

interface Conf {
  readonly types: readonly string[] | '*'
  readonly min_length: number
  readonly comp_level: number
  readonly http_version: number
  readonly buffers: { readonly number: number; readonly size: number }
  readonly vary?: boolean
}

/** Of others the body is short, partial, or not there. */
const statuses: ReadonlySet<number> = new Set([200, 403, 404])

export const gzip: Plugin<Conf> = {
  name: 'gzip',
  priority: 995,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      types: {
        anyOf: [{ type: 'array', minItems: 1, items: { type: 'string', minLength: 1 } }, { enum: ['*'] }],
        default: ['text/html'],
      },
      min_length: { type: 'integer', minimum: 1, default: 20 },
      comp_level: { type: 'integer', minimum: 1, maximum: 9, default: 1 },
      http_version: { enum: [1.1, 1], default: 1.1 },
      buffers: {
        type: 'object',
        properties: {
          number: { type: 'integer', minimum: 1, default: 32 },
          size: { type: 'integer', minimum: 1, default: 4096 },
        },
        default: { number: 32, size: 4096 },
      },
      vary: { type: 'boolean' },
    },
  },

  create(conf) {
    const { buffers, comp_level: level, min_length: leastBytes, vary } = conf
    const types = conf.types === '*' ? undefined : new Set(conf.types.map((type) => type.toLowerCase()))
    const leastVersion = conf.http_version * 10
    const settings = { level, bufferBytes: buffers.size, buffers: buffers.number }

    /** Whether this answer is compressed for whoever takes it. */
    function isWorthIt({ request }: HttpExchange, { status, headers }: ResponseHead): boolean {
      if (!statuses.has(status) || request.method === 'HEAD' || request.version < leastVersion) return false
      const type = headers.get('content-type')
      if (type === undefined || types?.has(mediaType(type)) === false) return false
      const length = headers.get('content-length')
      if (length !== undefined && Number(length) < leastBytes) return false
      const encoding = headers.get('content-encoding')
      return (encoding === undefined || encoding === '') && !forbidsChanges(headers)
    }

    function code(exchange: HttpExchange, head: ResponseHead): BodyFilter | undefined {
      if (!isWorthIt(exchange, head)) return undefined
      const { headers } = head
      if (vary === true) addVary(headers)
      if (!takesGzip(exchange.request.headers.joined('accept-encoding'))) return undefined
      headers.set('Content-Encoding', 'gzip')
      headers.delete('accept-ranges')
      const tag = headers.get('etag')
      // Not byte for byte what the endpoint means by it any more. [RFC 9110 §8.8.1]
      if (tag?.startsWith('"') === true) headers.set('ETag', `W/${tag}`)
      const member = new GzipMember(settings)
      return { part: (bytes, last) => member.add(bytes, last) }
    }

    return {
      // Other plugins change what is plain: this one is the last, whatever its priority.
      headerFilter: (exchange) => ({ code: (head) => code(exchange, head) }),
    }
  },
}

function mediaType(type: string): string {
  const end = type.indexOf(';')
  return (end < 0 ? type : type.slice(0, end)).trim().toLowerCase()
}

/** [RFC 9111 §5.2.2.6] */
function forbidsChanges(headers: HeaderList): boolean {
  return headers.joined('cache-control')?.toLowerCase().includes('no-transform') === true
}

function addVary(headers: HeaderList): void {
  const vary = headers.joined('vary')
  const names = vary?.toLowerCase().split(/\s*,\s*/) ?? []
  if (!names.includes('accept-encoding') && !names.includes('*')) headers.append('Vary', 'Accept-Encoding')
}

/** gzip is named, and not with the weight 0. [RFC 9110 §12.5.3] */
function takesGzip(accepted: string | undefined): boolean {
  if (accepted === undefined) return false
  for (const each of accepted.split(',')) {
    const [coding = '', ...parameters] = each.split(';').map((part) => part.trim().toLowerCase())
    if (coding !== 'gzip' && coding !== 'x-gzip') continue
    return !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter))
  }
  return false
}
