/** CRC-32 against zlib's. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { crc32 as zlibCrc32 } from 'node:zlib'
import { crc32, crc32OfWord } from '../../../../src/base/crc32.ts'

test('the check value of the standard', () => {
  assert.equal(crc32('123456789'), 0xcbf43926)
})

for (const text of [
  '',
  'a',
  '127.0.0.1\u00001980',
  'é',
  '€uro',
  '😀',
  '\ud800',
  'x\udc00y',
  '\u07ff\u0800\uffff',
  'ключ-ключ',
]) {
  test(`${JSON.stringify(text)} as UTF-8`, () => assert.equal(crc32(text), zlibCrc32(text)))
}

test('a word goes on where a text ended, low byte first', () => {
  for (const word of [0, 1, 0xdeadbeef, 0xffffffff, 0x80000000]) {
    const bytes = Buffer.alloc(7)
    bytes.write('seq')
    bytes.writeUInt32LE(word, 3)
    assert.equal(crc32OfWord(crc32('seq'), word), zlibCrc32(bytes))
  }
})
