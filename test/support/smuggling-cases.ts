/**
 * Requests by which one reader may be made to see another request than the next one does. In each, the one that must never
 * be seen as a request asks for `/smuggled`. What the codec does with them is also what a gateway has to do.
 */

export interface SmugglingCase {
  readonly name: string
  /** What a client sends, one character a byte. */
  readonly bytes: string
  /** Requests that are whole and may be passed on. */
  readonly requests: number
  /** What becomes of the rest: refused with a status, waited on, or there is none. */
  readonly then: 400 | 414 | 431 | 501 | 505 | 'waits' | 'ends'
}

const hidden = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
const hiddenSize = hidden.length.toString(16)
const post = 'POST /first HTTP/1.1\r\nHost: a\r\n'
const get = 'GET /first HTTP/1.1\r\nHost: a\r\n'
const chunkedPost = `${post}Transfer-Encoding: chunked\r\n\r\n`

const refused = (name: string, bytes: string, then: SmugglingCase['then'] = 400, requests = 0): SmugglingCase => ({
  name,
  bytes,
  requests,
  then,
})
const passed = (name: string, bytes: string, then: SmugglingCase['then'] = 'ends', requests = 1): SmugglingCase => ({
  name,
  bytes,
  requests,
  then,
})

/** A body in chunks after that Transfer-Encoding field, which is none that may be passed. */
const coding = (name: string, fields: string, then: SmugglingCase['then'] = 400): SmugglingCase =>
  refused(name, `${post}${fields}\r\n0\r\n\r\n${hidden}`, then)

/** A body after those fields, which must not be taken for a length. */
const length = (name: string, value: string): SmugglingCase =>
  refused(name, `${post}Content-Length:${value}\r\n\r\n${hidden}`)

/** A body in chunks that must not be understood. */
const chunks = (name: string, body: string, then: SmugglingCase['then'] = 400): SmugglingCase =>
  refused(name, `${chunkedPost}${body}`, then)

