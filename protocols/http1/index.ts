/** HTTP/1.1 and 1.0, both halves. What a request means is not known here: its exchange goes to the road. */
import type { HttpProtocol } from '#sdk'
import { Http1Client } from './client.ts'
import { failures } from './failures.ts'
import { serve } from './server.ts'

export { Http1Client } from './client.ts'
export { failures } from './failures.ts'

export const http1: HttpProtocol = {
  kind: 'http',
  name: 'http1',
  carrier: 'stream',
  alpn: ['http/1.1'],
  failures,
  serve,
  connect: (link) => new Http1Client(link),
}
