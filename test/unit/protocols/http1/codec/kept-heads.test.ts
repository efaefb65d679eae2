/** Heads that come again: what they say stays what it was, whoever has changed an earlier one, and rules hold for each of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CodecError } from '../../../../../protocols/http1/codec/codec-error.ts'
import { KeptHeads } from '../../../../../protocols/http1/codec/kept-heads.ts'
import { RequestHeadReader, type RequestRules } from '../../../../../protocols/http1/codec/request-head.ts'
import { type AnswerHead, AnswerHeadReader } from '../../../../../protocols/http1/codec/response-head.ts'
import { fieldsOf } from '../../../../support/http1-messages.ts'

const rules: RequestRules = { maxLineBytes: 200, maxHeadBytes: 1000, maxHeaders: 8, underscores: true }
const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1')

/** What a reader says of a request, with its fields as text; undefined: more has to come. */
function readRequest(reader: RequestHeadReader, text: string, own: Partial<RequestRules> = {}): object | undefined {
  const bytes = bytesOf(text)
  const head = reader.read(bytes, 0, bytes.length, { ...rules, ...own })
  return head && { ...head, headers: fieldsOf(head.headers), end: reader.end }
}

function readAnswer(reader: AnswerHeadReader, text: string, method = 'GET'): AnswerHead | undefined {
  const bytes = bytesOf(text)
  return reader.read(bytes, 0, bytes.length, rules, method)
}

const requests = [
  'GET /a HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /b?c=d HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET http://b/c HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /c HTTP/1.0\r\nHost: a\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: A:80\r\nContent-Length: 3\r\nExpect: 100-continue\r\nTE: trailers\r\n\r\n',
  'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: x-drop\r\nX-Drop: 1\r\nX-Stay: 2\r\n\r\n',
  'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n',
]

test('a request that comes again says the same, on the same connection and on another one, cut anywhere', () => {
  for (const text of requests) {
    const alone = readRequest(new RequestHeadReader(), `${text}rest`)
    const reader = new RequestHeadReader()
    for (let time = 0; time < 4; time += 1) assert.deepEqual(readRequest(reader, `${text}rest`), alone, text)
    assert.deepEqual(readRequest(new RequestHeadReader(), `${text}rest`), alone, text)
    for (let cut = 1; cut < text.length; cut += 1) {
      assert.equal(readRequest(reader, text.slice(0, cut)), undefined, `${text} to ${cut}`)
      assert.deepEqual(readRequest(reader, text), { ...alone, end: text.length }, `${text} from ${cut}`)
    }
  }
})

test('requests of all kinds in turn on one connection are not taken for each other', () => {
  const reader = new RequestHeadReader()
  for (let round = 0; round < 4; round += 1) {
    for (const text of requests) {
      assert.deepEqual(readRequest(reader, text), readRequest(new RequestHeadReader(), text), text)
    }
  }
})

test('one byte of difference is seen at every place', () => {
  const fields = 'Host: a\r\nX-Long: abcdefghijklmnopqrstuvwxyz\r\n\r\n'
  const reader = new RequestHeadReader()
  for (let time = 0; time < 3; time += 1) readRequest(reader, `GET / HTTP/1.1\r\n${fields}`)
  for (let at = 17; at < fields.length - 4; at += 1) {
    const other = `${fields.slice(0, at)}_${fields.slice(at + 1)}`
    const { headers } = readRequest(reader, `GET / HTTP/1.1\r\n${other}`) as { headers: string[] }
    assert.equal(headers[1], other.slice(9, -4))
    readRequest(reader, `GET / HTTP/1.1\r\n${fields}`)
  }
})

test('rules that have become stricter hold for what was let pass before', () => {
  const text = 'GET /path HTTP/1.1\r\nHost: a\r\nX_Y: 1\r\n\r\n'
  const reader = new RequestHeadReader()
  for (let time = 0; time < 3; time += 1) readRequest(reader, text)
  const refused = (own: Partial<RequestRules>, status: number): void => {
    assert.throws(
      () => readRequest(reader, text, own),
      (error) => error instanceof CodecError && error.status === status,
    )
  }
  refused({ maxHeaders: 1 }, 431)
  refused({ maxHeadBytes: 30 }, 431)
  refused({ maxLineBytes: 12 }, 414)
  const { headers } = readRequest(new RequestHeadReader(), text, { underscores: false }) as { headers: string[] }
  assert.deepEqual(headers, ['Host: a'])
  // The first line is not part of what was kept: with a longer one the whole is too large.
  for (let time = 0; time < 3; time += 1) readRequest(reader, text, { maxHeadBytes: 60 })
  assert.throws(() => readRequest(reader, text.replace('/path', `/${'p'.repeat(60)}`), { maxHeadBytes: 60 }))
})

test('fields that were changed are not those of the next message', () => {
  const text = 'GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n\r\n'
  const bytes = bytesOf(text)
  const reader = new RequestHeadReader()
  for (let time = 0; time < 5; time += 1) {
    const head = reader.read(bytes, 0, bytes.length, rules)
    assert.deepEqual(fieldsOf(head?.headers), ['Host: a', 'X-A: 1'])
    head?.headers.set('X-A', '2')
    head?.headers.delete('host')
    head?.headers.append('X-B', '3')
    assert.deepEqual(fieldsOf(head?.headers), ['X-A: 2', 'X-B: 3'])
  }
})

test('an answer that comes again says the same, and one to another method what that makes of it', () => {
  const text = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\n\r\n'
  const reader = new AnswerHeadReader()
  for (let time = 0; time < 5; time += 1) {
    const head = readAnswer(reader, `${text}hello`)
    assert.deepEqual(
      { ...head, headers: fieldsOf(head?.headers) },
      {
        ...{ version: 11, status: 200, reason: 'OK', headers: ['Content-Length: 5', 'X-A: 1'], length: 5 },
        ...{ chunked: false, keepAlive: true, upgrade: undefined, bytes: text.length },
      },
    )
    assert.equal(reader.end, text.length)
    head?.headers.set('X-A', '2')
    assert.equal(readAnswer(reader, text, 'HEAD')?.length, 0)
    assert.equal(readAnswer(reader, text.slice(0, 20)), undefined)
    assert.equal(readAnswer(reader, text)?.length, 5)
  }
})

test('bytes are kept when they come for the second time, and few of them', () => {
  const heads = new KeptHeads<string>()
  const note = (text: string): number => heads.note(bytesOf(text), 0, text.length, () => text)
  assert.equal(note('one'), -1)
  const place = note('one')
  assert.equal(heads.at(place, bytesOf('..one!'), 2, 6), 'one')
  assert.equal(heads.at(place, bytesOf('on'), 0, 2), undefined)
  assert.equal(heads.at(place, bytesOf('onf'), 0, 3), undefined)
  assert.equal(heads.at(-1, bytesOf('one'), 0, 3), undefined)
  assert.equal(heads.sizeAt(place), 3)
  assert.equal(note('one'), place)
  const long = 'x'.repeat(1025)
  for (let time = 0; time < 3; time += 1) assert.equal(note(long), -1)
  for (let index = 0; index < 100_000; index += 1) assert.equal(note(`unlike ${index}`), -1)
})
