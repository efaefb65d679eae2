/**
 * The wires that there are, best first, and the choice among them. Main chooses once, at start, and tells workers the name.
 * The code of a wire is not even loaded before somebody asks for it, or for why it cannot be had.
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
  /** Why this thread cannot have it; undefined: it can. Looked into at the first call. */
  refusal(): string | undefined
  /** Throws where it cannot be had. */
  create(options?: WireOptions): Wire
}

/** A wire that was passed over for a worse one, and why. */
export interface PassedOver {
  readonly name: Wire['name']
  readonly reason: string
}

export interface WireChoice {
  readonly name: Wire['name']
  /** Those that are better and cannot be had here, best first; none when the wire was asked for by name. */
  readonly passedOver: readonly PassedOver[]
}

/** Synchronous, as a wire is created; and not before it is, since older versions of Node cannot even load them. */
const load = createRequire(import.meta.url)
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const module = <Module>(path: string): Module => load(`./direct/${path}.${extension}`) as Module
const epoll = (): typeof import('./direct/epoll/wire.ts') => module('epoll/wire')
const epollSet = (): typeof import('./direct/ffi/epoll.ts') => module('ffi/epoll')
const uring = (): typeof import('./direct/uring/wire.ts') => module('uring/wire')
const uringSetup = (): typeof import('./direct/uring/ring-setup.ts') => module('uring/ring-setup')

/** Of a direct wire, found out once: whether there is all that its code needs to load, and what the system says to `ask`. */
function looked(code: () => unknown, ask: () => string | undefined): () => string | undefined {
  let outcome: { readonly reason: string | undefined } | undefined
  return () => {
    if (outcome !== undefined) return outcome.reason
    try {
      outcome = { reason: platformRefusal() }
      if (outcome.reason === undefined) {
        code()
        outcome = { reason: ask() }
      }
    } catch (error) {
      outcome = { reason: (error as Error).message }
    }
    return outcome.reason
  }
}

/** Of both direct wires. */
function platformRefusal(): string | undefined {
  if (process.platform !== 'linux') return `it needs Linux, this is ${process.platform}`
  if (process.arch !== 'x64' && process.arch !== 'arm64') return `it needs x64 or arm64, this is ${process.arch}`
  return undefined
}

export const wires: readonly WireKind[] = [
  {
    name: 'uring',
    refusal: looked(uring, () => uringSetup().uringRefusal()),
    create: (options) => uring().createUringWire(options),
  },
  {
    name: 'epoll',
    refusal: looked(epoll, () => epollSet().epollRefusal()),
    create: (options) => epoll().createEpollWire(options),
  },
  { name: 'portable', refusal: () => undefined, create: createPortableWire },
]

/** `auto` is the best that can be had. Throws a `RangeError` with the reason for another name that cannot. */
export function chooseWire(asked: string, kinds: readonly WireKind[] = wires): WireChoice {
  if (asked === 'auto') return best(kinds)
  const kind = kinds.find(({ name }) => name === asked)
  if (kind === undefined) {
    throw new RangeError(`there is no ${asked} in this version; there are auto, ${namesOf(kinds)}`)
  }
  const reason = kind.refusal()
  if (reason === undefined) return { name: kind.name, passedOver: [] }
  const usable = kinds.filter((one) => one.refusal() === undefined)
  throw new RangeError(`${asked} cannot be had here: ${reason}; there are auto, ${namesOf(usable)}`)
}

function best(kinds: readonly WireKind[]): WireChoice {
  const passedOver: PassedOver[] = []
  for (const { name, refusal } of kinds) {
    const reason = refusal()
    if (reason === undefined) return { name, passedOver }
    passedOver.push({ name, reason })
  }
  throw new RangeError(`no wire can be had: ${passedOver.map(({ name, reason }) => `${name}: ${reason}`).join('; ')}`)
}

function namesOf(kinds: readonly WireKind[]): string {
  return kinds.map(({ name }) => name).join(', ')
}

/**
 * Makes the wire of that name, which was chosen elsewhere, or where that fails the next worse one: what a thread may have can
 * differ from what another had earlier (memory, descriptors). `passedOver` are those that failed.
 */
export function createWire(
  chosen: Wire['name'],
  options: WireOptions = {},
  kinds: readonly WireKind[] = wires,
): { readonly wire: Wire; readonly passedOver: readonly PassedOver[] } {
  const passedOver: PassedOver[] = []
  for (const kind of kinds.slice(kinds.findIndex(({ name }) => name === chosen))) {
    try {
      return { wire: kind.create(options), passedOver }
    } catch (error) {
      passedOver.push({ name: kind.name, reason: (error as Error).message })
    }
  }
  throw new RangeError(`no wire can be made: ${passedOver.map(({ name, reason }) => `${name}: ${reason}`).join('; ')}`)
}
