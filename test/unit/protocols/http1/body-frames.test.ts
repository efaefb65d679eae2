import assert from 'node:assert/strict'
import test from 'node:test'
import { BodyFrames } from '../../../../protocols/http1/body-frames.ts'
import { CodecError } from '../../../../protocols/http1/codec/codec-error.ts'

const limits = { maxLineBytes: 100, maxHeadBytes: 1000, maxHeaders: 10 }

/** Reads all of it, and answers the body and how much was left over. */
function readAll(frames: BodyFrames, wire: string): [body: string, left: number] {
  const bytes = Buffer.from(wire)
  let [at, body] = [0, '']
  while (at < bytes.length && !frames.ended) {
    at = frames.read(bytes, at, bytes.length)
    body += bytes.toString('latin1', frames.partAt, frames.partEnd)
  }
  return [body, bytes.length - at]
}

test('a body of known length ends with its last byte', () => {
  const frames = new BodyFrames(limits)
  frames.begin(5)
  assert.deepEqual([frames.ended, frames.left], [false, 5])
  assert.deepEqual(readAll(frames, 'he'), ['he', 0])
  assert.deepEqual([frames.ended, frames.left], [false, 3])
  assert.deepEqual(readAll(frames, 'lloGET'), ['llo', 3])
  assert.deepEqual([frames.ended, frames.left], [true, 0])
})

test('a chunked body ends with its trailers', () => {
  const frames = new BodyFrames(limits)
  frames.begin(undefined)
  assert.deepEqual(readAll(frames, '2\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\n\r\nGET'), ['hello', 3])
  assert.deepEqual([frames.ended, frames.left, frames.trailers?.get('x')], [true, undefined, 'y'])
})

test('a body until the end of the connection takes all, and never ends by itself', () => {
  const frames = new BodyFrames(limits)
  frames.begin(Number.POSITIVE_INFINITY)
  assert.deepEqual(readAll(frames, 'x'.repeat(1000)), ['x'.repeat(1000), 0])
  assert.deepEqual([frames.ended, frames.untilClose], [false, true])
})

test('there may be no body, and one after the other', () => {
  const frames = new BodyFrames(limits)
  frames.begin(undefined)
  readAll(frames, '0\r\nX: y\r\n\r\n')
  frames.begin(0)
  assert.deepEqual([frames.ended, frames.trailers], [true, undefined])
  frames.begin(undefined)
  assert.equal(frames.ended, false)
})

test('broken chunks are told', () => {
  const frames = new BodyFrames(limits)
  frames.begin(undefined)
  assert.throws(() => readAll(frames, 'zz\r\n'), CodecError)
})
