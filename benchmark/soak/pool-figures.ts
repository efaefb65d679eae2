/**
 * What a direct wire of this thread has out of its pools just now: buffers, and places of sockets. Read through the inspector,
 * since nothing but a soak wants to know: traffic pays nothing for it, and figures that moved elsewhere are reported as missing.
 */
import { Session } from 'node:inspector'
import { createRequire } from 'node:module'

/** How many of each are in use. */
export type PoolFigures = Readonly<Record<string, number>>

interface RemoteObject {
  readonly objectId?: string
  readonly value?: unknown
}
interface Property {
  readonly name: string
  readonly value?: RemoteObject
}

const load = createRequire(import.meta.url)

/** Where the figures of an engine are: the way to an object, and what is asked of it. */
const questions: Readonly<Record<string, readonly (readonly [way: readonly string[], ask: string])[]>> = {
  uring: [
    [
      ['#context'],
      'function() { return { small: this.small.used, large: this.large.used, sockets: this.slots.size } }',
    ],
  ],
  epoll: [
    [['#entries'], 'function() { return { sockets: this.filter((entry) => entry !== undefined).length } }'],
    [['slabs', '#spare'], 'function() { return { spare: this.length } }'],
    [['slabs', '#made'], ''],
  ],
}

/** Undefined for the portable wire, and when the inside of an engine is not what is expected. */
export function poolFigures(wire: string): PoolFigures | undefined {
  const asked = questions[wire]
  if (asked === undefined) return undefined
  const session = new Session()
  session.connect()
  try {
    const of = engineOf(session, wire)
    const found: Record<string, number> = {}
    for (const [way, ask] of asked) {
      const at = way.reduce<RemoteObject>((from, name) => member(session, from, name), of)
      if (ask === '') found[way.at(-1)?.replace('#', '') ?? ''] = Number(at.value)
      else Object.assign(found, evaluate(session, at, ask))
    }
    const { made, spare, ...rest } = found
    // One slab is always the next to be read into.
    return made === undefined || spare === undefined ? found : { ...rest, slabs: made - spare - 1 }
  } catch {
    return undefined
  } finally {
    session.disconnect()
  }
}

function engineOf(session: Session, wire: string): RemoteObject {
  const { createUringWire, createEpollWire } = load(`../../src/net/direct/${wire}/wire.ts`) as Record<
    string,
    () => object
  >
  const create = wire === 'uring' ? createUringWire : createEpollWire
  Reflect.set(globalThis, 'soakedWire', create?.())
  const { result } = post<{ result: RemoteObject }>(session, 'Runtime.evaluate', {
    expression: 'globalThis.soakedWire',
  })
  return member(session, member(session, result, '#accepting'), 'engine')
}

function member(session: Session, of: RemoteObject, name: string): RemoteObject {
  const params = { objectId: of.objectId, ownProperties: true }
  const { result, privateProperties = [] } = post<{ result: Property[]; privateProperties?: Property[] }>(
    session,
    'Runtime.getProperties',
    params,
  )
  const found = [...privateProperties, ...result].find((property) => property.name === name)?.value
  if (found === undefined) throw new Error(`no ${name}`)
  return found
}

function evaluate(session: Session, of: RemoteObject, functionDeclaration: string): object {
  const params = { objectId: of.objectId, functionDeclaration, returnByValue: true }
  return post<{ result: RemoteObject }>(session, 'Runtime.callFunctionOn', params).result.value as object
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
