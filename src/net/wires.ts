/**
 * The wires that there are, best first. Which of them a machine allows is decided once, at start. Those that `auto` leaves
 * alone are taken by name only, and their code is not even loaded before.
 */

import { createRequire } from 'node:module'
import type { TimerWheel } from '../base/timers.ts'
import { createPortableWire } from './portable/wire.ts'
import type { Wire } from './wire.ts'

export interface WireOptions {
  /** For the deadlines of dials and of links that close. Default: one of the wire's own, which keeps no thread alive. */
  readonly wheel?: TimerWheel
}

export interface WireKind {
  readonly name: Wire['name']
  /** Never chosen by `auto`. */
  readonly byNameOnly: boolean
  /** False where the system does not have, or does not allow, what it needs. */
  usable(): boolean
  create(options?: WireOptions): Wire
}

/** Synchronous, as a wire is created; and not before it is, since older versions of Node cannot even load them. */
const load = createRequire(import.meta.url)
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const epoll = (): typeof import('./direct/epoll/wire.ts') => load(`./direct/epoll/wire.${extension}`)
const uring = (): typeof import('./direct/uring/wire.ts') => load(`./direct/uring/wire.${extension}`)

/** Whether a direct wire can be made here: asked once, as it makes one. */
function probed(create: () => Wire): () => boolean {
  let outcome: boolean | undefined
  return () => {
    if (outcome !== undefined) return outcome
    try {
      outcome = process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64')
      if (outcome) create()
    } catch {
      outcome = false
    }
    return outcome
  }
}

export const wires: readonly WireKind[] = [
  { name: 'portable', byNameOnly: false, usable: () => true, create: createPortableWire },
  {
    name: 'epoll',
    byNameOnly: true,
    usable: probed(() => epoll().createEpollWire()),
    create: (options) => epoll().createEpollWire(options),
  },
  {
    name: 'uring',
    byNameOnly: true,
    usable: probed(() => uring().createUringWire()),
    create: (options) => uring().createUringWire(options),
  },
]

const kindFor = (name: string): WireKind | undefined =>
  wires.find((wire) => (name === 'auto' ? !wire.byNameOnly : wire.name === name) && wire.usable())

/** Why there can be no wire of that name here; undefined: there can. Costs what it takes to make one. */
export function wireRefusal(name: string): string | undefined {
  if (kindFor(name) !== undefined) return undefined
  const known = wires.map((wire) => wire.name)
  if (known.some((one) => one === name)) {
    const usable = wires.filter((wire) => wire.usable()).map((wire) => wire.name)
    return `this system does not have, or does not allow, what ${name} needs; it can use auto, ${usable.join(', ')}`
  }
  return `there is no ${name} in this version; there are auto, ${known.join(', ')}`
}

/** `auto` takes the first that is usable. Throws for a name that is not in the list, or a wire that is not usable here. */
export function createWire(name: string, options: WireOptions = {}): Wire {
  const kind = kindFor(name)
  if (kind !== undefined) return kind.create(options)
  throw new RangeError(wireRefusal(name))
}
