/** What the heads of answers say, how their bodies end, and which are refused. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CodecError } from '../../../../../protocols/http1/codec/codec-error.ts'
import { type AnswerHead, AnswerHeadReader } from '../../../../../protocols/http1/codec/response-head.ts'
import { fieldsOf, headRules } from '../../../../support/http1-messages.ts'

function read(text: string, method = 'GET'): AnswerHead {
  const bytes = Buffer.from(`${text}\r\n`, 'latin1')
  const head = new AnswerHeadReader().read(bytes, 0, bytes.length, headRules, method)
  assert.ok(head !== undefined, 'the head is whole')
  return head
}

const chunked = 'Transfer-Encoding: chunked\r\n'
const framing = (text: string, method?: string): unknown[] => {
  const { length, chunked: inChunks, keepAlive } = read(text, method)
  return [length, inChunks, keepAlive]
}

test('a head is read with its phrase and fields', () => {
  const head = read('HTTP/1.1 404 Not  Found\r\nServer: x\r\nConnection: X-Hop\r\nX-Hop: 1\r\nContent-Length: 7\r\n')
  assert.deepEqual([head.version, head.status, head.reason, head.length], [11, 404, 'Not  Found', 7])
  assert.deepEqual(fieldsOf(head.headers), ['Server: x', 'Content-Length: 7'])
  assert.equal(read('HTTP/1.0 200\r\n').reason, '')
})

test('a body has its length, comes in chunks, or lasts until the connection closes', () => {
  assert.deepEqual(framing('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n'), [5, false, true])
  assert.deepEqual(framing(`HTTP/1.1 200 OK\r\n${chunked}`), [undefined, true, true])
  assert.deepEqual(framing('HTTP/1.1 200 OK\r\n'), [undefined, false, false])
  assert.deepEqual(framing('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n'), [5, false, false])
  assert.deepEqual(framing('HTTP/1.0 200 OK\r\nContent-Length: 5\r\n'), [5, false, false])
  assert.deepEqual(framing('HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n'), [5, false, true])
})

test('HEAD, 1xx, 204, 304 and a tunnel have no body, whatever their fields say', () => {
  const none = [0, false, true]
  for (const fields of ['', 'Content-Length: 5\r\n', chunked]) {
    assert.deepEqual(framing(`HTTP/1.1 200 OK\r\n${fields}`, 'HEAD'), none)
    assert.deepEqual(framing(`HTTP/1.1 200 OK\r\n${fields}`, 'CONNECT'), none)
    for (const status of [100, 103, 204, 304]) assert.deepEqual(framing(`HTTP/1.1 ${status} x\r\n${fields}`), none)
  }
  assert.deepEqual(framing('HTTP/1.1 403 x\r\nContent-Length: 5\r\n', 'CONNECT'), [5, false, true])
})

test('101 names what follows', () => {
  const head = read('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nX: y\r\n')
  assert.deepEqual([head.upgrade, head.length, fieldsOf(head.headers)], ['websocket', 0, ['X: y']])
})

const refused: Readonly<Record<string, string>> = {
  'both Content-Length and Transfer-Encoding': `HTTP/1.1 200 OK\r\nContent-Length: 5\r\n${chunked}`,
  'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n',
  'a length that is no number': 'HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n',
  'a coding before chunked': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n',
  'a coding other than chunked': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n',
  'chunked in HTTP/1.0': `HTTP/1.0 200 OK\r\n${chunked}`,
  'both framings where no body follows': `HTTP/1.1 304 x\r\nContent-Length: 5\r\n${chunked}`,
  'a bare LF': 'HTTP/1.1 200 OK\r\nX: y\nSet-Cookie: a=b\r\n',
  'a bare CR': 'HTTP/1.1 200 OK\r\nX: y\rSet-Cookie: a=b\r\n',
  'a folded line': 'HTTP/1.1 200 OK\r\nX: y\r\n z\r\n',
  'a NUL in the phrase': 'HTTP/1.1 200 O\0K\r\n',
  'a NUL in a value': 'HTTP/1.1 200 OK\r\nX: \0\r\n',
  'a blank before a colon': 'HTTP/1.1 200 OK\r\nContent-Length : 5\r\n',
  'an empty line first': '\r\nHTTP/1.1 200 OK\r\n',
  'HTTP/2.0': 'HTTP/2.0 200 OK\r\n',
  ICY: 'ICY 200 OK\r\n',
  'two digits': 'HTTP/1.1 99 x\r\n',
  'a status of zeros': 'HTTP/1.1 000 x\r\n',
  'four digits': 'HTTP/1.1 2000 x\r\n',
  'no blank before the phrase': 'HTTP/1.1 200OK\r\n',
  'an interim answer of HTTP/1.0': 'HTTP/1.0 100 Continue\r\n',
  'an interim answer that closes': 'HTTP/1.1 103 Early Hints\r\nConnection: close\r\n',
  '101 without Upgrade': 'HTTP/1.1 101 x\r\nConnection: upgrade\r\n',
  '101 without Connection': 'HTTP/1.1 101 x\r\nUpgrade: websocket\r\n',
}
for (const [name, text] of Object.entries(refused)) {
  test(`refused: ${name}`, () => assert.throws(() => read(text), CodecError))
}

test('a status line that is refused is refused before the head is whole', () => {
  const bytes = Buffer.from('SSH-2.0-OpenSSH_9.6\r\n')
  assert.throws(() => new AnswerHeadReader().read(bytes, 0, bytes.length, headRules, 'GET'), CodecError)
})
