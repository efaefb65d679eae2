/** What the heads of requests say, once they are read. Heads that are refused are in the table of smuggling cases. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CodecError } from '../../../../../protocols/http1/codec/codec-error.ts'
import {
  type RequestHead,
  RequestHeadReader,
  type RequestRules,
} from '../../../../../protocols/http1/codec/request-head.ts'
import { fieldsOf } from '../../../../support/http1-messages.ts'

const rules: RequestRules = { maxLineBytes: 200, maxHeadBytes: 1000, maxHeaders: 8, underscores: true }

function read(text: string, own: Partial<RequestRules> = {}): RequestHead {
  const bytes = Buffer.from(text, 'latin1')
  const head = new RequestHeadReader().read(bytes, 0, bytes.length, { ...rules, ...own })
  assert.ok(head !== undefined, 'the head is whole')
  return head
}

const get = (fields: string, line = 'GET / HTTP/1.1'): RequestHead => read(`${line}\r\nHost: a\r\n${fields}\r\n`)

function refusal(text: string, own: Partial<RequestRules> = {}): CodecError {
  const bytes = Buffer.from(text, 'latin1')
  let thrown: unknown
  try {
    new RequestHeadReader().read(bytes, 0, bytes.length, { ...rules, ...own })
  } catch (error) {
    thrown = error
  }
  assert.ok(thrown instanceof CodecError, 'it is refused')
  return thrown
}

test('a head is read from the middle of a buffer, and the reader says where it ends', () => {
  const bytes = Buffer.from('????GET /a?b=c HTTP/1.1\r\nHost: Shop.Example:8080\r\n\r\nBODY', 'latin1')
  const reader = new RequestHeadReader()
  const head = reader.read(bytes, 4, bytes.length, rules)
  assert.equal(bytes.toString('latin1', reader.end), 'BODY')
  assert.deepEqual(
    { ...head, headers: fieldsOf(head?.headers) },
    {
      method: 'GET',
      target: '/a?b=c',
      form: 'origin',
      uri: '/a?b=c',
      authority: 'Shop.Example:8080',
      host: 'shop.example',
      version: 11,
      headers: ['Host: Shop.Example:8080'],
      length: 0,
      keepAlive: true,
      expectsContinue: false,
      upgrade: undefined,
      nominated: [],
      takesTrailers: false,
      bytes: 48,
    },
  )
})

test('the host that routes match has no port, no brackets, no capitals and no dot at its end', () => {
  const hostOf = (host: string): string => read(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`).host
  assert.equal(hostOf('A.Example.'), 'a.example')
  assert.equal(hostOf('a.example.:80'), 'a.example')
  assert.equal(hostOf('[2001:DB8::1]:443'), '2001:db8::1')
  assert.equal(hostOf('[::1]'), '::1')
  assert.equal(hostOf('x_y~1'), 'x_y~1')
  assert.equal(hostOf('127.0.0.1:65535'), '127.0.0.1')
})

test('a target that names a host overrides the field, and the field then says the same', () => {
  const head = read('GET HTTP://B.example:81/x HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n')
  assert.deepEqual(
    [head.form, head.uri, head.authority, head.host, head.target],
    ['absolute', '/x', 'B.example:81', 'b.example', 'HTTP://B.example:81/x'],
  )
  assert.deepEqual(fieldsOf(head.headers), ['Host: B.example:81', 'X: y'])
})

test('a target without a path stands for the root, or for the server where the method is OPTIONS', () => {
  assert.equal(get('', 'GET http://b HTTP/1.1').uri, '/')
  assert.equal(get('', 'GET http://b?q HTTP/1.1').uri, '/?q')
  assert.equal(get('', 'OPTIONS http://b HTTP/1.1').uri, '*')
  assert.equal(get('', 'OPTIONS * HTTP/1.1').form, 'asterisk')
})

test('CONNECT names a host and a port', () => {
  const head = get('', 'CONNECT b.example:443 HTTP/1.1')
  assert.deepEqual([head.form, head.uri, head.authority, head.host], ['authority', '', 'b.example:443', 'b.example'])
  assert.equal(refusal('CONNECT b.example HTTP/1.1\r\nHost: a\r\n\r\n').status, 400)
})

test('HTTP/1.0 needs no Host and keeps the connection only when asked to', () => {
  const head = read('GET / HTTP/1.0\r\n\r\n')
  assert.deepEqual([head.version, head.host, head.authority, head.keepAlive], [10, '', '', false])
  assert.equal(read('GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n').keepAlive, true)
  assert.equal(get('Connection: close\r\n').keepAlive, false)
  assert.equal(get('Connection: keep-alive, Close\r\n').keepAlive, false)
})

test('fields of the connection are not in the list', () => {
  const head = get('Keep-Alive: timeout=5\r\nProxy-Connection: x\r\nTE: gzip;q=0.5, trailers\r\nExpect: x\r\n')
  assert.deepEqual(fieldsOf(head.headers), ['Host: a'])
  assert.equal(head.takesTrailers, true)
})

test('fields that Connection names go, but not those that others need', () => {
  const head = get('Connection: X-Hop, Host,cookie\r\nConnection: x-two\r\nX-Hop: 1\r\nX-TWO: 2\r\nCookie: c=1\r\n')
  assert.deepEqual(fieldsOf(head.headers), ['Host: a', 'Cookie: c=1'])
  assert.deepEqual(head.nominated, ['x-hop', 'host', 'cookie', 'x-two'])
})

test('an upgrade counts in HTTP/1.1 when Connection names it', () => {
  assert.equal(get('Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n').upgrade, 'websocket')
  assert.equal(get('Connection: upgrade\r\nUpgrade: h2c, websocket\r\n').upgrade, 'websocket')
  assert.equal(get('Connection: upgrade\r\nUpgrade: HTTP/2.0\r\n').upgrade, 'http/2.0')
  assert.equal(get('Connection: upgrade\r\nUpgrade: a b\r\n').upgrade, undefined)
  assert.equal(get('Upgrade: websocket\r\n').upgrade, undefined)
  assert.equal(get('Connection: upgrade\r\nUpgrade: websocket\r\n', 'GET / HTTP/1.0').upgrade, undefined)
})

test('Expect: 100-continue is told when a body follows', () => {
  assert.equal(get('Expect: 100-Continue\r\nContent-Length: 3\r\n').expectsContinue, true)
  assert.equal(get('Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n').expectsContinue, true)
  assert.equal(get('Expect: 100-continue\r\n').expectsContinue, false)
  assert.equal(get('Expect: 100-continue\r\nContent-Length: 3\r\n', 'GET / HTTP/1.0').expectsContinue, false)
})

test('the length is a number, none, or unknown', () => {
  assert.equal(get('Content-Length: 00042\r\n').length, 42)
  assert.equal(get(`Content-Length: ${Number.MAX_SAFE_INTEGER}\r\n`).length, Number.MAX_SAFE_INTEGER)
  assert.equal(get('').length, 0)
  assert.equal(get('transfer-encoding: CHUNKED\r\n').length, undefined)
})

test('names stay as written and are found in lower case; values lose the blanks around them', () => {
  const { headers } = get('uSER-aGENT:\t x y \t\r\nX-Odd:\r\nx-odd: \xe9\r\n')
  assert.deepEqual(fieldsOf(headers), ['Host: a', 'uSER-aGENT: x y', 'X-Odd: ', 'x-odd: \xe9'])
  assert.equal(headers.get('user-agent'), 'x y')
  assert.deepEqual(headers.all('x-odd'), ['', '\xe9'])
})

test('names with an underscore are dropped on request', () => {
  const text = 'GET / HTTP/1.1\r\nHost: a\r\nX_Y: 1\r\nX-Y: 2\r\n\r\n'
  assert.deepEqual(fieldsOf(read(text).headers), ['Host: a', 'X_Y: 1', 'X-Y: 2'])
  assert.deepEqual(fieldsOf(read(text, { underscores: false }).headers), ['Host: a', 'X-Y: 2'])
})

test('limits hold to the byte: at them a head passes, above them it does not', () => {
  const text = 'GET /123 HTTP/1.1\r\nHost: abcdefghi\r\nX: y\r\n\r\n'
  const fits = { maxLineBytes: 17, maxHeadBytes: text.length, maxHeaders: 2 }
  assert.ok(read(text, fits))
  assert.equal(refusal(text, { ...fits, maxLineBytes: 16 }).status, 414)
  assert.equal(refusal(text.replace('y', 'y'.repeat(20)), { ...fits, maxHeadBytes: 100 }).status, 431)
  assert.equal(refusal(text, { ...fits, maxHeadBytes: text.length - 1 }).status, 431)
  assert.equal(refusal(text, { ...fits, maxHeadBytes: 12 }).status, 414)
  assert.equal(refusal(text, { ...fits, maxHeaders: 1 }).status, 431)
})

test('a request line that is refused is refused before the head is whole', () => {
  for (const [line, status] of [
    ['GET /', 400],
    ['GET / HTTP/2.0', 505],
    ['G T / HTTP/1.1', 400],
  ] as const) {
    const bytes = Buffer.from(`${line}\r\nHost: `, 'latin1')
    assert.throws(() => new RequestHeadReader().read(bytes, 0, bytes.length, rules), { status })
  }
})

test('more fields than the places kept at first are read all the same', () => {
  const many = Array.from({ length: 1000 }, (_, index) => `X-${index}: ${index}`)
  const head = read(`GET / HTTP/1.1\r\nHost: a\r\n${many.join('\r\n')}\r\n\r\n`, {
    maxHeadBytes: 1e6,
    maxHeaders: 2000,
  })
  assert.deepEqual(fieldsOf(head.headers).slice(1), many)
})

test('two readers with heads in progress do not disturb each other', () => {
  const texts = ['GET /one HTTP/1.1\r\nHost: a\r\nX-One: 1\r\n\r\n', 'GET /second HTTP/1.1\r\nHost: bb\r\n\r\n']
  const readers = texts.map((text) => ({
    reader: new RequestHeadReader(),
    bytes: Buffer.from(text),
    head: undefined as RequestHead | undefined,
  }))
  for (let at = 1; at < 60; at += 1) {
    for (const one of readers) one.head ??= one.reader.read(one.bytes, 0, Math.min(at, one.bytes.length), rules)
  }
  assert.deepEqual(
    readers.map(({ head }) => [head?.uri, fieldsOf(head?.headers)]),
    [
      ['/one', ['Host: a', 'X-One: 1']],
      ['/second', ['Host: bb']],
    ],
  )
})

test('a refusal costs no stack and says why', () => {
  const error = refusal('GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n')
  assert.equal(error.message, 'a blank in or after a field name')
  assert.doesNotMatch(error.stack ?? '', /\n\s+at /)
})
