import assert from 'node:assert/strict'
import test from 'node:test'
import { chunked, unframed } from '../../../../protocols/http1/codec/head-writer.ts'
import { MessageWriter } from '../../../../protocols/http1/message-writer.ts'
import { HeaderList } from '../../../../src/exchange/header-list.ts'
import { ScriptedLink } from '../../../support/scripted-link.ts'

function writing(framing: number) {
  const link = new ScriptedLink()
  const writer = new MessageWriter(link)
  writer.begin('HEAD|', framing)
  return { link, writer }
}
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

test('a head waits for what follows it', () => {
  const { link, writer } = writing(3)
  assert.deepEqual([link.writes, writer.flushed], [[], false])
  writer.write(bytes('abc'))
  assert.deepEqual([link.writes, writer.flushed], [['HEAD|abc'], true])
})

test('a head leaves alone when nothing follows yet, once', () => {
  const { link, writer } = writing(3)
  writer.flush()
  writer.flush()
  assert.deepEqual(link.writes, ['HEAD|'])
})

test('a large first part is not copied to its head', () => {
  const { link, writer } = writing(20_000)
  writer.write(bytes('x'.repeat(20_000)))
  assert.deepEqual(
    link.writes.map(({ length }) => length),
    [5, 20_000],
  )
})

test('more or fewer bytes than announced are told, and more are not sent', () => {
  const more = writing(3)
  assert.equal(more.writer.write(bytes('abcd')), false)
  assert.deepEqual(more.link.writes, [])
  const fewer = writing(3)
  fewer.writer.write(bytes('ab'))
  assert.equal(fewer.writer.finish(undefined, []), false)
  const exact = writing(3)
  exact.writer.write(bytes('ab'))
  exact.writer.write(bytes('c'))
  assert.equal(exact.writer.finish(undefined, []), true)
})

test('small chunks are gathered until they are flushed, or are many', () => {
  const { link, writer } = writing(chunked)
  for (const part of ['a', 'bc', 'def']) writer.write(bytes(part))
  assert.deepEqual(link.writes, [])
  writer.flush()
  assert.deepEqual(link.writes, ['HEAD|1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n'])
  for (let round = 0; round < 100; round += 1) writer.write(bytes('x'.repeat(1000)))
  assert.ok(link.writes.length > 5)
})

test('an empty part is no chunk, since that would be the last', () => {
  const { link, writer } = writing(chunked)
  writer.write(bytes(''))
  writer.finish(undefined, [])
  assert.deepEqual(link.writes, ['HEAD|0\r\n\r\n'])
})

test('trailers follow a chunked body only', () => {
  const trailers = HeaderList.of({ 'X-Sum': '1' })
  for (const [framing, end] of [
    [chunked, '0\r\nX-Sum: 1\r\n\r\n'],
    [unframed, ''],
    [0, ''],
  ] as const) {
    const { link, writer } = writing(framing)
    writer.finish(trailers, [])
    assert.deepEqual(link.writes, [`HEAD|${end}`])
  }
})

test('a link that is full is noted', () => {
  for (const size of [1, 30_000]) {
    const { link, writer } = writing(unframed)
    link.full = true
    writer.write(bytes('x'.repeat(size)))
    assert.equal(writer.full, true)
  }
})
