import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constants, gunzipSync } from 'node:zlib'
import { GzipMember } from '../../../../../src/plugins/gzip/gzip-member.ts'

const settings = { level: 6, bufferBytes: 4096, buffers: 32 }

/** Text that compresses, other than itself elsewhere. */
function text(size: number, seed = 1): Buffer {
  let state = seed
  const words = Array.from({ length: Math.ceil(size / 4) }, () => {
    state = (state * 1103515245 + 12345) % 2 ** 31
    return (state % 5000).toString(36).padStart(4, ' ')
  })
  return Buffer.from(words.join('').slice(0, size))
}

test('whatever the parts, they are one member that any reader takes', () => {
  const shapes = [[], [0], [1], [10, 0, 5], [40_000, 1, 70_000, 16, 16], Array.from({ length: 300 }, (_, at) => at * 7)]
  for (const sizes of shapes) {
    const member = new GzipMember(settings)
    const parts = sizes.map((size, at) => text(size, at + 1))
    const out = parts.map((part) => member.add(part, false))
    out.push(member.add(new Uint8Array(0), true))
    assert.deepEqual(gunzipSync(Buffer.concat(out)), Buffer.concat(parts), String(sizes))
  }
  const whole = new GzipMember(settings).add(text(1000), true)
  assert.deepEqual(gunzipSync(whole), text(1000))
})

test('what has come can be read before there is more', () => {
  const member = new GzipMember(settings)
  let sent = Buffer.alloc(0)
  let expected = ''
  for (const part of ['first ', 'second ', 'third']) {
    sent = Buffer.concat([sent, member.add(Buffer.from(part), false)])
    expected += part
    assert.equal(gunzipSync(sent, { finishFlush: constants.Z_SYNC_FLUSH }).toString(), expected)
  }
})

test('a part refers to those before it, and the parts may be overwritten', () => {
  const member = new GzipMember(settings)
  const once = text(20_000)
  const first = member.add(once, false)
  const again = member.add(once, false)
  assert.ok(again.length < first.length / 10, `${first.length} and ${again.length} bytes`)
  const lent = text(5000, 9)
  const third = Buffer.from(member.add(lent, false))
  lent.fill(0x21)
  const end = member.add(text(5000, 9), true)
  const whole = gunzipSync(Buffer.concat([first, again, third, end]))
  assert.deepEqual(whole, Buffer.concat([once, once, text(5000, 9), text(5000, 9)]))
})

test('a part larger than all buffers is compressed in slices', () => {
  const member = new GzipMember({ level: 1, bufferBytes: 10, buffers: 3 })
  const out = member.add(text(1000), true)
  assert.deepEqual(gunzipSync(out), text(1000))
})
