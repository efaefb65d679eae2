/** The entry of the list of wires for epoll. */
import type { Wire } from '../../wire.ts'
import { DirectWire, type DirectWireOptions } from '../wire.ts'
import { EpollEngine } from './epoll-engine.ts'

/** One for each thread: two would wait for their own events only. That with checks is for tests. */
let engine: EpollEngine | undefined
let checkingEngine: EpollEngine | undefined

export function createEpollWire(options: DirectWireOptions = {}): Wire {
  if (options.checks === true) {
    checkingEngine ??= new EpollEngine({ checks: true })
    return new DirectWire(checkingEngine, options)
  }
  engine ??= new EpollEngine({ checks: false })
  return new DirectWire(engine, options)
}
