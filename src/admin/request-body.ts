/**
 * Reads and parses the bodies of the Admin API: JSON whatever the content type says, YAML where a caller allows it.
 * Refuses what would hurt later on: bodies over the limit, nesting deeper than any configuration, `__proto__` keys.
 */
import type { IncomingMessage } from 'node:http'
import { parse as parseYaml } from 'yaml'
import type { Json } from '../base/json.ts'
import { json, Refusal, refusal } from './reply.ts'

/** The largest body of a call for one resource, or of a document that is only validated. */
export const maxBodyBytes = 1_572_864
/** The largest document that `PUT /configs` takes: a whole configuration may well exceed what one resource may. */
export const maxDocumentBytes = 67_108_864
/** Deeper JSON or YAML is refused: later steps walk values recursively. */
export const maxDepth = 1000
/** An oversize chunked body is counted up to this multiple of its limit; beyond it the count stands as it is. */
const countedMultiple = 16

/** The whole body as text; empty when there is none. Refuses with 400 over `maxBytes`, without buffering more. */
export async function readBody(request: IncomingMessage, maxBytes = maxBodyBytes): Promise<string> {
  const announced = Number(request.headers['content-length'] ?? Number.NaN)
  if (announced > maxBytes) throw tooLarge(announced, maxBytes)
  const chunks: Buffer[] = []
  let size = 0
  try {
    // not destroyed when left early: the refusal still has to reach the client on the same socket
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size <= maxBytes) chunks.push(chunk)
      else if (size > countedMultiple * maxBytes) break
    }
  } catch {
    // nobody is left to read this; it only ends the handler without an error line
    throw refusal(400, 'invalid request body: the client closed the connection')
  }
  if (size > maxBytes) throw tooLarge(size, maxBytes)
  return Buffer.concat(chunks).toString('utf8')
}

function tooLarge(size: number, maxBytes: number): Refusal {
  const detail = `request size ${size} is greater than the maximum size ${maxBytes} allowed`
  return refusal(400, `invalid request body: ${detail}`)
}

/** JSON text as a value; a `null` or an empty text is no body. Refuses with 400, showing the text. */
export function parseJsonBody(text: string): Json | undefined {
  if (text === '') return undefined
  try {
    return (parseJson(text) ?? undefined) as Json | undefined
  } catch (error) {
    const message = `invalid request body: ${(error as Error).message}`
    throw new Refusal(json(400, { error_msg: message, req_body: text }))
  }
}

/**
 * A document of `/configs`: YAML when the content type begins with `application/yaml`, else JSON. Refuses with 400
 * unless it is an object.
 */
export function parseDocument(text: string, contentType: string | undefined): { [key: string]: Json } {
  if (text === '') throw refusal(400, 'invalid request body: empty request body')
  const yaml = contentType?.startsWith('application/yaml') === true
  let value: unknown
  try {
    value = yaml ? parseYamlDocument(text) : parseJson(text)
  } catch (error) {
    throw refusal(400, `invalid request body: ${yaml ? 'invalid yaml request body' : (error as Error).message}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refusal(400, `invalid request body: ${yaml ? 'invalid yaml request body' : 'expected an object'}`)
  }
  return value as { [key: string]: Json }
}

/** YAML goes through JSON once, so that what follows sees plain JSON values (no dates, no maps with odd keys). */
function parseYamlDocument(text: string): unknown {
  const value: unknown = parseYaml(text, { maxAliasCount: 100 })
  return value === undefined ? undefined : parseJson(JSON.stringify(value))
}

function parseJson(text: string): Json {
  if (text.length > 2 * maxDepth && depthOf(text) > maxDepth) throw new Error(`nested deeper than ${maxDepth} levels`)
  const value = JSON.parse(text) as Json
  // the escaped spelling too: JSON lets any character of a key be written as \u…
  if (/__proto__|\\u00/i.test(text) && hasProtoKey(value)) {
    throw new Error('the key "__proto__" is not allowed')
  }
  return value
}

function hasProtoKey(value: Json): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some(hasProtoKey)
  return Object.entries(value).some(([key, inner]) => key === '__proto__' || hasProtoKey(inner))
}

/** The deepest nesting of brackets outside of strings; wrong JSON gives some number. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) at = endOfString(text, at)
    else if (code === 0x5b || code === 0x7b) deepest = Math.max(deepest, ++depth)
    else if (code === 0x5d || code === 0x7d) depth--
  }
  return deepest
}

function endOfString(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text.charCodeAt(at) !== 0x22) at += text.charCodeAt(at) === 0x5c ? 2 : 1
  return at
}
