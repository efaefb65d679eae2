/** mocking: answers in the place of an endpoint that there is not yet, by an example or by a schema. */
import {
  type Answer,
  compileTemplate,
  type HttpExchange,
  type JsonObject,
  type Plugin,
  sleep,
  type Template,
} from '#sdk'
import { sampleFault, sampleObject } from './sample-value.ts'
import { toXml } from './sample-xml.ts'

interface Conf {
  readonly delay: number
  readonly response_status: number
  readonly content_type: string
  readonly response_example?: string
  readonly response_schema?: JsonObject
  readonly response_headers?: Readonly<Record<string, string | number>>
  readonly with_mock_header: boolean
}

const types = ['application/xml', 'application/json', 'text/plain', 'text/html', 'text/xml']
/** What clients of APISIX look for. */
const mockedBy = 'APISIX/3.18.0'

export const mocking: Plugin<Conf> = {
  name: 'mocking',
  priority: 10900,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      delay: { type: 'integer', default: 0, description: 'seconds' },
      response_status: { type: 'integer', default: 200, minimum: 100 },
      content_type: { type: 'string', default: 'application/json;charset=utf8' },
      response_example: { type: 'string' },
      response_schema: { type: 'object' },
      response_headers: {
        type: 'object',
        minProperties: 1,
        patternProperties: { '^[^:]+$': { oneOf: [{ type: 'string' }, { type: 'number' }] } },
      },
      with_mock_header: { type: 'boolean', default: true },
    },
    anyOf: [{ required: ['response_example'] }, { required: ['response_schema'] }],
  },

  check({ content_type: contentType, response_schema: schema, response_status: status }) {
    if (!types.includes(mediaType(contentType))) return 'unsupported content type!'
    if (status < 200 || status > 999) return `response_status: ${status} is no status of an answer`
    return schema === undefined ? undefined : sampleFault(schema)
  },

  create(conf, build) {
    const { delay, response_status: status } = conf
    const bodyFor = compileBody(conf, build.template)
    const own = Object.entries(conf.response_headers ?? {}).map(
      ([name, value]) => [name, build.template(String(value))] as const,
    )
    const named = new Set(own.map(([name]) => name.toLowerCase()))
    const usual: Record<string, string> = {}
    if (!named.has('content-type')) usual['Content-Type'] = conf.content_type
    if (conf.with_mock_header && !named.has('x-mock-by')) usual['x-mock-by'] = mockedBy
    const answer = (exchange: HttpExchange): Answer => {
      const lookup = (name: string): string | undefined => exchange.variable(name)
      const headers: Record<string, string> = { ...usual }
      for (const [name, value] of own) headers[name] = value.render(lookup)
      return { status, headers, body: bodyFor(lookup) }
    }
    return {
      access: (exchange) => (delay > 0 ? sleep(delay * 1000).then(() => answer(exchange)) : answer(exchange)),
    }
  },
}

type Lookup = (name: string) => string | undefined

function compileBody(conf: Conf, compile: (text: string) => Template): (lookup: Lookup) => string {
  const { response_example: example, response_schema: schema = {} } = conf
  if (example !== undefined) {
    const template = compile(example)
    return (lookup) => template.render(lookup)
  }
  const type = mediaType(conf.content_type)
  if (type === 'text/html') return () => ''
  const write = type.endsWith('/xml') ? (value: JsonObject) => toXml(value, 'data') : JSON.stringify
  return (lookup) => {
    const text = write(sampleObject(schema))
    // Only examples within the schema can have variables.
    return text.includes('$') ? compileTemplate(text).render(lookup) : text
  }
}

function mediaType(contentType: string): string {
  const end = contentType.indexOf(';')
  return (end < 0 ? contentType : contentType.slice(0, end)).trim()
}
