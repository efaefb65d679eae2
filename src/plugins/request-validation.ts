/** request-validation: lets only requests pass whose fields and body fit schemas. What passed goes on as it was understood. */
import { unescape as unescapePercent } from 'node:querystring'
import { type Answer, compileGivenSchema, type HttpRequest, type Json, type JsonObject, type Plugin } from '#sdk'

interface Conf {
  readonly header_schema?: JsonObject
  readonly body_schema?: JsonObject
  readonly rejected_code: number
  readonly rejected_msg?: string
  readonly max_req_body_size: number
}

const defaultBodyBytes = 64 * 1024 * 1024
const formType = 'application/x-www-form-urlencoded'

export const requestValidation: Plugin<Conf> = {
  name: 'request-validation',
  priority: 2800,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      header_schema: { type: 'object' },
      body_schema: { type: 'object' },
      rejected_code: { type: 'integer', minimum: 200, maximum: 599, default: 400 },
      rejected_msg: { type: 'string', minLength: 1, maxLength: 256 },
      max_req_body_size: { type: 'integer', minimum: 1, default: defaultBodyBytes },
    },
    anyOf: [{ required: ['header_schema'] }, { required: ['body_schema'] }],
  },

  check(conf) {
    for (const name of ['body_schema', 'header_schema'] as const) {
      const schema = conf[name]
      try {
        if (schema !== undefined) compileGivenSchema(schema)
      } catch (error) {
        return `${name}: ${(error as Error).message}`
      }
    }
    return undefined
  },

  create(conf) {
    const fields = conf.header_schema && compileGivenSchema(conf.header_schema)
    const content = conf.body_schema && compileGivenSchema(conf.body_schema)
    const { max_req_body_size: maxBytes } = conf
    const refuse = (reason: string | undefined): Answer => {
      const body = conf.rejected_msg ?? reason
      return { status: conf.rejected_code, ...(body === undefined ? {} : { body }) }
    }

    return {
      rewrite({ request }) {
        const fault = fields?.check(fieldsOf(request))
        if (fault !== undefined) return refuse(fault)
        if (content === undefined) return undefined
        return contentOf(request, maxBytes).then((bytes) => inspect(request, bytes))
      },
    }

    function inspect(request: HttpRequest, bytes: Uint8Array): Answer | undefined {
      const types = request.headers.all('content-type')
      // Which of several the endpoint goes by cannot be known.
      if (bytes.length === 0 || types.length > 1) return refuse(undefined)
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
      const isForm = types[0]?.startsWith(formType) === true
      let value: Json
      try {
        value = isForm ? readForm(text) : (JSON.parse(text) as Json)
      } catch (error) {
        return refuse((error as Error).message)
      }
      const fault = content?.check(value)
      if (fault !== undefined) return refuse(fault)
      // What was checked is what the endpoint reads, however it treats members of one name.
      if (!isForm) request.body.replace(Buffer.from(JSON.stringify(content?.withDefaults(value))))
      return undefined
    }
  },
}

/** By names in lower case; of a repeated field the values. */
function fieldsOf({ headers }: HttpRequest): JsonObject {
  const fields = new Map<string, string | string[]>()
  for (let at = 0; at < headers.size; at++) add(fields, headers.lowerAt(at), headers.valueAt(at))
  return Object.fromEntries(fields)
}

type FormValue = string | true

/** A name without a value is true. */
function readForm(text: string): JsonObject {
  const members = new Map<string, FormValue | FormValue[]>()
  for (const pair of text.split('&')) {
    const mark = pair.indexOf('=')
    const name = decoded(mark < 0 ? pair : pair.slice(0, mark))
    if (name !== '') add(members, name, mark < 0 ? true : decoded(pair.slice(mark + 1)))
  }
  return Object.fromEntries(members)
}

const decoded = (text: string): string => unescapePercent(text.replaceAll('+', ' '))

function add<T extends FormValue>(values: Map<string, T | T[]>, name: string, value: T): void {
  const before = values.get(name)
  if (before === undefined) values.set(name, value)
  else if (Array.isArray(before)) before.push(value)
  else values.set(name, [before, value])
}

async function contentOf({ body }: HttpRequest, maxBytes: number): Promise<Uint8Array> {
  const collected = await body.collect(maxBytes)
  return collected.bytes()
}
