/** The entry of the list of wires for io_uring. */
import type { Wire } from '../../wire.ts'
import { DirectWire, type DirectWireOptions } from '../wire.ts'
import { uringEngine } from './uring-engine.ts'

export interface UringWireOptions extends DirectWireOptions {
  /** Queues of a page each, as on kernels that give no more. */
  readonly shortQueues?: boolean
}

/** Throws a `RangeError` with the reason where io_uring is refused. */
export function createUringWire(options: UringWireOptions = {}): Wire {
  const { checks = false, shortQueues = false } = options
  return new DirectWire(uringEngine({ checks, shortQueues }), options)
}
