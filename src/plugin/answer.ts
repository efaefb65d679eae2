/** From what a plugin answers with to the head and bytes that leave. Content-Length and what HEAD needs are the sink's. */
import { HeaderList } from '../exchange/header-list.ts'
import type { ResponseHead } from '../exchange/http-exchange.ts'
import { statusPage } from '../exchange/status-page.ts'
import type { Answer } from './plugin.ts'

export interface ComposedAnswer {
  readonly head: ResponseHead
  /** To be read and not changed; possibly empty. */
  readonly body: Uint8Array
}

const plainText = 'text/plain; charset=utf-8'
const htmlText = 'text/html; charset=utf-8'
const nothing = new Uint8Array(0)

/**
 * Text and bytes as they are; objects and lists as JSON and a line feed; without a body, the page of the status. All but pages
 * are `text/plain; charset=utf-8` unless the answer's own headers say otherwise.
 */
export function composeAnswer({ status, body, headers }: Answer): ComposedAnswer {
  const list = new HeaderList()
  if (headers !== undefined) appendAll(list, headers)
  const bytes = body === undefined ? statusPage(status) : bytesOf(body)
  // [RFC 9110 §15.3.5, §15.4.5] Neither has content, so there is no type of it.
  if (status === 204 || status === 304) list.delete('content-type')
  else if (body === undefined && bytes.length > 0) list.set('Content-Type', htmlText)
  else if (!list.has('content-type')) list.push('content-type', 'Content-Type', plainText)
  return { head: { status, reason: '', headers: list, fromUpstream: false }, body: bytes }
}

function appendAll(list: HeaderList, headers: NonNullable<Answer['headers']>): void {
  for (const name of Object.keys(headers)) {
    const value = headers[name] as string | readonly string[]
    if (typeof value === 'string') list.append(name, value)
    else for (const each of value) list.append(name, each)
  }
}

function bytesOf(body: NonNullable<Answer['body']>): Uint8Array {
  if (typeof body === 'string') return body === '' ? nothing : Buffer.from(body)
  return body instanceof Uint8Array ? body : Buffer.from(`${JSON.stringify(body)}\n`)
}
