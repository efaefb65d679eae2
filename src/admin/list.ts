/**
 * Lists of resources: which ones a query asks for, which page of them, and their JSON text in pieces, so that ten
 * thousand of them neither stall the thread nor stand in memory twice.
 */

import { Readable } from 'node:stream'
import { RE2JS } from 're2js'
import type { JsonObject } from '../base/json.ts'
import type { Resource } from '../config/store.ts'
import type { Log } from '../observability/log.ts'
import type { ResourceKind } from '../resources/kind.ts'
import { Refusal, type Reply, refusal } from './reply.ts'

const minPageSize = 10
const maxPageSize = 500
/** Items that are put into words before other work gets its turn. */
const itemsPerPiece = 250
/** A regular expression of a query longer than this is refused. */
const maxPatternLength = 1024

/** The items that pass every filter of the query, in their order. Refuses patterns that cannot be compiled. */
export function filterList(
  kind: ResourceKind,
  items: readonly Resource[],
  query: URLSearchParams,
  log: Log,
): readonly Resource[] {
  const tests = [nameTest(query), labelTest(query), uriTest(query), ...exactTests(kind, query, log)]
  const wanted = tests.filter((test) => test !== undefined)
  if (wanted.length === 0) return items
  return items.filter(({ value }) => wanted.every((test) => test(value)))
}

type Test = (value: JsonObject) => boolean

function nameTest(query: URLSearchParams): Test | undefined {
  const pattern = compile(query, 'name')
  if (pattern === undefined) return undefined
  return ({ name }) => typeof name === 'string' && pattern.matcher(name).find()
}

/** Only the label's key counts; an empty `label=` restricts nothing. */
function labelTest(query: URLSearchParams): Test | undefined {
  const label = query.get('label')
  if (label === null || label === '') return undefined
  return ({ labels }) => typeof labels === 'object' && labels !== null && Object.hasOwn(labels, label)
}

function uriTest(query: URLSearchParams): Test | undefined {
  const pattern = compile(query, 'uri')
  if (pattern === undefined) return undefined
  const matches = (uri: unknown) => typeof uri === 'string' && pattern.matcher(uri).find()
  return ({ uri, uris }) => matches(uri) || (Array.isArray(uris) && uris.some(matches))
}

/** `filter=service_id%3D1%26upstream_id%3D2`: equal as text; keys that the kind does not know are ignored. */
function exactTests(kind: ResourceKind, query: URLSearchParams, log: Log): readonly Test[] {
  const filter = query.get('filter')
  if (filter === null) return []
  const tests: Test[] = []
  for (const [key, wanted] of new URLSearchParams(filter)) {
    if (kind.filters.includes(key)) tests.push((value) => value[key] !== undefined && String(value[key]) === wanted)
    else log.warn({ kind: kind.name, key }, 'a list filter that this kind of resource does not know was ignored')
  }
  return tests
}

/** Patterns come from outside: RE2 runs in linear time whatever they are. */
function compile(query: URLSearchParams, argument: string): RE2JS | undefined {
  const pattern = query.get(argument)
  if (pattern === null) return undefined
  if (pattern.length > maxPatternLength) {
    throw refusal(400, `invalid argument ${argument}: longer than ${maxPatternLength} characters`)
  }
  try {
    return RE2JS.compile(pattern)
  } catch (error) {
    throw refusal(400, `invalid argument ${argument}: ${(error as Error).message}`)
  }
}

/** One page, by age; everything in its own order when the query does not ask for pages with two numbers. */
export function pageOf(items: readonly Resource[], query: URLSearchParams): readonly Resource[] {
  const page = numberIn(query, 'page')
  const size = numberIn(query, 'page_size')
  if (page === undefined || size === undefined) return items
  if (size < minPageSize || size > maxPageSize) {
    const body = `page_size must be between ${minPageSize} and ${maxPageSize}`
    throw new Refusal({ status: 400, body })
  }
  const first = (Math.max(1, Math.floor(page)) - 1) * Math.floor(size)
  const byAge = [...items].sort((one, other) => one.createdIndex - other.createdIndex)
  return byAge.slice(first, first + Math.floor(size))
}

/** A number argument; undefined when it is missing or not a number. */
export function numberIn(query: URLSearchParams, argument: string): number | undefined {
  const text = query.get(argument)?.trim()
  if (text === undefined || text === '') return undefined
  const number = Number(text)
  return Number.isFinite(number) ? number : undefined
}

/**
 * `{"list":[…],"total":N}`. `total` counts what passed the filters, whatever the page. Short lists are one text; long
 * ones are streamed, and whatever `show` makes of a resource lives only until its piece is sent.
 */
export function listReply(items: readonly Resource[], total: number, show: (resource: Resource) => unknown): Reply {
  if (items.length <= itemsPerPiece) {
    return { status: 200, body: { json: { list: items.map(show), total } } }
  }
  return { status: 200, body: Readable.from(pieces(items, total, show), { objectMode: false }) }
}

async function* pieces(
  items: readonly Resource[],
  total: number,
  show: (resource: Resource) => unknown,
): AsyncGenerator<Buffer> {
  yield Buffer.from('{"list":[')
  for (let start = 0; start < items.length; start += itemsPerPiece) {
    const texts = items.slice(start, start + itemsPerPiece).map((item) => JSON.stringify(show(item)))
    yield Buffer.from((start === 0 ? '' : ',') + texts.join(','))
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  yield Buffer.from(`],"total":${total}}\n`)
}
