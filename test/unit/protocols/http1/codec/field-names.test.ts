/** The table of known names. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { host, knownName, plain } from '../../../../../protocols/http1/codec/field-names.ts'

const find = (text: string) => knownName(Buffer.from(text, 'latin1'), 0, text.length)

test('a known name is found in any case, and names that are nearly known are not', () => {
  assert.deepEqual(find('Host'), { lower: 'host', written: 'Host', role: host })
  assert.deepEqual(find('host'), { lower: 'host', written: 'host', role: host })
  assert.deepEqual(find('hOsT'), { lower: 'host', written: undefined, role: host })
  assert.equal(find('x-request-id')?.written, 'x-request-id')
  assert.equal(find('Sec-WebSocket-Key')?.role, plain)
  for (const name of ['Hos', 'Hosts', 'Hoxt', 'Content_Length', 'content-lengtH ', 'x', 'Kost', '(ost']) {
    assert.equal(find(name), undefined, name)
  }
})

test('no byte of a token but its other case stands for a letter of a known name', () => {
  const name = 'transfer-encoding'
  for (let at = 0; at < name.length; at += 1) {
    for (let byte = 0x21; byte < 0x7f; byte += 1) {
      const text = name.slice(0, at) + String.fromCharCode(byte) + name.slice(at + 1)
      assert.equal(find(text) !== undefined, text.toLowerCase() === name, text)
    }
  }
})
