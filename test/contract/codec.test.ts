/** The codec suite over the codecs there are. */
import { chunkEnd, chunkStart, writeLastChunk } from '../../protocols/http1/codec/chunked-writer.ts'
import { CodecError } from '../../protocols/http1/codec/codec-error.ts'
import {
  asListed,
  chunked,
  unframed,
  writeAnswerHead,
  writeRequestHead,
} from '../../protocols/http1/codec/head-writer.ts'
import type { RequestHead } from '../../protocols/http1/codec/request-head.ts'
import type { AnswerHead } from '../../protocols/http1/codec/response-head.ts'
import { answerReader, fieldsOf, headRules, requestReader, type WholeMessage } from '../support/http1-messages.ts'
import { type CodecSample, codecContract } from './codec.ts'

const samplesOf = (table: Readonly<Record<string, string>>): CodecSample[] =>
  Object.entries(table).map(([name, text]) => ({
    name,
    bytes: Buffer.from(text, 'latin1'),
    endsByClose: name.endsWith('until the connection closes'),
  }))

const requests = samplesOf({
  'the shortest GET': 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'a GET after an empty line': '\r\nGET /x?y=1 HTTP/1.1\r\nHost: a.example:8080\r\nAccept: */*\r\n\r\n',
  'HTTP/1.0 without Host': 'GET /old HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n',
  'a POST with a length': 'POST /p HTTP/1.1\r\nhost: a\r\nContent-Length: 11\r\n\r\nhello\r\n\r\nyo',
  'a POST in chunks':
    'POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n00A\r\n0123456789\r\n0\r\n\r\n',
  'chunks with extensions and trailers':
    'PUT /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\nTrailer: X-Sum\r\n\r\n' +
    '3;a;b=c;d="e\\"f;\xe9"\r\nabc\r\n0;z\r\nX-Sum: 6\r\nHost: b\r\nX-Late: \t yes \t\r\n\r\n',
  'fields of odd kinds':
    'M-SEARCH /a HTTP/1.1\r\nHost: a\r\n' +
    "x-empty:\r\nX-Blank: \t \r\nX-Wide: caf\xe9 \xff\r\n!#$%&'*+-.^_`|~0aZ: odd\r\nCookie: a=1\r\ncookie: b=2\r\n\r\n",
  'a head that is longer than a line may be': `GET / HTTP/1.1\r\nHost: a\r\n${`X: ${'a'.repeat(300)}\r\n`.repeat(3)}\r\n`,
  'an absolute target': 'GET http://b.example:81?q=%20 HTTP/1.1\r\nHost: a\r\n\r\n',
  'OPTIONS *': 'OPTIONS * HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\nMax-Forwards: 0\r\n\r\n',
  'fields of the connection':
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Hop, keep-alive, TE\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\n\r\n',
})

const answers = samplesOf({
  'a 200 with a length': 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: x\r\n\r\nhello',
  'a 200 in chunks with trailers':
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n!\r\n0\r\nGrpc-Status: 0\r\n\r\n',
  'a 204': 'HTTP/1.1 204 No Content\r\n\r\n',
  'a 304 that names a length': 'HTTP/1.1 304 Not Modified\r\nContent-Length: 50\r\nETag: "x"\r\n\r\n',
  'an interim answer': 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n',
  'a reason of its own': 'HTTP/1.1 299 Fa\xe7on \t(odd)\r\nContent-Length: 0\r\n\r\n',
  'no reason': 'HTTP/1.0 404\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n',
  'a body until the connection closes': 'HTTP/1.1 200 OK\r\nX: y\r\n\r\nall of it',
})

