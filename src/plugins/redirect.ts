/** redirect: answers with another place to ask at. */
import { type Answer, compileSubstitution, compileTemplate, encodePath, type HttpExchange, type Plugin } from '#sdk'

interface Conf {
  readonly uri?: string
  readonly regex_uri?: readonly [pattern: string, template: string]
  readonly http_to_https?: boolean
  readonly ret_code: number
  readonly encode_uri: boolean
  readonly append_query_string: boolean
}

export const redirect: Plugin<Conf> = {
  name: 'redirect',
  priority: 900,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      ret_code: { type: 'integer', minimum: 200, default: 302 },
      uri: {
        type: 'string',
        minLength: 2,
        pattern: '(\\\\\\$[0-9a-zA-Z_]+)|\\$\\{([0-9a-zA-Z_]+)\\}|\\$([0-9a-zA-Z_]+)|(\\$|[^$\\\\]+)',
      },
      regex_uri: {
        description: 'a pattern and what its match becomes',
        type: 'array',
        maxItems: 2,
        minItems: 2,
        items: { type: 'string' },
      },
      http_to_https: { type: 'boolean' },
      encode_uri: { type: 'boolean', default: false },
      append_query_string: { type: 'boolean', default: false },
    },
    oneOf: [{ required: ['uri'] }, { required: ['regex_uri'] }, { required: ['http_to_https'] }],
  },

  check({ regex_uri, http_to_https, append_query_string }) {
    if (http_to_https === true && append_query_string) {
      return 'only one of `http_to_https` and `append_query_string` can be configured.'
    }
    try {
      if (regex_uri !== undefined) compileSubstitution(regex_uri[0], regex_uri[1])
      return undefined
    } catch (error) {
      return (error as Error).message
    }
  },

  create(conf, build) {
    if (conf.http_to_https === true) {
      const port = httpsPort(build.attributes)
      return { rewrite: (exchange) => toHttps(exchange, port()) }
    }
    const place = placeOf(conf)
    if (place === undefined) return {}
    return {
      rewrite(exchange): Answer | undefined {
        const found = place(exchange)
        if (found === undefined) return undefined
        let location = conf.encode_uri ? encodePath(found) : found
        const { query } = exchange.request
        if (conf.append_query_string && query !== '') location += `${location.includes('?') ? '&' : '?'}${query}`
        return { status: conf.ret_code, headers: { Location: location } }
      },
    }
  },
}

function placeOf({ uri, regex_uri }: Conf): ((exchange: HttpExchange) => string | undefined) | undefined {
  if (uri !== undefined) {
    const template = compileTemplate(uri)
    return (exchange) => template.render((name) => exchange.variable(name))
  }
  if (regex_uri === undefined) return undefined
  const substitute = compileSubstitution(regex_uri[0], regex_uri[1])
  return (exchange) => substitute(exchange.request.path)?.text
}

interface Attributes {
  readonly https_port?: number
  /** Those that the gateway listens on. */
  readonly https_ports?: readonly number[]
}

/** The port of HTTPS: of the plugin's attributes, else any of those that are listened on; undefined: 443. */
function httpsPort(attributes: unknown): () => number | undefined {
  const { https_port: configured, https_ports: listened = [] } = (attributes ?? {}) as Attributes
  if (configured !== undefined) return () => configured
  return () => listened[Math.floor(Math.random() * listened.length)]
}

/** 308 keeps the method; 301 is what clients of long ago know. */
function toHttps(exchange: HttpExchange, port: number | undefined): Answer | undefined {
  const { request } = exchange
  const scheme = request.headers.get('x-forwarded-proto') ?? request.scheme
  if (scheme !== 'http') return undefined
  const status = request.method === 'GET' || request.method === 'HEAD' ? 301 : 308
  const host = request.host.includes(':') ? `[${request.host}]` : request.host
  const where = port === undefined || port <= 0 || port > 65_535 || port === 443 ? host : `${host}:${port}`
  const query = request.query === '' ? '' : `?${request.query}`
  return { status, headers: { Location: `https://${where}${encodePath(request.path)}${query}` } }
}
