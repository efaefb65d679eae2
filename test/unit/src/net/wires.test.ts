/** Which wires there are, and how one is chosen. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWire, wireRefusal, wires } from '../../../../src/net/wires.ts'

test('auto takes a wire that is not reserved to those who name it', () => {
  const { name } = createWire('auto')
  assert.equal(wires.find((wire) => wire.name === name)?.byNameOnly, false)
  assert.equal(wireRefusal('auto'), undefined)
})

test('every wire that is usable can be had by its name', () => {
  for (const wire of wires) {
    if (!wire.usable()) continue
    assert.equal(createWire(wire.name).name, wire.name)
    assert.equal(wireRefusal(wire.name), undefined)
  }
})

test('a wire that is not usable here is refused with what is', () => {
  for (const wire of wires) {
    if (wire.usable()) continue
    assert.match(wireRefusal(wire.name) ?? '', /can use auto, portable/)
    assert.throws(() => createWire(wire.name), RangeError)
  }
})

test('a name that no wire has is refused with those that there are', () => {
  assert.match(wireRefusal('kqueue') ?? '', /^there is no kqueue in this version; there are auto, portable/)
  assert.throws(() => createWire('kqueue'), /no kqueue/)
})
