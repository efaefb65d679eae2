/** Heads read and written, chunked bodies read: what one request costs before anything is decided about it. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { ChunkedReader } from '../../../../protocols/http1/codec/chunked-reader.ts'
import { writeAnswerHead, writeRequestHead } from '../../../../protocols/http1/codec/head-writer.ts'
import { RequestHeadReader } from '../../../../protocols/http1/codec/request-head.ts'
import { AnswerHeadReader } from '../../../../protocols/http1/codec/response-head.ts'
import { normalisePath } from '../../../../src/exchange/request-path.ts'
import type { Bench } from '../../harness.ts'

const rules = { maxLineBytes: 8192, maxHeadBytes: 32_768, maxHeaders: 100, underscores: true }

const small = Buffer.from(
  'GET /api/v1/items?page=2 HTTP/1.1\r\nHost: shop.example.com:9080\r\nUser-Agent: load/1.0\r\n' +
    'Accept: */*\r\nConnection: keep-alive\r\n\r\n',
)
const browser = Buffer.from(
  'GET /api/v1/items?page=2 HTTP/1.1\r\nHost: shop.example.com\r\nConnection: keep-alive\r\n' +
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n' +
    'Accept: application/json, text/plain, */*\r\nReferer: https://shop.example.com/items\r\n' +
    'Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n' +
    'Cookie: session=0f9a7c5e2d1b4a68; theme=dark; region=eu\r\n\r\n',
)
const post = Buffer.from(
  'POST /orders HTTP/1.1\r\nHost: shop.example.com\r\nContent-Type: application/json\r\nContent-Length: 26\r\n' +
    'X-Tenant: blue\r\nAuthorization: Bearer 0f9a7c5e2d1b4a68\r\n\r\n{"item":"a17","count":"4"}',
)
const answer = Buffer.from(
  'HTTP/1.1 200 OK\r\nServer: backend/2\r\nDate: Sat, 21 Nov 2026 15:00:00 GMT\r\nContent-Type: application/json\r\n' +
    'Content-Length: 26\r\nConnection: keep-alive\r\nETag: "5f-17"\r\n\r\n{"item":"a17","count":"4"}',
)
const chunk = `400\r\n${'x'.repeat(1024)}\r\n`
const chunks = Buffer.from(`${chunk.repeat(16)}0\r\n\r\n`)

const requests = new RequestHeadReader()
const answers = new AnswerHeadReader()
const dropped: string[] = []

function readBench(name: string, bytes: Uint8Array, fields: number): Bench {
  return {
    name: `http1: read ${name}, ${bytes.length} bytes`,
    check: () => assert.equal(requests.read(bytes, 0, bytes.length, rules)?.headers.size, fields),
    run(times) {
      let last: unknown
      for (let index = 0; index < times; index += 1) last = requests.read(bytes, 0, bytes.length, rules)
      return last
    },
  }
}

const requestHead = requests.read(browser, 0, browser.length, rules)
const answerHead = answers.read(answer, 0, answer.length, rules, 'GET')
assert.ok(requestHead !== undefined && answerHead !== undefined)

/** Node's own parser, which gives names and values as they are and decides less. It has no public door. */
const { HTTPParser } = createRequire(import.meta.url)('_http_common') as {
  HTTPParser: (new () => { initialize(type: number, owner: object): void; execute(bytes: Uint8Array): number }) &
    Readonly<Record<'REQUEST' | 'kOnHeadersComplete' | 'kOnMessageComplete', number>>
}

function llhttpBench(name: string, bytes: Uint8Array): Bench {
  let heads = 0
  const parser = new HTTPParser()
  parser.initialize(HTTPParser.REQUEST, {})
  Object.assign(parser, {
    [HTTPParser.kOnHeadersComplete]: () => {
      heads += 1
      return 0
    },
    [HTTPParser.kOnMessageComplete]: () => {},
  })
  return {
    name: `http1: llhttp reads ${name}, ${bytes.length} bytes`,
    check: () => assert.equal(parser.execute(bytes), bytes.length),
    run(times) {
      for (let index = 0; index < times; index += 1) parser.execute(bytes)
      return heads
    },
  }
}

export const benches: readonly Bench[] = [
  llhttpBench('a small GET', small),
  llhttpBench('a GET of a browser', browser),
  readBench('a small GET', small, 3),
  readBench('a GET of a browser', browser, 7),
  readBench('a POST', post, 5),
  {
    name: `http1: read an answer, ${answer.length} bytes`,
    check: () => assert.equal(answers.read(answer, 0, answer.length, rules, 'GET')?.length, 26),
    run(times) {
      let last: unknown
      for (let index = 0; index < times; index += 1) last = answers.read(answer, 0, answer.length, rules, 'GET')
      return last
    },
  },
  {
    name: 'http1: write the head of a request, 7 fields',
    check: () => assert.match(writeRequestHead('GET', '/', requestHead.headers, 0, undefined, []), /\r\n\r\n$/),
    run(times) {
      let last: unknown
      for (let index = 0; index < times; index += 1) {
        last = writeRequestHead('GET', requestHead.uri, requestHead.headers, -2, undefined, dropped)
      }
      return last
    },
  },
  {
    name: 'http1: write the head of an answer, 5 fields',
    check: () => assert.match(writeAnswerHead(200, '', answerHead.headers, 0, '', undefined, []), /\r\n\r\n$/),
    run(times) {
      let last: unknown
      for (let index = 0; index < times; index += 1) {
        last = writeAnswerHead(200, '', answerHead.headers, 26, 'keep-alive', undefined, dropped)
      }
      return last
    },
  },
  {
    name: 'http1: read a chunked body, 16 chunks of 1 KB',
    run(times) {
      let size = 0
      for (let index = 0; index < times; index += 1) {
        const reader = new ChunkedReader(rules)
        let at = 0
        while (!reader.ended) {
          at = reader.read(chunks, at, chunks.length)
          size += reader.partEnd - reader.partAt
        }
      }
      return size
    },
  },
  {
    name: 'http1: normalise a plain path',
    check: () => assert.deepEqual(normalisePath('/a/b?c'), { path: '/a/b', query: 'c' }),
    run(times) {
      let last: unknown
      for (let index = 0; index < times; index += 1) last = normalisePath(requestHead.uri)
      return last
    },
  },
]
