/**
 * Variables that look into the body of a request: `request_body`, `post_arg_…`, `post_arg.…`, `graphql_…`. They have values
 * once the body was loaded; asked for before, they are unset and remember that they were asked for. They read nothing.
 */
import type { Json } from '../base/json.ts'
import { compileJsonPath } from '../base/json-path.ts'
import { addField, type FormFields, readFormData } from './form-data.ts'
import { decodeForm, formPairs, formValue } from './form-values.ts'
import { type GraphqlOperation, readGraphql } from './graphql-operation.ts'
import type { CollectedBody, HttpRequest } from './http-exchange.ts'
import type { Scalar, VariableValue } from './variable-value.ts'

export interface BodyLimits {
  /** `apisix.max_post_args_readable_size` in bytes: a larger body leaves these variables unset. */
  readonly readableBytes: number
  /** `graphql.max_size`: the same for `graphql_…`. */
  readonly graphqlBytes: number
  /** Of what may be collected at all. */
  readonly collectBytes: number
}

/** Names beyond are not looked at. */
const maxPairs = 1000

type BodyRead = (body: BodyVariables) => VariableValue

/** How a variable is read out of a body; undefined: it is none that does so. */
export function bodyReader(name: string): BodyRead | undefined {
  if (name === 'request_body') return (body) => body.text || undefined
  if (name.startsWith('post_arg_')) return postArgument(name.slice('post_arg_'.length))
  if (name.startsWith('post_arg.')) return postPath(name.slice('post_arg.'.length))
  return graphql.get(name)
}

/** Whether the value of a variable may depend on the body of the request. */
export function readsBody(name: string): boolean {
  return bodyReader(name) !== undefined
}

/** Whether any of these variables may, of a template or an expression: then the body must be loaded before it is used. */
export function needsBody(names: readonly string[]): boolean {
  return names.some(readsBody)
}

function postArgument(name: string): BodyRead {
  return (body) => (body.mediaType === 'application/x-www-form-urlencoded' ? formValue(body.text, name) : undefined)
}

function postPath(path: string): BodyRead {
  let find: (document: Json) => Json | undefined
  try {
    ;({ find } = compileJsonPath(path))
  } catch {
    // Refused where it is configured; asked for all the same it has no value.
    return () => undefined
  }
  return (body) => {
    const { document } = body
    return document === undefined ? undefined : comparableJson(find(document))
  }
}

const graphql = new Map<string, BodyRead>([
  ['graphql_operation', (body) => body.graphql?.operation],
  ['graphql_name', (body) => body.graphql?.name],
  ['graphql_root_fields', (body) => body.graphql?.rootFields],
])

/** Objects, which nothing can be compared with, as JSON: they are set all the same. */
function comparableJson(json: Json | undefined): VariableValue {
  if (json === null || json === undefined) return undefined
  return Array.isArray(json) ? json.map(scalarOf) : scalarOf(json)
}

function scalarOf(json: Json): Scalar {
  return typeof json === 'object' ? JSON.stringify(json) : json
}

/** The body of one request as these variables see it. */
export class BodyVariables {
  readonly #request: HttpRequest
  #limits: BodyLimits | undefined = undefined
  #collected: CollectedBody | undefined = undefined
  #bytes: Uint8Array | undefined = undefined
  #text: string | undefined = undefined
  #document: { readonly value: Json | undefined } | undefined = undefined
  #graphql: { readonly value: GraphqlOperation | undefined } | undefined = undefined
  /** A value was asked for that only the body has, and it was not loaded. */
  asked = false

  constructor(request: HttpRequest) {
    this.#request = request
  }

