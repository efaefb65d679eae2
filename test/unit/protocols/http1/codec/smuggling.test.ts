/** No head or body by which requests are smuggled makes the codec see one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CodecError } from '../../../../../protocols/http1/codec/codec-error.ts'
import { requestReader } from '../../../../support/http1-messages.ts'
import { smugglingCases } from '../../../../support/smuggling-cases.ts'

/** Whole at once, and byte by byte. */
const stepsOf = (bytes: Buffer): readonly number[] => [bytes.length, bytes.length > 2000 ? 7 : 1]

for (const { name, bytes: text, requests, then } of smugglingCases) {
  test(`${name}: ${requests} requests, then it ${typeof then === 'number' ? `is refused with ${then}` : then}`, () => {
    const bytes = Buffer.from(text, 'latin1')
    for (const step of stepsOf(bytes)) {
      const reader = requestReader()
      let end: unknown
      try {
        for (let at = 0; at < bytes.length; at += step) reader.push(bytes.subarray(at, at + step))
        end = reader.midway ? 'waits' : 'ends'
      } catch (error) {
        assert.ok(error instanceof CodecError)
        end = error.status
      }
      assert.equal(end, then)
      assert.equal(reader.messages.length, requests)
      for (const { head } of reader.messages) assert.notEqual(head.uri, '/smuggled')
    }
  })
}

test('the table has no name twice', () => {
  const names = smugglingCases.map(({ name }) => name)
  assert.deepEqual(names, [...new Set(names)])
  assert.ok(names.length >= 60)
})
