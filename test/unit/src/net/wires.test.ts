/** Which wires there are, how one is chosen, and what a thread does that cannot have the chosen one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPortableWire } from '../../../../src/net/portable/wire.ts'
import { chooseWire, createWire, type WireKind, wires } from '../../../../src/net/wires.ts'

/** As the real ones; those that are refused cannot be made either. */
function kinds(refusals: Partial<Record<WireKind['name'], string>>): readonly WireKind[] {
  return wires.map(({ name }) => ({
    name,
    refusal: () => refusals[name],
    create: () => {
      const reason = refusals[name]
      if (reason !== undefined) throw new Error(reason)
      return { ...createPortableWire(), name }
    },
  }))
}

test('auto takes uring before epoll before portable', () => {
  assert.deepEqual(chooseWire('auto', kinds({})), { name: 'uring', passedOver: [] })
  const uring = { name: 'uring', reason: 'switched off' } as const
  assert.deepEqual(chooseWire('auto', kinds({ uring: 'switched off' })), { name: 'epoll', passedOver: [uring] })
  const epoll = { name: 'epoll', reason: 'no node:ffi' } as const
  assert.deepEqual(chooseWire('auto', kinds({ uring: 'switched off', epoll: 'no node:ffi' })), {
    name: 'portable',
    passedOver: [uring, epoll],
  })
})

test('auto tells of every better wire on this machine why it is not that', () => {
  const { name, passedOver } = chooseWire('auto')
  const better = wires.slice(
    0,
    wires.findIndex((kind) => kind.name === name),
  )
  assert.deepEqual(
    passedOver,
    better.map((kind) => ({ name: kind.name, reason: kind.refusal() })),
  )
})

test('a wire that is asked for by name is taken, although there is a better one', () => {
  for (const { name } of wires) assert.deepEqual(chooseWire(name, kinds({})), { name, passedOver: [] })
})

test('a wire that is asked for by name and cannot be had is refused with the reason, and with what can', () => {
  assert.throws(
    () => chooseWire('uring', kinds({ uring: 'Linux 5.4.0 is too old' })),
    new RangeError('uring cannot be had here: Linux 5.4.0 is too old; there are auto, epoll, portable'),
  )
})

test('a name that no wire has is refused with those that there are', () => {
  assert.throws(
    () => chooseWire('kqueue'),
    new RangeError('there is no kqueue in this version; there are auto, uring, epoll, portable'),
  )
})

test('every wire that this machine allows can be made', () => {
  for (const { name, refusal } of wires) {
    if (refusal() !== undefined) continue
    const { wire, passedOver } = createWire(name)
    assert.deepEqual([wire.name, passedOver], [name, []])
  }
})

test('a thread that cannot make the chosen wire makes the next, and says why', () => {
  const { wire, passedOver } = createWire('epoll', {}, kinds({ uring: 'not asked', epoll: 'EMFILE' }))
  assert.equal(wire.name, 'portable')
  assert.deepEqual(passedOver, [{ name: 'epoll', reason: 'EMFILE' }])
})
