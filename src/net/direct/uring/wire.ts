/** The entry of the list of wires for io_uring. */
import type { Wire } from '../../wire.ts'
import { DirectWire, type DirectWireOptions } from '../wire.ts'
import { uringEngine } from './uring-engine.ts'

/** Throws a `RangeError` with the reason where io_uring is refused. */
export function createUringWire(options: DirectWireOptions = {}): Wire {
  return new DirectWire(uringEngine(options.checks ?? false), options)
}
