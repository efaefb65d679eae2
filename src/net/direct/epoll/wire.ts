/** The entry of the list of wires for epoll. */
import type { Wire } from '../../wire.ts'
import { DirectWire, type DirectWireOptions } from '../wire.ts'
import { EpollEngine } from './epoll-engine.ts'

export interface EpollWireOptions extends DirectWireOptions {
  /** As in `EpollOptions`. */
  readonly joint?: boolean
}

/** One of a kind for each thread: two would wait for their own events only. Those with other options are for tests. */
const engines = new Map<string, EpollEngine>()

export function createEpollWire(options: EpollWireOptions = {}): Wire {
  const { checks = false, joint = true } = options
  const kind = `${checks} ${joint}`
  const engine = engines.get(kind) ?? new EpollEngine({ checks, joint })
  engines.set(kind, engine)
  return new DirectWire(engine, options)
}
