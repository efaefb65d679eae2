import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Operator, Slots } from '../../../../../../src/net/direct/uring/slots.ts'

const operator = (): Operator => ({ completed() {} })

test('a key finds its operator until it is freed, and nobody afterwards', () => {
  const slots = new Slots()
  const [one, two] = [operator(), operator()]
  const [first, second] = [slots.take(one), slots.take(two)]
  assert.equal(slots.find(first), one)
  slots.free(first)
  slots.free(first)
  assert.equal(slots.find(first), undefined)
  assert.equal(slots.find(second), two)
  assert.equal(slots.size, 1)
})

test('a slot that is taken again has another key, for thousands of times', () => {
  const slots = new Slots()
  let last = slots.take(operator())
  const seen = new Set([last])
  for (let round = 1; round < 4096; round += 1) {
    slots.free(last)
    const next = slots.take(operator())
    assert.equal(slots.find(last), undefined)
    assert.equal(next, next | 0, 'a key is a word of 32 bits, as the ring carries it')
    seen.add(next)
    last = next
  }
  assert.equal(seen.size, 4096)
})

test('the key of operations that concern nobody is never handed out', () => {
  const slots = new Slots()
  assert.equal(slots.find(0), undefined)
  assert.notEqual(slots.take(operator()), 0)
})
