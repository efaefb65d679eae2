/** Both halves of HTTP/1.1 on links that lead nowhere: what a forwarded request costs besides the road and the system. */
import assert from 'node:assert/strict'
import { Http1Client, http1 } from '../../../../protocols/http1/index.ts'
import type { HeaderList } from '../../../../src/exchange/header-list.ts'
import type { ResponseHead } from '../../../../src/exchange/http-exchange.ts'
import type { HttpSession } from '../../../../src/exchange/http-session.ts'
import type { HttpRoad, HttpSink, ResponseReceiver, SinkOwner } from '../../../../src/protocol/http-protocol.ts'
import type { Bench } from '../../harness.ts'
import { NowhereLink, settings, wheel } from '../../nowhere.ts'

const limits = { sendMs: 60_000, readMs: 60_000, wheel }

class Through implements SinkOwner, ResponseReceiver {
  readonly #exchange: HttpSession
  readonly #sink: HttpSink

  constructor(exchange: HttpSession, sink: HttpSink) {
    this.#exchange = exchange
    this.#sink = sink
  }
  start(): void {
    const { request } = this.#exchange
    const { method, target: uri, headers, body } = request
    client.send({ method, uri, headers, body, upgrade: undefined, request }, limits, this)
  }
  drained(): void {}
  gone(): void {}
  sent(): void {}
  interim(): void {}
  head(head: ResponseHead, length: number | undefined): void {
    this.#sink.begin(head, length)
  }
  part(bytes: Uint8Array): void {
    this.#sink.write(bytes)
  }
  flush(): void {
    this.#sink.flush()
  }
  ended(trailers: HeaderList | undefined): void {
    this.#sink.finish(trailers)
  }
  failed(): void {}
  upgraded(): void {}
  sending(): void {}
}

class ThroughRoad implements HttpRoad {
  accept(exchange: HttpSession, sink: HttpSink): SinkOwner {
    return new Through(exchange, sink)
  }
  refused(): undefined {}
}

const downstream = new NowhereLink()
const upstream = new NowhereLink()
const client = new Http1Client(upstream)
http1.serve(downstream, { head: new Uint8Array(0), hello: undefined }, new ThroughRoad(), settings, 'here')

const get = Buffer.from(
  'GET /api/v1/items?page=2 HTTP/1.1\r\nHost: shop.example.com:9080\r\nUser-Agent: load/1.0\r\n' +
    'Accept: */*\r\nConnection: keep-alive\r\n\r\n',
)
const post = Buffer.from(
  'POST /orders HTTP/1.1\r\nHost: shop.example.com\r\nContent-Type: application/json\r\nContent-Length: 26\r\n' +
    'X-Tenant: blue\r\nAuthorization: Bearer 0f9a7c5e2d1b4a68\r\n\r\n{"item":"a17","count":"4"}',
)
const answer = Buffer.from(
  'HTTP/1.1 200 OK\r\nServer: backend/2\r\nDate: Sat, 21 Nov 2026 15:00:00 GMT\r\nContent-Type: application/json\r\n' +
    'Content-Length: 26\r\nConnection: keep-alive\r\nETag: "5f-17"\r\n\r\n{"item":"a17","count":"4"}',
)
const chunked = Buffer.from(
  'HTTP/1.1 200 OK\r\nServer: backend/2\r\nDate: Sat, 21 Nov 2026 15:00:00 GMT\r\nContent-Type: application/json\r\n' +
    'Transfer-Encoding: chunked\r\n\r\n1a\r\n{"item":"a17","count":"4"}\r\n0\r\n\r\n',
)

function bench(name: string, request: Uint8Array, response: Uint8Array): Bench {
  const once = (): void => {
    downstream.receiver?.bytes(downstream, request)
    upstream.receiver?.bytes(upstream, response)
  }
  return {
    name: `http1: ${name}, forwarded and answered`,
    check() {
      const before = downstream.bytesWritten
      once()
      assert.ok(downstream.bytesWritten - before > 100 && !client.busy)
    },
    run(times) {
      for (let index = 0; index < times; index += 1) once()
      return downstream.last
    },
  }
}

export const benches: readonly Bench[] = [
  bench('a small GET', get, answer),
  bench('a small POST', post, answer),
  bench('a chunked answer', get, chunked),
]