const heads = (text: string): Uint8Array => Buffer.from(text, 'latin1')
const tooLarge = (first: string): Readonly<Record<string, Uint8Array>> => ({
  'a first line': heads(first.replace('/', `/${'a'.repeat(20_000)}`)),
  'a field line': heads(`${first}\r\nX: ${'a'.repeat(20_000)}`),
  'a field name': heads(`${first}\r\n${'a'.repeat(20_000)}`),
  'a head of many fields': heads(`${first}\r\n${'X: 1\r\n'.repeat(101)}`),
  'a head of large fields': heads(`${first}\r\n${`X: ${'a'.repeat(500)}\r\n`.repeat(9)}`),
  'a trailer section': heads(
    `${first}\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${`X: ${'a'.repeat(500)}\r\n`.repeat(9)}`,
  ),
  'chunk extensions': heads(
    `${first}\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${`1;${'a'.repeat(80)}\r\nx\r\n`.repeat(9)}`,
  ),
})

const fragments = [
  'HTTP/1.1 200 OK\r\n',
  'GET / HTTP/1.1\r\n',
  'Host: a\r\n',
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'X-Y: z\r\n',
  'abc',
  '\r\n',
  '\r\n\r\n',
  '3\r\nabc\r\n',
  '0\r\n\r\n',
  '5;x="y"\r\n',
  ': ',
  ' ',
  '\n',
]
const isRefusal = (error: unknown): boolean => error instanceof CodecError

function bodyOf(message: WholeMessage<unknown>, isChunked: boolean): Buffer {
  if (!isChunked) return message.body
  const data = message.body.toString('latin1')
  const part = data === '' ? '' : `${chunkStart(message.body.length)}${data}${chunkEnd}`
  return Buffer.from(part + writeLastChunk(message.trailers, []), 'latin1')
}

codecContract({
  name: 'http1 requests',
  samples: requests,
  open: requestReader,
  tooLarge: tooLarge('GET / HTTP/1.1'),
  maxHeld: headRules.maxHeadBytes,
  isRefusal,
  fragments,
  view(message) {
    const { head, body, trailers } = message as WholeMessage<RequestHead>
    const { method, uri, host, authority, length } = head
    const fields = fieldsOf(head.headers).filter((line) => !/^(?:host|content-length):/i.test(line))
    return { method, uri, host, authority, length, fields, body: body.toString('latin1'), trailers: fieldsOf(trailers) }
  },
  write(message) {
    const whole = message as WholeMessage<RequestHead>
    const { head } = whole
    const framing = head.length ?? chunked
    const text = writeRequestHead(
      head.method,
      head.uri,
      head.headers,
      framing === 0 ? unframed : framing,
      undefined,
      [],
    )
    // Without Host only HTTP/1.0 is a request, which the writer never says it is.
    const old = text.replace('HTTP/1.1\r\n', 'HTTP/1.0\r\nConnection: keep-alive\r\n')
    const sent = head.version === 10 ? old : text
    return Buffer.concat([Buffer.from(sent, 'latin1'), bodyOf(whole, head.length === undefined)])
  },
})

codecContract({
  name: 'http1 answers',
  samples: answers,
  open: answerReader,
  tooLarge: tooLarge('HTTP/1.1 200 /'),
  maxHeld: headRules.maxHeadBytes,
  isRefusal,
  fragments,
  view(message) {
    const { head, body, trailers } = message as WholeMessage<AnswerHead>
    const { status, length } = head
    const announced = head.headers.get('content-length')
    const fields = fieldsOf(head.headers).filter((line) => !/^content-length:/i.test(line))
    return { status, length, announced, fields, body: body.toString('latin1'), trailers: fieldsOf(trailers) }
  },
  write(message) {
    const whole = message as WholeMessage<AnswerHead>
    const { head } = whole
    const framing = head.chunked ? chunked : head.status === 304 ? asListed : (head.length ?? unframed)
    const isBare = head.status < 200 || head.status === 204
    const text = writeAnswerHead(head.status, head.reason, head.headers, isBare ? unframed : framing, '', undefined, [])
    return Buffer.concat([Buffer.from(text, 'latin1'), bodyOf(whole, head.chunked)])
  },
})
