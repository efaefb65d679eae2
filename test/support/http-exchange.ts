/**
 * Exchanges of HTTP for unit tests of plugins: the real session with its variables, over a link that leads nowhere and a
 * body in memory. Nothing routes or forwards them.
 */
import { HeaderList } from '../../src/exchange/header-list.ts'
import type { HttpRequest, ResponseHead } from '../../src/exchange/http-exchange.ts'
import { HttpSession } from '../../src/exchange/http-session.ts'
import { normalisePath } from '../../src/exchange/request-path.ts'
import { MemoryBody, type MemoryBodyOptions } from './memory-body.ts'
import { StillLink, type StillLinkOptions } from './still-link.ts'

/** Fields by name; several of one name as pairs. */
export type Fields = Readonly<Record<string, string>> | readonly (readonly [name: string, value: string])[]

export interface TestRequest extends StillLinkOptions, MemoryBodyOptions {
  /** Default GET. */
  readonly method?: string
  /** As sent: path and query. Default `/`. */
  readonly target?: string
  /** Default: the Host field of `headers`, or `localhost`. */
  readonly host?: string
  readonly headers?: Fields
  /** Parts are delivered one by one. Default: none. */
  readonly body?: string | Uint8Array | readonly (string | Uint8Array)[]
  /** Default: `https` if `tls` is given. */
  readonly scheme?: 'http' | 'https'
  /** Default 11. */
  readonly version?: number
  readonly upgrade?: string
}

/** An exchange whose body can be looked at. */
export type TestExchange = HttpSession & { readonly request: HttpRequest & { readonly body: MemoryBody } }

/** A request that has just come. Each call makes one of its own. */
export function httpExchange(asked: TestRequest = {}): TestExchange {
  const headers = fieldsOf(asked.headers)
  const authority = asked.host ?? headers.get('host') ?? 'localhost'
  headers.set('Host', authority)
  const target = asked.target ?? '/'
  const where = normalisePath(target)
  if (where === undefined) throw new Error(`${target} would be refused with 400`)
  const parts = asked.body === undefined ? [] : [asked.body].flat()
  const body = new MemoryBody(parts as readonly (string | Uint8Array)[], asked)
  if (body.length !== undefined && body.length > 0 && !headers.has('content-length')) {
    headers.append('Content-Length', String(body.length))
  }
  const request = {
    method: asked.method ?? 'GET',
    target,
    path: where.path,
    query: where.query,
    host: hostOf(authority),
    authority,
    scheme: asked.scheme ?? (asked.tls === undefined ? 'http' : 'https'),
    version: asked.version ?? 11,
    headers,
    body,
    upgrade: asked.upgrade,
    headBytes: 0,
  } satisfies HttpRequest
  const link = new StillLink(asked)
  const listener = `${link.localAddress}:${link.localPort}`
  return new HttpSession('http1', listener, link, request) as TestExchange
}

/** The head of an answer, as header filters get it. */
export function responseHead(status = 200, headers: Fields = {}, fromUpstream = true): ResponseHead {
  return { status, reason: '', headers: fieldsOf(headers), fromUpstream }
}

/** `name: value` of every field, in order: what a test compares. */
export function linesOf(headers: HeaderList): readonly string[] {
  return Array.from({ length: headers.size }, (_, at) => `${headers.nameAt(at)}: ${headers.valueAt(at)}`)
}

function fieldsOf(fields: Fields = {}): HeaderList {
  const list = new HeaderList()
  for (const [name, value] of Array.isArray(fields) ? fields : Object.entries(fields)) list.append(name, value)
  return list
}

function hostOf(authority: string): string {
  return authority
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase()
}
