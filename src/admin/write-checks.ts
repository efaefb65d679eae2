/**
 * The checks of PUT, POST and PATCH that come before the schema: is there a body, whose id is it, does it set what
 * only the server may set. Each refuses with 400 in the words that tools compare.
 */
import type { Json, JsonObject } from '../base/json.ts'
import { isObject } from './patch.ts'
import { refusal } from './reply.ts'
import type { Address } from './resource-address.ts'

const serverFields = ['create_time', 'update_time'] as const

/** The body as the object that it must be. */
export function requireObject(body: Json | undefined): JsonObject {
  if (body === undefined) throw refusal(400, 'missing configurations')
  if (!isObject(body)) throw refusal(400, `invalid configuration: wrong type: expected object, got ${typeName(body)}`)
  return body
}

/** In the words of the schema messages, which know arrays as tables. */
export function typeName(value: unknown): string {
  if (value === null) return 'userdata'
  return typeof value === 'object' ? 'table' : typeof value
}

/**
 * The id that a PUT or PATCH writes to, from the path or else the body, with the value that carries it. Kinds whose
 * id is a field of their own (consumers) have it read after the schema, so theirs may be undefined here.
 */
export function settleId(address: Address, body: JsonObject): { id: string | undefined; value: JsonObject } {
  const { kind } = address
  if (kind.idFrom === 'username') return { id: address.id, value: body }
  if (address.id === undefined && kind.idFrom === 'manager' && address.scope === '') {
    throw refusal(400, 'missing secret type')
  }
  const own = isId(body['id']) ? body['id'] : undefined
  const id = address.id ?? (kind.idFrom === 'id' ? own : undefined)
  if (id === undefined) throw refusal(400, `missing ${kind.noun} id`)
  const stored = kind.idFrom === 'manager' ? `${address.scope}${id}` : id
  if (kind.idFrom !== 'plugin' && own !== undefined && String(own) !== String(stored)) {
    throw refusal(400, `wrong ${kind.noun} id`)
  }
  return { id: String(id), value: withId(stored, body) }
}

/** A POST makes its own id, so neither path nor body may name one. */
export function refuseId(address: Address, body: JsonObject): void {
  if (address.id === undefined && body['id'] === undefined) return
  throw refusal(400, `wrong ${address.kind.noun} id, do not need it`)
}

/** The id first, as readers look for it there; `body` keeps its order otherwise. */
export function withId(id: Json, body: JsonObject): JsonObject {
  return Object.hasOwn(body, 'id') ? { ...body, id } : { id, ...body }
}

function isId(value: Json | undefined): value is string | number {
  return typeof value === 'string' || typeof value === 'number'
}

/** Times are the server's, here and one level down. The message lists every one that was sent. */
export function refuseTimes(body: JsonObject): void {
  const found: string[] = []
  for (const prefix of ['', 'upstream', 'plugins']) {
    const holder = prefix === '' ? body : body[prefix]
    if (!isObject(holder)) continue
    for (const field of serverFields) {
      if (holder[field] !== undefined && holder[field] !== null)
        found.push(prefix === '' ? field : `${prefix}.${field}`)
    }
  }
  if (found.length > 0) throw refusal(400, `the property is forbidden:  ${found.join(' ')}`)
}