  /**
   * Reads the body, unless that was done or there is none. Undefined: at once. Rejects as `RequestBody.collect` does. A body
   * that is announced larger than anybody may look into is left where it is.
   */
  load(limits: BodyLimits): Promise<void> | undefined {
    const { body } = this.#request
    if (this.#limits !== undefined || body.length === 0) return undefined
    this.#limits = limits
    if (body.length !== undefined && body.length > this.#readable) return undefined
    const collected = body.collect(limits.collectBytes)
    return collected instanceof Promise ? collected.then((whole) => this.#take(whole)) : this.#take(collected)
  }

  get #readable(): number {
    const { readableBytes = 0, graphqlBytes = 0 } = this.#limits ?? {}
    return Math.max(readableBytes, graphqlBytes)
  }

  #take(collected: CollectedBody): Promise<void> | undefined {
    this.#collected = collected
    this.#forget()
    if (collected.size > this.#readable) return undefined
    const bytes = collected.bytes()
    if (bytes instanceof Promise) return bytes.then((late) => this.#hold(late))
    this.#hold(bytes)
    return undefined
  }

  #hold(bytes: Uint8Array): void {
    this.#bytes = bytes
  }

  #forget(): void {
    this.#bytes = undefined
    this.#text = undefined
    this.#document = undefined
    this.#graphql = undefined
  }

  /** All bytes; undefined: they are not there, or they are too many. Those that a plugin replaced are gone. */
  #read(maxBytes: number | undefined): Uint8Array | undefined {
    const { body } = this.#request
    if (this.#limits === undefined) {
      this.asked ||= body.length !== 0
      return undefined
    }
    if (this.#collected !== undefined) {
      const now = body.collect(this.#limits.collectBytes)
      if (!(now instanceof Promise) && now !== this.#collected) this.#take(now)
    }
    const bytes = this.#bytes
    return bytes === undefined || bytes.length > (maxBytes ?? 0) ? undefined : bytes
  }

  /** Empty: there is none, or it cannot be read. */
  get text(): string {
    const bytes = this.#read(this.#limits?.readableBytes)
    if (bytes === undefined) return ''
    this.#text ??= textOf(bytes)
    return this.#text
  }

  /** Of Content-Type, without parameters, in lower case. */
  get mediaType(): string {
    const [type = ''] = this.#contentType.split(';', 1)
    return type.trim().toLowerCase()
  }

  get #contentType(): string {
    return this.#request.headers.get('content-type') ?? ''
  }

  /** What the body says by its Content-Type: JSON, or the fields of a form. */
  get document(): Json | undefined {
    const bytes = this.#read(this.#limits?.readableBytes)
    if (bytes === undefined) return undefined
    this.#document ??= { value: this.#readDocument(bytes) }
    return this.#document.value
  }

  #readDocument(bytes: Uint8Array): Json | undefined {
    switch (this.mediaType) {
      case 'application/json':
        return parse(this.text)
      case 'application/x-www-form-urlencoded':
        return readForm(this.text)
      case 'multipart/form-data':
        return readFormData(bytes, this.#contentType)
      default:
        return undefined
    }
  }

  /** Of GET the argument `query`, of POST the body: JSON by its member `query`, anything else as the document itself. */
  get graphql(): GraphqlOperation | undefined {
    const { method } = this.#request
    if (method === 'POST') {
      // Looked at first: it may have been replaced.
      const bytes = this.#read(this.#limits?.graphqlBytes)
      if (bytes === undefined) return undefined
      this.#graphql ??= { value: readGraphql(this.#graphqlText(textOf(bytes))) }
    } else if (method === 'GET') this.#graphql ??= { value: this.#graphqlArgument() }
    return this.#graphql?.value
  }

  #graphqlText(text: string): string {
    if (this.#contentType !== 'application/json') return text
    const document = parse(text)
    const query =
      typeof document === 'object' && document !== null ? (document as { query?: unknown }).query : undefined
    return typeof query === 'string' ? query : ''
  }

  #graphqlArgument(): GraphqlOperation | undefined {
    const query = formValue(this.#request.query, 'query')
    return typeof query === 'string' ? readGraphql(query) : undefined
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

function readForm(text: string): FormFields {
  const fields = Object.create(null) as FormFields
  for (const [name, value] of formPairs(text, maxPairs)) addField(fields, decodeForm(name), decodeForm(value))
  return fields
}
