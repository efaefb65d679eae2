/** A request of HTTP/1.x as exchanges show it: what its head said, and the body that follows. */
import type { HeaderList, HttpRequest, RequestPath } from '#sdk'
import type { RequestHead } from './codec/request-head.ts'
import type { Http1RequestBody } from './request-body.ts'

export class Http1Request implements HttpRequest {
  method: string
  readonly target: string
  path: string
  query: string
  readonly host: string
  readonly authority: string
  readonly scheme: 'http' | 'https'
  readonly version: number
  readonly headers: HeaderList
  readonly body: Http1RequestBody
  readonly upgrade: string | undefined
  readonly headBytes: number

  /** `path`: what the target of `head` stands for. */
  constructor(head: RequestHead, path: RequestPath, scheme: 'http' | 'https', body: Http1RequestBody) {
    this.method = head.method
    this.target = head.uri
    this.path = path.path
    this.query = path.query
    this.host = head.host
    this.authority = head.authority
    this.scheme = scheme
    this.version = head.version
    this.headers = head.headers
    this.body = body
    this.upgrade = head.upgrade
    this.headBytes = head.bytes
  }
}