const framing: readonly SmugglingCase[] = [
  refused('CL.TE', `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`),
  refused(
    'TE.CL',
    `${post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n${hiddenSize}\r\n${hidden}\r\n0\r\n\r\n`,
  ),
  refused(
    'CL.TE with a length of none',
    `${post}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
  ),
  coding('TE.TE: chunked, then identity', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n'),
  coding('TE.TE: identity, then chunked', 'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n', 501),
  coding('TE.TE: chunked twice in two fields', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'),
  coding('TE.TE: chunked twice in a list', 'Transfer-Encoding: chunked, chunked\r\n'),
  coding('a coding before chunked', 'Transfer-Encoding: gzip, chunked\r\n', 501),
  coding('a coding after chunked', 'Transfer-Encoding: chunked, gzip\r\n'),
  coding('an unknown coding', 'Transfer-Encoding: xchunked\r\n'),
  coding('identity', 'Transfer-Encoding: identity\r\n'),
  coding('an empty coding', 'Transfer-Encoding:\r\n'),
  coding('a coding with a parameter', 'Transfer-Encoding: chunked;q=1\r\n'),
  coding('a coding in quotes', 'Transfer-Encoding: "chunked"\r\n'),
  coding('a comma after chunked', 'Transfer-Encoding: chunked,\r\n'),
  coding('a comma before chunked', 'Transfer-Encoding: ,chunked\r\n', 501),
  coding('chunked after a tab', 'Transfer-Encoding:\tchunked\r\n'),
  coding('chunked before a tab', 'Transfer-Encoding: chunked\t\r\n'),
  coding('chunked after a vertical tab', 'Transfer-Encoding: \x0bchunked\r\n'),
  coding('chunked before a form feed', 'Transfer-Encoding: chunked\x0c\r\n'),
  coding('chunked with a NUL', 'Transfer-Encoding: chunked\0\r\n'),
  coding('chunked before a no-break space', 'Transfer-Encoding: chunked\xa0\r\n'),
  coding('a blank before the colon of the coding', 'Transfer-Encoding : chunked\r\n'),
  coding('a tab before the colon of the coding', 'Transfer-Encoding\t: chunked\r\n'),
  coding('a blank before the coding field', 'X: y\r\n Transfer-Encoding: chunked\r\n'),
  coding('the coding on a folded line', 'Transfer-Encoding:\r\n chunked\r\n'),
  coding('a coding behind a bare LF', 'X: y\nTransfer-Encoding: chunked\r\n'),
  coding('a coding behind a bare CR', 'X: y\rTransfer-Encoding: chunked\r\n'),
  refused('chunked in HTTP/1.0', `POST /first HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`),
  length('two lengths that differ', ' 3\r\nContent-Length: 30'),
  length('two lengths that are the same', ' 3\r\nContent-Length: 3'),
  length('a list of lengths', ' 3, 30'),
  length('a list of one length twice', ' 3, 3'),
  length('a negative length', ' -1'),
  length('a length with a plus', ' +3'),
  length('a length in hex', ' 0x3'),
  length('a length with a point', ' 3.0'),
  length('a length with an exponent', ' 1e1'),
  length('a length with a blank inside', ' 3 0'),
  length('a length in digits of another script', ' \xd9\xa3'),
  length('no length', ''),
  length('a length beyond 2^53', ' 9007199254740993'),
  length('a length that wraps at 2^64', ' 18446744073709551616'),
  length('a length on a folded line', '\r\n 3'),
  refused('a blank before the colon of the length', `${post}Content-Length : 34\r\n\r\n${hidden}`),
  refused('a length behind a NUL in a name', `${post}X\0Content-Length: 3\r\n\r\n${hidden}`),
]

const lines: readonly SmugglingCase[] = [
  refused('lines that end in bare LF', `GET /first HTTP/1.1\nHost: a\n\n${hidden}`),
  refused('a bare LF after the request line', `GET /first HTTP/1.1\nHost: a\r\n\r\n${hidden}`),
  refused('a bare LF for the empty line', `${get}\n${hidden}`),
  refused('a bare CR for the empty line', `${get}\r${hidden}`),
  refused('a bare CR in a value', `${get}X: a\rGET /smuggled HTTP/1.1\r\n\r\n`),
  refused('a bare LF in a value', `${get}X: a\n\r\n\r\n${hidden}`),
  refused('CR CR LF', `${get}X: a\r\r\n\r\n${hidden}`),
  refused('a NUL in a value', `${get}X: a\0b\r\n\r\n`),
  refused('a control byte in a value', `${get}X: a\x01b\r\n\r\n`),
  refused('DEL in a value', `${get}X: a\x7fb\r\n\r\n`),
  refused('a folded line', `${get}X: a\r\n GET /smuggled HTTP/1.1\r\n\r\n`),
  refused('a folded line before any field', `GET /first HTTP/1.1\r\n Host: a\r\n\r\n`),
  refused('a line without a colon', `${get}GET /smuggled\r\n\r\n`),
  refused('a field without a name', `${get}: x\r\n\r\n`),
  refused('a blank before a colon', `${get}X : y\r\n\r\n`),
  refused('a blank inside a name', `${get}X Y: z\r\n\r\n`),
  refused('a name beyond ASCII', `${get}X\xff: y\r\n\r\n`),
  refused('a name with brackets', `${get}X(: y\r\n\r\n`),
  refused('two empty lines before a request', `\r\n\r\n${hidden}`),
  passed('one empty line before a request', `\r\n${get}\r\n`),
  passed('a request that is followed by line ends', `${post}Content-Length: 2\r\n\r\nab\r\n${get}\r\n`, 'ends', 2),
]

const requestLines: readonly SmugglingCase[] = [
  refused('HTTP/0.9', 'GET /smuggled\r\n'),
  refused('HTTP/0.9 by its number', `GET /smuggled HTTP/0.9\r\nHost: a\r\n\r\n`, 505),
  refused('HTTP/2.0 by its number', `GET /smuggled HTTP/2.0\r\nHost: a\r\n\r\n`, 505),
  refused('HTTP/1.2', `GET /smuggled HTTP/1.2\r\nHost: a\r\n\r\n`, 505),
  refused('the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505),
  refused('a small version', 'GET /smuggled http/1.1\r\nHost: a\r\n\r\n'),
  refused('a version with more digits', 'GET /smuggled HTTP/1.10\r\nHost: a\r\n\r\n'),
  refused('two blanks before the target', 'GET  /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('two blanks before the version', 'GET /smuggled  HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('a blank after the version', 'GET /smuggled HTTP/1.1 \r\nHost: a\r\n\r\n'),
  refused('a tab in the request line', 'GET\t/smuggled HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('a blank in the target', 'GET /a /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('a request in the target', 'GET /a HTTP/1.1 /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('a blank before the method', ' GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('a small method', 'get /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('a method with a colon', 'GET: /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('bytes beyond ASCII in the target', 'GET /smuggled\xff HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('a fragment in the target', 'GET /smuggled#x HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('a NUL in the target', 'GET /smuggled\0 HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('a target without a slash', 'GET smuggled HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('a target of another scheme', 'GET ftp://a/smuggled HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('the target * with GET', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('a path with CONNECT', 'CONNECT /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('a TLS greeting', '\x16\x03\x01\x02\0\x01'),
  refused('a line without an end', `GET /${'smuggled'.repeat(4000)}`, 414),
  refused('a head without an end', `${get}${'X: y\r\n'.repeat(20_000)}`, 431),
]

const hosts: readonly SmugglingCase[] = [
  refused('no Host', 'GET /smuggled HTTP/1.1\r\n\r\n'),
  refused('two Hosts', `${get}Host: b\r\n\r\n`),
  refused('the same Host twice', `${get}Host: a\r\n\r\n`),
  refused('an empty Host', 'GET /smuggled HTTP/1.1\r\nHost:\r\n\r\n'),
  refused('a Host with a blank', 'GET /smuggled HTTP/1.1\r\nHost: a b\r\n\r\n'),
  refused('a Host that is a list', 'GET /smuggled HTTP/1.1\r\nHost: a, b\r\n\r\n'),
  refused('a Host with a path', 'GET /smuggled HTTP/1.1\r\nHost: a/b\r\n\r\n'),
  refused('a Host with a user', 'GET /smuggled HTTP/1.1\r\nHost: u@a\r\n\r\n'),
  refused('a Host with a port that is none', 'GET /smuggled HTTP/1.1\r\nHost: a:80b\r\n\r\n'),
  refused('a Host with a port beyond all ports', 'GET /smuggled HTTP/1.1\r\nHost: a:65536\r\n\r\n'),
  refused('a Host with a bracket left open', 'GET /smuggled HTTP/1.1\r\nHost: [::1\r\n\r\n'),
  refused('a user in the target', 'GET http://u@a/smuggled HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('a target without a host', 'GET http:///smuggled HTTP/1.1\r\nHost: a\r\n\r\n'),
  refused('an absolute target without Host', 'GET http://b/smuggled HTTP/1.1\r\n\r\n'),
  passed('an absolute target that names another host', `GET http://b/first HTTP/1.1\r\nHost: a\r\n\r\n`),
]

const chunked: readonly SmugglingCase[] = [
  chunks('a chunk size with a blank after it', `1 \r\nx\r\n0\r\n\r\n${hidden}`),
  chunks('a chunk size with a blank before it', ` 1\r\nx\r\n0\r\n\r\n${hidden}`),
  chunks('a chunk size with a prefix', `0x1\r\nx\r\n0\r\n\r\n${hidden}`),
  chunks('a chunk size with a plus', `+1\r\nx\r\n0\r\n\r\n${hidden}`),
  chunks('a negative chunk size', `-1\r\nx\r\n0\r\n\r\n${hidden}`),
  chunks('a chunk size that is no number', `g\r\nx\r\n0\r\n\r\n${hidden}`),
  chunks('no chunk size', `\r\nx\r\n0\r\n\r\n${hidden}`),
  chunks('a chunk size that wraps at 2^64', `10000000000000001\r\nx\r\n0\r\n\r\n${hidden}`),
  chunks('a chunk size that wraps at 2^32 with zeros', `000000000000000000000001\r\nx\r\n0\r\n\r\n${hidden}`),
  chunks('a bare LF after a chunk size', `1\nx\r\n0\r\n\r\n${hidden}`),
  chunks('a bare CR after a chunk size', `1\rx\r\n0\r\n\r\n${hidden}`),
  chunks('a bare LF in a chunk extension', `1;a\nx\r\n0\r\n\r\n${hidden}`),
  chunks('a bare CR in a chunk extension', `1;a\r;b\r\nx\r\n0\r\n\r\n${hidden}`),
  chunks('a quoted line end in a chunk extension', `1;a="\r\n"\r\nx\r\n0\r\n\r\n${hidden}`),
  chunks('a control byte in a chunk extension', `1;a="\x01"\r\nx\r\n0\r\n\r\n${hidden}`),
  chunks('a chunk extension without a name', `1;\r\nx\r\n0\r\n\r\n${hidden}`),
  chunks('a blank before a chunk extension', `1 ;a\r\nx\r\n0\r\n\r\n${hidden}`),
  chunks('chunk extensions without end', `1;${'a'.repeat(100_000)}`),
  chunks('a chunk that is longer than its size', `1\r\nxy\r\n0\r\n\r\n${hidden}`),
  chunks('a chunk that another follows at once', `1\r\nx0\r\n\r\n${hidden}`),
  chunks('a bare LF after a chunk', `1\r\nx\n0\r\n\r\n${hidden}`),
  chunks('a bare CR after a chunk', `1\r\nx\r0\r\n\r\n${hidden}`),
  chunks('a bare LF after the last chunk', `1\r\nx\r\n0\n\n${hidden}`),
  chunks('a request for a trailer', `0\r\n${hidden}`),
  chunks('a length in the trailers', `0\r\nContent-Length: 34\r\n\r\n${hidden}`),
  chunks('a coding in the trailers', `0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`),
  chunks('a folded trailer', `0\r\nX: y\r\n z\r\n\r\n${hidden}`),
  chunks('trailers without end', `0\r\n${'X: y\r\n'.repeat(20_000)}`, 431),
  chunks('a body that does not end', `${hiddenSize}\r\n${hidden}\r\n`, 'waits'),
]

const bodies: readonly SmugglingCase[] = [
  passed('CL.0: a GET with a body', `${get}Content-Length: ${hidden.length}\r\n\r\n${hidden}`),
  passed('a POST with a request in its body', `${post}Content-Length: ${hidden.length}\r\n\r\n${hidden}`),
  passed('a request in a chunk', `${chunkedPost}${hiddenSize}\r\n${hidden}\r\n0\r\n\r\n`),
  passed('a DELETE in chunks', `DELETE /first HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
  passed(
    'a length that is named by Connection',
    `${post}Connection: content-length\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
  ),
  passed(
    'a coding that is named by Connection',
    `${post}Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n\r\n${hiddenSize}\r\n${hidden}\r\n0\r\n\r\n`,
  ),
  passed('a Host that is named by Connection', `${get}Connection: host\r\n\r\n`),
  passed('what follows a request that closes', `${get}Connection: close\r\n\r\n${hidden}`),
  passed('what follows a request of HTTP/1.0', `GET /first HTTP/1.0\r\n\r\n${hidden}`),
  passed('a body with Expect', `${post}Expect: 100-continue\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`),
  passed(
    'a body with Upgrade',
    `${post}Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
  ),
  passed('a body that has not come whole', `${post}Content-Length: 100\r\n\r\n${hidden}`, 'waits', 0),
  passed(
    'a pipelined request with a refused one behind it',
    `${get}\r\nGET  /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`,
    400,
  ),
]

export const smugglingCases: readonly SmugglingCase[] = [
  ...framing,
  ...lines,
  ...requestLines,
  ...hosts,
  ...chunked,
  ...bodies,
]
