/** Bodies in chunks: what is delivered, what is kept, what ends them. Broken ones are in the table of smuggling cases. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChunkedReader } from '../../../../../protocols/http1/codec/chunked-reader.ts'
import { CodecError } from '../../../../../protocols/http1/codec/codec-error.ts'
import { fieldsOf, headRules } from '../../../../support/http1-messages.ts'

/** The parts, and where reading stopped. */
function read(reader: ChunkedReader, bytes: Uint8Array): { parts: string[]; end: number } {
  const parts: string[] = []
  let at = 0
  while (at < bytes.length && !reader.ended) {
    at = reader.read(bytes, at, bytes.length)
    if (reader.partEnd > reader.partAt)
      parts.push(Buffer.from(bytes.subarray(reader.partAt, reader.partEnd)).toString())
  }
  return { parts, end: at }
}

test('each part is a stretch of the bytes that were read, and what follows the body is left alone', () => {
  const reader = new ChunkedReader(headRules)
  const bytes = Buffer.from('3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\nGET /')
  assert.deepEqual(read(reader, bytes), { parts: ['abc', 'd'], end: bytes.length - 5 })
  assert.deepEqual([reader.ended, reader.midway, reader.trailers], [true, false, undefined])
})

test('a chunk that is cut is delivered as it comes, without waiting for its end', () => {
  const reader = new ChunkedReader(headRules)
  assert.deepEqual(read(reader, Buffer.from('fffffff\r\nab')).parts, ['ab'])
  assert.deepEqual(read(reader, Buffer.from('cd')).parts, ['cd'])
  assert.equal(reader.midway, true)
})

test('trailers are read, and those that come too late are dropped', () => {
  const reader = new ChunkedReader(headRules)
  read(reader, Buffer.from('0\r\nX-Sum: 1\r\nHost: b\r\nAuthorization: x\r\nSet-Cookie: a\r\nx-two:  2 \r\n\r\n'))
  assert.deepEqual(fieldsOf(reader.trailers), ['X-Sum: 1', 'x-two: 2'])
})

test('trailers that are all dropped are none', () => {
  const reader = new ChunkedReader(headRules)
  read(reader, Buffer.from('0\r\nTrailer: x\r\n\r\n'))
  assert.deepEqual([reader.ended, reader.trailers], [true, undefined])
})

test('trailers have the limits of heads', () => {
  const section =
    (text: string): (() => void) =>
    () => {
      read(new ChunkedReader({ maxLineBytes: 50, maxHeadBytes: 200, maxHeaders: 3 }), Buffer.from(`0\r\n${text}\r\n`))
    }
  assert.doesNotThrow(section('A: 1\r\nB: 2\r\nC: 3\r\n'))
  assert.throws(section('A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n'), { status: 431 })
  assert.throws(section(`A: ${'x'.repeat(48)}\r\n`), { status: 431 })
})

test('the extensions of one body are bounded together', () => {
  const limits = { maxLineBytes: 50, maxHeadBytes: 200, maxHeaders: 3 }
  const body = (times: number): Buffer => Buffer.from('1;abcdefg\r\nx\r\n'.repeat(times))
  assert.doesNotThrow(() => read(new ChunkedReader(limits), body(5)))
  assert.throws(() => read(new ChunkedReader(limits), body(6)), CodecError)
})

test('the greatest size is the greatest number that is exact', () => {
  const size =
    (text: string): (() => void) =>
    () => {
      read(new ChunkedReader(headRules), Buffer.from(`${text}\r\nx`))
    }
  assert.doesNotThrow(size('1fffffffffffff'))
  assert.doesNotThrow(size('0000000000000a'))
  assert.throws(size('20000000000000'), CodecError)
  assert.throws(size('00000000000000a'), CodecError)
})
