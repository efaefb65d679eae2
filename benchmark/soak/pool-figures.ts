/**
 * What a direct wire of this thread has out of its pools just now: buffers, slabs, places of sockets. Read through the inspector,
 * since nobody but a soak wants to know and traffic should not pay for it. Pools are found by the names of their classes.
 */
import { Session } from 'node:inspector'
import { createRequire } from 'node:module'

/** How many are in use, by where the pool is in the engine. */
export type PoolFigures = Readonly<Record<string, number>>

interface RemoteObject {
  readonly type: string
  readonly subtype?: string
  readonly className?: string
  readonly objectId?: string
  readonly value?: unknown
}
interface Property {
  readonly name: string
  readonly value?: RemoteObject
}
interface Properties {
  readonly result: readonly Property[]
  readonly privateProperties?: readonly Property[]
}

type Members = ReadonlyMap<string, RemoteObject>

/** From an instance of a pool's class, and its members, to what is in use of it. */
const pools: Readonly<Record<string, (session: Session, pool: RemoteObject, members: Members) => number>> = {
  BufferRing: (session, pool) => evaluate(session, pool, 'function() { return this.used }'),
  Slots: (session, pool) => evaluate(session, pool, 'function() { return this.size }'),
  // One slab is always the next to be read into.
  Slabs: (session, _, members) => {
    const spare = evaluate(session, members.get('#spare'), 'function() { return this.length }')
    return Number(members.get('#made')?.value) - spare - 1
  },
  EpollEngine: (session, _, members) =>
    evaluate(session, members.get('#entries'), 'function() { return this.filter(Boolean).length }'),
}
/** How far from the engine pools are looked for. */
const depth = 3

const load = createRequire(import.meta.url)

/** Undefined for the portable wire. Without entries when nothing was found where pools should be; such a figure is NaN. */
export function poolFigures(wire: string): PoolFigures | undefined {
  if (wire !== 'uring' && wire !== 'epoll') return undefined
  const session = new Session()
  session.connect()
  try {
    const found = new Map<string, number>()
    look(session, engineOf(session, wire), ['engine'], found)
    return Object.fromEntries(found)
  } finally {
    session.disconnect()
  }
}

function look(session: Session, at: RemoteObject, way: readonly string[], found: Map<string, number>): void {
  const members = membersOf(session, at)
  const name = way.slice(1).join('.') || 'sockets'
  const count = pools[at.className ?? '']
  if (count !== undefined && !found.has(name)) found.set(name, count(session, at, members))
  if (way.length > depth) return
  for (const [member, value] of members) {
    const isInstance = value.type === 'object' && value.subtype === undefined && value.className !== 'Object'
    if (isInstance) look(session, value, [...way, member.replace('#', '')], found)
  }
}

function engineOf(session: Session, wire: 'uring' | 'epoll'): RemoteObject {
  const module = load(`../../src/net/direct/${wire}/wire.ts`) as Record<string, () => object>
  Reflect.set(globalThis, 'soakedWire', module[wire === 'uring' ? 'createUringWire' : 'createEpollWire']?.())
  const expression = 'globalThis.soakedWire'
  const { result } = post<{ result: RemoteObject }>(session, 'Runtime.evaluate', { expression })
  const side = membersOf(session, result).get('#accepting')
  const engine = side === undefined ? undefined : membersOf(session, side).get('engine')
  if (engine === undefined) throw new Error('a wire without an engine')
  return engine
}

function membersOf(session: Session, of: RemoteObject): Members {
  const params = { objectId: of.objectId, ownProperties: true }
  const { result, privateProperties = [] } = post<Properties>(session, 'Runtime.getProperties', params)
  const members = new Map<string, RemoteObject>()
  for (const { name, value } of [...privateProperties, ...result]) if (value !== undefined) members.set(name, value)
  return members
}

function evaluate(session: Session, of: RemoteObject | undefined, functionDeclaration: string): number {
  if (of === undefined) return Number.NaN
  const params = { objectId: of.objectId, functionDeclaration, returnByValue: true }
  return Number(post<{ result: RemoteObject }>(session, 'Runtime.callFunctionOn', params).result.value)
}

/** In its own thread the inspector answers before `post` returns. */
function post<T>(session: Session, method: string, params: object): T {
  let answer: unknown
  session.post(method, params, (error: Error | null, result?: object) => {
    if (error !== null) throw error
    answer = result
  })
  return answer as T
}
