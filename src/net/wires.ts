/**
 * The wires that there are, best first. Which of them a machine allows is decided once, at start.
 */
import type { TimerWheel } from '../base/timers.ts'
import { createPortableWire } from './portable/wire.ts'
import type { Wire } from './wire.ts'

export interface WireOptions {
  /** For the deadlines of dials and of links that close. Default: one of the wire's own, which keeps no thread alive. */
  readonly wheel?: TimerWheel
}

export interface WireKind {
  readonly name: Wire['name']
  /** False where the system does not have, or does not allow, what it needs. */
  usable(): boolean
  create(options?: WireOptions): Wire
}

export const wires: readonly WireKind[] = [{ name: 'portable', usable: () => true, create: createPortableWire }]

/** `auto` takes the first that is usable. Throws for a name that is not in the list, or a wire that is not usable here. */
export function createWire(name: string, options: WireOptions = {}): Wire {
  const kind = wires.find((wire) => (name === 'auto' || wire.name === name) && wire.usable())
  if (kind !== undefined) return kind.create(options)
  const known = wires.map((wire) => wire.name).join(', ')
  throw new RangeError(`no wire "${name}" on this system; there are: auto, ${known}`)
}
