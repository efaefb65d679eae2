/** The wire that tests run on: the caller of the tests chooses, and runs those that depend on it once for each. */
import assert from 'node:assert/strict'
import type { Wire } from '../../src/net/wire.ts'
import { chooseWire, createWire, type WireOptions } from '../../src/net/wires.ts'

/** As `sluice.wire` takes it. */
export const testWire: string = process.env['SLUICE_TEST_WIRE'] ?? 'auto'

/** For tests without a gateway. Throws where that wire cannot be had. */
export function createTestWire(options: WireOptions): Wire {
  const { wire, passedOver } = createWire(chooseWire(testWire).name, options)
  assert.deepEqual(passedOver, [])
  return wire
}
