/** The wire suites over the list of wires, and over the portable wire without Node's own handles. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { findHandles } from '../../src/net/portable/handles.ts'
import { createPortableWire } from '../../src/net/portable/wire.ts'
import { wires } from '../../src/net/wires.ts'
import { wireContract } from './wire.ts'

for (const wire of wires) if (wire.usable()) wireContract(wire.name, () => wire.create())
wireContract('portable on public modules', () => createPortableWire({ handles: false }))

test('this Node keeps its handles where the fast way needs them', () => {
  assert.notEqual(findHandles(), undefined)
})
