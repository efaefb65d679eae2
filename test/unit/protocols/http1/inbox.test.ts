import assert from 'node:assert/strict'
import test from 'node:test'
import { Inbox } from '../../../../protocols/http1/inbox.ts'

const text = (inbox: Inbox): string => Buffer.from(inbox.bytes.subarray(inbox.at, inbox.to)).toString()

/** Lends a read and spoils it when it is over. */
function read(inbox: Inbox, bytes: string, use = 0): void {
  const lent = Buffer.from(bytes)
  inbox.lend(lent)
  inbox.at += use
  inbox.keep()
  lent.fill(0xdb)
}

test('a read that is used up leaves nothing behind', () => {
  const inbox = new Inbox()
  read(inbox, 'abc', 3)
  assert.deepEqual([inbox.size, inbox.bytes.length], [0, 0])
})

test('what a read leaves is kept as a copy, and the next read follows it', () => {
  const inbox = new Inbox()
  read(inbox, 'abcdef', 2)
  assert.equal(text(inbox), 'cdef')
  read(inbox, 'ghi', 1)
  assert.equal(text(inbox), 'defghi')
})

test('bytes that come one by one are kept in order, at a cost that is linear', () => {
  const inbox = new Inbox()
  let expected = ''
  const stores = new Set<unknown>()
  for (let count = 0; count < 10_000; count += 1) {
    const byte = String.fromCharCode(97 + (count % 26))
    read(inbox, byte)
    stores.add(inbox.bytes.buffer)
    expected += byte
  }
  assert.equal(text(inbox), expected)
  assert.ok(stores.size < 10, `${stores.size} times new memory`)
})

test('memory is used again where most of it has been used up', () => {
  const inbox = new Inbox()
  read(inbox, 'x'.repeat(600))
  let expected = 'x'.repeat(600)
  const stores = new Set<unknown>()
  for (let round = 0; round < 100; round += 1) {
    const piece = String.fromCharCode(97 + (round % 26)).repeat(500)
    read(inbox, piece, 500)
    expected = (expected + piece).slice(500)
    stores.add(inbox.bytes.buffer)
    assert.equal(text(inbox), expected)
  }
  assert.ok(
    stores.size < 60 && inbox.bytes.length < 5000,
    `${stores.size} times new memory, ${inbox.bytes.length} bytes`,
  )
})

test('all that is left can be taken, and is the caller’s', () => {
  const inbox = new Inbox()
  const lent = Buffer.from('abcdef')
  inbox.lend(lent)
  inbox.at = 4
  const rest = inbox.take()
  lent.fill(0xdb)
  assert.deepEqual([Buffer.from(rest).toString(), inbox.size], ['ef', 0])
})
